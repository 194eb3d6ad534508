"""What a form showed when it was opened, sent back with it; and what a person chose where two have changed the same.

``components/seen.html`` puts both into a form.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from skinclinic.services.merging import Unit

MINE, THEIRS = "mine", "theirs"
# A hundred photos are filed at once.
_LONGEST = 60_000


@dataclass(frozen=True)
class Seen:
    """``values``: {field: value}, None from a form that does not say; ``asked``: {first field of a unit: what was
    chosen, "" for nothing yet}."""

    values: dict[str, Any] | None = None
    asked: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: QueryDict) -> "Seen":
        names = [name for name in data.getlist("asked") if name][:40]
        return cls(values_in(data.get("seen", "")), {name: data.get(f"choose-{name}", "") for name in names})

    @property
    def is_open(self) -> bool:
        """Whether something was asked and not answered."""
        return any(chosen not in (MINE, THEIRS) for chosen in self.asked.values())

    def chosen_of(self, wanted: Mapping[str, Any], units: Iterable[Unit]) -> dict[str, Any]:
        """``wanted`` without what was left to the other person's version."""
        theirs = {name for unit in units if self.asked.get(unit[0]) == THEIRS for name in unit}
        return {name: value for name, value in wanted.items() if name not in theirs}


def values_in(text: str) -> dict[str, Any] | None:
    """The values of a hidden field; None for what no page of ours has made."""
    try:
        found = json.loads(text) if text and len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
