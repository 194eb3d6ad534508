"""What an installation lacks, in words, each with what to do. Apps register their own checks (``findings.check``)."""
