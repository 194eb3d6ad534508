"""The clinic's kinds of job."""
