"""What several pages of the archive show."""
