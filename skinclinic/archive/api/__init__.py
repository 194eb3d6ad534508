"""The archive's part of /api/."""
