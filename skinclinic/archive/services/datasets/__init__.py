"""Datasets: made, split, checked, frozen, compared."""
