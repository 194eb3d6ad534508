"""Entries and what a curator does with them."""
