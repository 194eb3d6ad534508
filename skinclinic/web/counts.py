"""How whole numbers stand in words: 1,958 photos. By the language (``THOUSAND_SEPARATOR`` of its ``formats.py``).

What names something is no count and stays as it is: in texts of Python by what it is called there (``NAMES``), in
templates as text (``|stringformat:"d"``).
"""

import re
from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.formats import get_format

NAMES = frozenset(("id", "line", "number", "row", "seed", "status", "year"))
_PLACE = re.compile(r"%%|%\((\w+)\)[ds]|%[ds]")


def grouped(number: Any) -> Any:
    """12,345; what is no whole number comes back as it is."""
    if type(number) is not int:
        return number
    return f"{number:,}".replace(",", str(get_format("THOUSAND_SEPARATOR")))


class Counted(str):
    """A text in whose places (``%(n)d``, ``%(n)s``, ``%d``) whole numbers are written as ``grouped`` does."""

    def __mod__(self, values: Any) -> str:
        def put(found: re.Match[str]) -> str:
            name = found[1]
            if found[0] == "%%" or name in NAMES:
                return found[0]
            value = values[name] if name else values
            if isinstance(value, str) and found[0].endswith("d"):
                # A count that is written already: 1,000+.
                return value.replace("%", "%%")
            return grouped(value) if type(value) is int else found[0]

        if type(values) is int:
            return _PLACE.sub(put, self) % ()
        if isinstance(values, Mapping):
            return _PLACE.sub(put, self) % values
        return str(self) % values


def gettext(message: str) -> str:
    """As Django's, for a text with counts."""
    return Counted(translation.gettext(message))


def ngettext(singular: str, plural: str, number: int) -> str:
    """As Django's; its counts are written as ``grouped`` does."""
    return Counted(translation.ngettext(singular, plural, number))


class Whole(int):
    """A number that is written so by whatever writes it, such as a tag of templates."""

    def __str__(self) -> str:
        return str(grouped(int(self)))
