"""Synthetic lesions, drawn. They are marked as such wherever they show. Pure."""
