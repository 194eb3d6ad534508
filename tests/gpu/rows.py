"""What a check says: rows with a value, a limit where there is one, and whether it was kept. No torch needed."""

import math
from dataclasses import asdict, dataclass

PASSED, FAILED, MEASURED, NOT_EVALUABLE = "passed", "failed", "measured", "not evaluable"


@dataclass(frozen=True)
class Row:
    """One statement. ``value`` None where there is none; ``limit`` and ``note`` in words."""

    what: str
    state: str
    value: float | None = None
    unit: str = ""
    limit: str = ""
    note: str = ""

    def to_json(self) -> dict:
        """Return the row with JSON types only; a value that is not finite becomes a note."""
        if self.value is not None and not math.isfinite(self.value):
            return asdict(self) | {"value": None, "note": f"{self.value} {self.note}".strip()}
        return asdict(self)


def at_most(what: str, value: float, limit: float, unit: str = "") -> Row:
    """A value that must not exceed its limit; NaN does."""
    return Row(what, PASSED if value <= limit else FAILED, float(value), unit, f"at most {limit:g}")


def at_least(what: str, value: float, limit: float, unit: str = "") -> Row:
    """A value that must reach its limit; NaN does not."""
    return Row(what, PASSED if value >= limit else FAILED, float(value), unit, f"at least {limit:g}")


def holds(what: str, truth: bool, note: str = "") -> Row:
    """Something that must be so; the note says what was found."""
    return Row(what, PASSED if truth else FAILED, note=note)


def measured(what: str, value: float, unit: str = "", note: str = "") -> Row:
    """A figure without a limit."""
    return Row(what, MEASURED, float(value), unit, note=note)


def not_evaluable(what: str, why: str) -> Row:
    """What this machine cannot tell."""
    return Row(what, NOT_EVALUABLE, note=why)


def failed(what: str, why: str) -> Row:
    """A check that broke."""
    return Row(what, FAILED, note=why)
