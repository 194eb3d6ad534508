"""Figures of a study's results in pages."""

from collections.abc import Mapping

from django import template

from classifier.plots.figures import note_words
from reader_study.plots import marks
from reader_study.plots.differences import difference_text
from reader_study.services.results.conclusions import p_text

register = template.Library()


@register.filter
def p_short(value) -> str:
    """A p in short; a dash where there is none."""
    return p_text(value if isinstance(value, float) else None)


@register.filter
def note(code: str) -> str:
    """Why something is missing."""
    return note_words(code or "")


@register.filter
def difference(found: Mapping | None) -> str:
    """A difference with its interval."""
    return difference_text(found) if found and found["difference"] is not None else "–"


@register.filter
def effect(found: Mapping) -> str:
    """The ``value`` of a difference with its interval."""
    return difference_text({"difference": found["value"], "ci": found["ci"]})


@register.filter
def session_name(key: str) -> str:
    """A session in words."""
    return marks.session_name(key)


@register.filter
def of_groups(key: str, names: Mapping[str, str]) -> str:
    """A group's name."""
    return names.get(key) or key or "–"
