"""What of a record no field holds: it stays beside the photo, and what is made less of is said."""

import re
from collections.abc import Mapping
from typing import Any

from skinclinic.archive.formats.layouts import Layout
from skinclinic.archive.formats.problems import Problem, _
from skinclinic.archive.formats.tables import Record
from skinclinic.archive.formats.words import facts
from skinclinic.archive.formats.words.facts import HISTOPATHOLOGY, is_unknown
from skinclinic.archive.formats.words.folding import fold

# An age of 6 months or 45.5 years, and the hour of a photo, do not fit into their fields.
_MORE = {
    "age": (
        re.compile(r"[.,][0-9]*[1-9]|mo\b|mos\b|month|개월", re.IGNORECASE),
        _("kept as whole years; the text stays beside the photo"),
    ),
    "taken_on": (re.compile(r"[0-9]:[0-9]"), _("kept as a day; the text stays beside the photo")),
}


def columns(layout: Layout, record: Record, found: Mapping[str, Any]) -> dict[str, str]:
    """What the record says in columns that are read into no field, a site that is not ours to the letter, and what a
    field does not hold the whole of. ``found``: the fields as they were read."""
    used = set(layout.read_into_fields)
    for name, column in layout.columns.items():
        text = record.cells.get(str(column), "")
        if text and not _is_held(name, text, found.get(name)):
            used.discard(str(column))
    return {name: text for name, text in record.cells.items() if name not in used and text.strip()}


def notes(layout: Layout, record: Record, found: Mapping[str, Any]) -> list[Problem]:
    """What is to be said of a record: fields that hold less than their cells; yes and no that contradict how the
    diagnosis was confirmed."""
    said = []
    for name, (more, message) in _MORE.items():
        text = record.cells.get(column := str(layout.columns.get(name, "")), "")
        if found.get(name) not in (None, (None, None)) and more.search(text):
            said.append(Problem(column, message, text))
    way, is_proven = found.get("confirmed_by"), found.get("is_proven")
    if way and is_proven is not None and is_proven != (way == HISTOPATHOLOGY):
        message = (
            _("said to be proven, though confirmed otherwise; taken as proven")
            if is_proven
            else _("said not to be proven, though confirmed so; taken as proven")
        )
        said.append(Problem(str(layout.columns.get("is_proven", "")), message, way))
    return said


def _is_held(name: str, text: str, value: Any) -> bool:
    """Whether a field's value says all that its cell says."""
    if name == "site":
        return fold(text) == fold(value or "")
    # A tile of a total body photo is a close-up or an overview, and more than that.
    if name == "kind" and "tile" in text.casefold():
        return False
    if name in _MORE and _MORE[name][0].search(text):
        return False
    if value or is_unknown(text) or (name == "age" and value == 0):
        return True
    return name in ("is_proven", "is_synthetic") and text.strip().casefold() in facts.NO
