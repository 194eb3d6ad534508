"""Figures of a study's results in pages."""

from collections.abc import Mapping

from django import template

from classifier.plots.notes import note_words
from reader_study.plots import marks
from reader_study.plots.differences import difference_text
from reader_study.services.making import operating
from reader_study.services.making.reference import Strength
from reader_study.services.results import questions_text
from reader_study.services.results.conclusions import p_text
from reader_study.services.results.protocol_text import values_in_words

register = template.Library()


@register.filter
def p_short(value) -> str:
    """A p in short; a dash where there is none."""
    return p_text(value if isinstance(value, float) else None)


@register.filter
def minus(text: str) -> str:
    """A number as text, with the sign that belongs to it."""
    return str(text).replace("-", "−")


@register.filter
def note(code: str) -> str:
    """Why something is missing."""
    return note_words(code or "")


@register.filter
def difference(found: Mapping | None) -> str:
    """A difference with its interval."""
    return difference_text(found) if found and found["difference"] is not None else "–"


@register.filter
def reference_words(counts: Mapping[str, int] | None) -> str:
    """What the truths of so many photos rest on; "" where it was not recorded."""
    return Strength(counts).in_words() if counts and any(counts.values()) and set(counts) != {""} else ""


@register.filter
def threshold_words(kept: Mapping) -> str:
    """The thresholds of a protocol, disease by disease."""
    return values_in_words(kept["values"])


@register.filter
def overlap_words(kept: Mapping | None) -> str:
    """Whether they were chosen on the sample's own photos; "" where they were not."""
    return operating.in_words(kept)


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


@register.filter
def endpoint_name(key: str) -> str:
    """A disease, or a question of all diseases."""
    return questions_text.endpoint_name(key)
