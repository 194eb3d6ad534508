"""Figures, drawn once (``canvas``), framed for a screen or a journal's column (``frame``), and written as SVG, PDF,
EPS and pixels; and the PDF report of an analysis (``analysis_pdf``)."""
