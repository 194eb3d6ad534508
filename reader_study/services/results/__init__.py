"""What comes out of a closed study."""
