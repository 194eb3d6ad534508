"""Designs and methods of analysis in words: for pages, for the console and for the methods."""

from collections.abc import Mapping

from reader_study.statistics import patterns
from skinclinic.web.counts import gettext as _


def pattern_words(pattern: str | None) -> str:
    """What a design is called."""
    return {
        None: _("nothing was read"),
        patterns.CROSSED: _("fully crossed: every reader read everything"),
        patterns.FEW_GAPS: _("crossed, with few gaps"),
        patterns.SPLIT_PLOT: _("split-plot: blocks of cases, each read by its own readers"),
        patterns.CASES_IN_READERS: _("cases nested in readers: each case was read by one reader"),
        patterns.CASES_IN_TESTS: _("cases nested in tests or sessions: none has a case of another"),
        patterns.READERS_IN_TESTS: _("readers nested in tests or sessions: each has readers of its own"),
        patterns.PARTLY_CROSSED: _("partly crossed: readers read different cases, some of them in common"),
    }[pattern]


def design_words(design: Mapping) -> str:
    """Of a session's design, with the number of its blocks."""
    words = pattern_words(design["pattern"])
    if design["pattern"] == patterns.SPLIT_PLOT:
        return _("%(design)s (%(n)d blocks)") % {"design": words, "n": design["n_blocks"]}
    return words
