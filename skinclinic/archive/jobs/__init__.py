"""The archive's kinds of job."""
