"""Figures of evaluations, on plain numpy (float64), without Django.

``evaluation.evaluate`` gives all of them for the scores of one model on one dataset; ``plain.plain`` turns
any result into what JSON can hold. Curves themselves are in classifier/metrics/roc.py.

What cannot be computed is None and never 0, 0.5 or NaN; ``note`` then holds one of the codes of notes.py.
"""
