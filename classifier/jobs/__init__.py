"""The classifier's kinds of job."""
