"""Deleting what can be taken back: the bin."""
