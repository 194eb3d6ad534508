"""Erasing a patient for good, in every table and file, and again when a backup brings the patient back."""
