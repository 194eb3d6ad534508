"""A figure as pages show it: for wide screens and for phones."""

from collections.abc import Callable
from dataclasses import replace

from classifier.plots.figures import Figure
from classifier.plots.frame import PHONE, WIDE, Form


def for_screens(draw: Callable[[Form], Figure]) -> Figure:
    """The wide one with that for a phone; style sheets show the one that fits, so that its letters stay readable."""
    wide = draw(WIDE)
    return wide if wide.drawing is None else replace(wide, phone=draw(PHONE))
