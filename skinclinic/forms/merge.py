"""Whose value holds where two patients become one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skinclinic.models import Patient
from skinclinic.models.columns import field_of
from skinclinic.presenters.changed_meanwhile import in_words
from skinclinic.services import records
from skinclinic.services.binning import merges


@dataclass(frozen=True)
class Side:
    """One of the two values of a line."""

    key: str
    code: str
    words: str


@dataclass(frozen=True)
class Line:
    """One thing that two patients say, side by side."""

    name: str
    label: str
    sides: list[Side]
    differs: bool
    chosen: str
    is_consent: bool


def lines(keep: Patient, other: Patient, sent: Mapping[str, str] | None = None) -> list[Line]:
    """Everything they say; what differs is to be chosen, or was in what was ``sent``."""
    differ = merges.differing(keep, other)
    found = []
    for unit in merges.UNITS:
        sides = [
            Side(key, patient.code, in_words(Patient, unit, records.values_of(patient)))
            for key, patient in ((merges.KEEP, keep), (merges.OTHER, other))
        ]
        chosen = merges.suggested(unit, keep, other) if sent is None else sent.get(f"choose-{unit[0]}", "")
        label = str(field_of(Patient, unit[0]).verbose_name)
        found.append(Line(unit[0], label, sides, unit in differ, chosen, unit[0] == merges.CONSENT))
    return found


def chosen(sent: Mapping[str, str]) -> dict[str, str]:
    """What was chosen of each unit."""
    return {unit[0]: sent.get(f"choose-{unit[0]}", "") for unit in merges.UNITS}


def looked(sent: Mapping[str, str]) -> Any:
    """What the form had shown; None for what no form of ours has made."""
    try:
        return json.loads(sent.get("seen", "")[:10_000])
    except (ValueError, RecursionError):
        return None
