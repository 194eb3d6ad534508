"""Frozen versions on their way out, and back in."""
