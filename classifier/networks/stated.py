"""What values in a description may be, which is somebody's upload. Pure."""

import math
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """A finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_count(value: object) -> TypeGuard[int]:
    """A whole number from 0; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
