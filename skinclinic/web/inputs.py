"""What comes in an address or a form, before it is trusted with a database."""

import unicodedata
from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

LARGEST_KEY = 2**63 - 1


def is_key(text: str) -> bool:
    """Whether the text of an address or a form can be the key of a row."""
    return text.isascii() and text.isdigit() and len(text) < 19


def storable(text: str) -> bool:
    """Whether a database takes the text: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def one_spelling(text: str) -> str:
    """Composed characters, single spaces, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@dataclass(frozen=True)
class Filters:
    """What a person asked to see, each as text, "" for not asked: the base of a list's own filters."""

    # The values of those fields that take no other; "" is always one.
    ALLOWED: ClassVar[dict[str, Container[str]]] = {}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Read them from the query of an address or a stored dict; what makes no sense is left out."""
        asked = {field.name: str(values.get(field.name, "") or "").strip() for field in fields(cls)}
        for name, text in asked.items():
            allowed = cls.ALLOWED.get(name)
            asked[name] = cls.tidy(name, text) if allowed is None or text in allowed else ""
        return cls(**asked)

    @classmethod
    def tidy(cls, name: str, text: str) -> str:
        """The value of a field of free text as it may be used."""
        return "".join(filter(storable, text))

    def to_json(self) -> dict[str, str]:
        """The filters that are asked for."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    def address(self, **changes: str) -> str:
        """The query of an address, "?label=bcc" or "", with some filters changed and other values added."""
        own = {field.name for field in fields(self)}
        changed = replace(self, **{name: value for name, value in changes.items() if name in own})
        values = changed.to_json() | {
            name: value for name, value in changes.items() if name not in own and value
        }
        return f"?{urlencode(values)}" if values else ""

    def __bool__(self) -> bool:
        return bool(self.to_json())
