"""Keys and keyed hashes by which what was erased is known again. They tell nobody without this server's key what it
was."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from skinclinic.services import patient_codes

LENGTH = 32
# Shorter names are parts of any text: they are looked for where they stand alone.
SHORTEST_IN_TEXT = 4
# To how many letters hashes are shortened where a photo is named by one.
SHORTENED = (12, 16)
_MOST_WORDS = 4
_BETWEEN = re.compile(r"[\s,;:|\"'()\[\]{}<>=/\\]+")


def mark(kind: str, value: str, key: str | None = None) -> str:
    """The keyed hash of a value of this kind, by the key of today unless another is given."""
    digest = salted_hmac(f"skinclinic.erasing.{kind}", value, secret=key, algorithm="sha256").hexdigest()
    return digest[:LENGTH]


def marks(kind: str, value: str) -> set[str]:
    """Those by the key of today and by the keys of before, with which older lines were written."""
    return {mark(kind, value, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)}


def name_mark(name: str) -> str:
    """That of a code, a file's name or whatever else a person or a photo is called, in whatever case."""
    return mark("name", _as_name(name))


def name_marks(name: str) -> set[str]:
    return marks("name", _as_name(name))


def _as_name(name: str) -> str:
    return patient_codes.tidy(name).casefold()


@dataclass
class Trace:
    """``rows`` {model: {key: mark of what the row can never lose}}; ``names``, ``hashes``: marks of what patient and
    photos are called, and of the SHA-256 of files; ``codes``: those of the names that patients have; ``files``: keys
    below PHOTOS_DIR; ``elsewhere`` {what: keys}: what the apps above have to look through."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    elsewhere: dict[str, list] = field(default_factory=dict)

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> "Trace":
        return cls(
            content.get("rows", {}), set(content.get("names", ())), set(content.get("codes", ())),
            set(content.get("hashes", ())), set(content.get("files", ())), content.get("elsewhere", {}),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "names": sorted(self.names), "codes": sorted(self.codes),
            "hashes": sorted(self.hashes), "files": sorted(self.files), "elsewhere": self.elsewhere,
        }  # fmt: skip

    def __or__(self, other: "Trace") -> "Trace":
        rows = {
            label: {**self.rows.get(label, {}), **other.rows.get(label, {})}
            for label in {**self.rows, **other.rows}
        }
        both = {**self.elsewhere, **other.elsewhere}
        elsewhere = {
            what: _once([*self.elsewhere.get(what, ()), *other.elsewhere.get(what, ())]) for what in both
        }
        return Trace(
            rows, self.names | other.names, self.codes | other.codes, self.hashes | other.hashes,
            self.files | other.files, elsewhere,
        )  # fmt: skip

    # Noting

    def note_row(self, label: str, key: int, stays: str) -> None:
        self.rows.setdefault(label, {})[str(key)] = mark(label, f"{key} {stays}")

    def note_names(self, names: Iterable[str]) -> None:
        for name in filter(None, names):
            self.names.add(name_mark(name))
            stem = PurePosixPath(name.replace("\\", "/")).stem
            # "image" of "image.jpg" is a word of any text.
            if any(character.isdigit() for character in stem):
                self.names.add(name_mark(stem))

    def note_codes(self, codes: Iterable[str]) -> None:
        """Of patients; those of imported ones are "source/name in the source", and are looked for by either."""
        for code in filter(None, codes):
            parts = {code, code.partition("/")[2]} - {""}
            self.codes |= {name_mark(part) for part in parts}
            self.names |= {name_mark(part) for part in parts}

    def note_hashes(self, hashes: Iterable[str]) -> None:
        for sha256 in filter(None, hashes):
            # Also as it is shown, shortened.
            self.hashes |= {mark("hash", sha256[:length]) for length in (None, *SHORTENED)}

    # Asking

    def is_row(self, label: str, key: int, stays: str) -> bool:
        return self.rows.get(label, {}).get(str(key)) in marks(label, f"{key} {stays}")

    def knows_name(self, name: str) -> bool:
        """Whether this whole is a name of what was erased."""
        return bool(name) and not self.names.isdisjoint(name_marks(name))

    def knows_hash(self, sha256: str) -> bool:
        return bool(sha256) and not self.hashes.isdisjoint(marks("hash", sha256))

    def is_in(self, text: str) -> bool:
        """Whether such a name or hash stands in the text."""
        return self.knows_name(text) or any(map(self._knows, _parts(text)))

    def is_in_line(self, line: str) -> bool:
        """Whether a patient's code or a photo's hash stands in the line of a table. Names of photos do not count: other
        photos may be called so, too."""
        return any(
            len(part) >= SHORTEST_IN_TEXT
            and (not self.codes.isdisjoint(name_marks(part)) or self.knows_hash(part))
            for part in _parts(line)
        )

    def without(self, value: Any, instead: str = "–") -> Any:
        """The JSON value, with what stands in it of such names replaced or, among keys, left out."""
        if isinstance(value, str):
            return instead if self.is_in(value) else value
        if isinstance(value, list):
            return [self.without(one, instead) for one in value]
        if isinstance(value, dict):
            return {
                key: self.without(one, instead)
                for key, one in value.items()
                if not (isinstance(key, str) and self.is_in(key))
            }
        return value

    def without_hashes(self, value: Any) -> Any:
        """The JSON value without the hashes of files."""
        if isinstance(value, str):
            return "" if self.knows_hash(value) else value
        if isinstance(value, list):
            return [self.without_hashes(one) for one in value]
        if isinstance(value, dict):
            return {key: self.without_hashes(one) for key, one in value.items()}
        return value

    def _knows(self, part: str) -> bool:
        return len(part) >= SHORTEST_IN_TEXT and (self.knows_name(part) or self.knows_hash(part))


def _parts(text: str) -> Iterator[str]:
    """Words of a text and a few of them together; of file names also without their ending."""
    words = [word.strip(".–-_") for word in _BETWEEN.split(text)]
    words = [word for word in words if word]
    for start, word in enumerate(words):
        if "." in word:
            yield PurePosixPath(word).stem
        for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
            yield " ".join(words[start:end])


def _once(values: list) -> list:
    found: list = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
