"""What is wrong with a row, a table or a ZIP: a text with named places that is filled in only when it is shown,
so that it can be shown in any language and equal problems can be counted together. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


def _(text: str) -> str:
    """Mark a text for the message catalogue."""
    return text


class Said(ValueError):
    """``message`` is English with places such as %(most)s; ``params`` fill them."""

    def __init__(self, message: str, **params: object):
        self.message, self.params = message, params
        super().__init__(message % params)


class CellError(Said):
    """A cell that cannot be read; the message says what is expected."""


class TableRefused(Said):
    """The table as a whole cannot be read; the message says why and what to do."""


class PhotosRefused(Said):
    """The folder or ZIP cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Problem:
    """What keeps a row out. ``column``: "" for the row as a whole; ``value``: the text that is wrong; ``meant``: the
    field it was to be read into."""

    column: str
    message: str
    value: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    meant: str = ""
