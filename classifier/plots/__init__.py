"""Figures of an evaluation, drawn once and written as SVG (in a page's colours or on its own), PDF and PNG; and the PDF
report of an analysis (``analysis_pdf.py``)."""
