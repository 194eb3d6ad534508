"""Proven photos of a clinic's archive that look alike to the model: finding them, and making what they are found by."""
