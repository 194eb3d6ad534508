"""Figures of an evaluation: drawn once, written as SVG (in a page's colours or on its own), PDF and PNG."""
