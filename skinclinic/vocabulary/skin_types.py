"""Fitzpatrick skin types, one or a range of them where the source tells no more.

A number as the sources write it: 1 to 6 for I to VI; two digits for a range, such as 12 for I to II and 56 for V to VI.
"""

_ROMAN = ("", "I", "II", "III", "IV", "V", "VI")
SINGLE = tuple(range(1, 7))
RANGES = tuple(first * 10 + last for first in SINGLE for last in SINGLE if first < last)
SKIN_TYPES = SINGLE + RANGES


def name(skin_type: int | None) -> str:
    """'II', 'I–II', or '' where it is not known."""
    if not skin_type:
        return ""
    first, last = divmod(skin_type, 10)
    return f"{_ROMAN[first]}–{_ROMAN[last]}" if first else _ROMAN[last]
