"""What values in a description may be, which is somebody's upload. Pure."""

import math
from collections.abc import Iterable
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """A finite number; true and false are none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        # A whole number of hundreds of digits.
        return False


def is_count(value: object) -> TypeGuard[int]:
    """A whole number from 0; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def in_words(names: Iterable[str], most: int = 60) -> str:
    """Names out of somebody's file in one line, without what no line can hold; of very many the first ``most``."""
    known = list(names)
    shown = [name if name.isprintable() else ascii(name)[1:-1] for name in known[:most]]
    more = [f"and {len(known) - most} more"] if len(known) > most else []
    return ", ".join(shown + more)
