"""What the demo shows of archive and models."""
