"""Croissant metadata (MLCommons, 1.0 and 1.1) as it is read: which table holds the records, which column which field.
Pure.

Read is one table of the folder; what else is described is named, not taken over.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from skinclinic.archive.formats.known_clinical import OWN_EXPORT
from skinclinic.archive.formats.problems import TableRefused, _
from skinclinic.archive.formats.words import headers

FILE = "croissant.json"
# In what its own and other people's files write before a property.
_PREFIX = re.compile(
    r"^(?:(?:cr|sc|schema|dct):|https?://(?:mlcommons\.org/croissant|schema\.org|purl\.org/dc/terms)/)"
)
_VERSION = re.compile(r"https?://mlcommons\.org/croissant/1\.[0-9]+")
_TABLES = ("text/csv", "text/tab-separated-values", "text/tsv")
RECORDS, FIELDS, FILES = (
    _("a record set"),
    _("a field without a column"),
    _("a described file that is not read"),
)


@dataclass(frozen=True)
class Described:
    """``table``: the path of the table, ``sha256`` as it is described or ""; ``columns``: {our field: column};
    ``not_taken``: {what: names}; ``said``: {column of a source: what the description says}."""

    table: str
    sha256: str
    columns: Mapping[str, str]
    not_taken: Mapping[str, list[str]]
    said: Mapping[str, str] = field(default_factory=dict)


def read(values: Any) -> Described:
    """What the description tells of its records. Raises TableRefused with what to do."""
    values = _plain(values)
    if not isinstance(values, dict) or not any(
        _VERSION.fullmatch(one) for one in _texts(values, "conformsTo")
    ):
        raise TableRefused(
            _("croissant.json does not say that it conforms to Croissant 1.0 or 1.1 (conformsTo). Name a description "
              "that does, or import the table as “Any table”.")
        )  # fmt: skip
    files = {name: one for one in _list(values, "distribution") if (name := _name(one))}
    sets = [_Records(one, files) for one in _list(values, "recordSet")]
    fitting = [one for one in sets if one.is_whole]
    if len(fitting) != 1:
        raise TableRefused(
            _("croissant.json describes %(count)s record sets with a column for the file of a photo and one for its "
              "diagnosis; one is needed. Record sets there: %(names)s. Import the table as “Any table” and say which "
              "column holds what."),
            count=len(fitting), names=", ".join(one.name for one in sets[:20]) or "–",
        )  # fmt: skip
    chosen = fitting[0]
    return Described(
        table=chosen.path,
        sha256=next(iter(_texts(chosen.file, "sha256")), ""),
        columns=chosen.columns,
        not_taken={
            RECORDS: [one.name for one in sets if one is not chosen and not one.is_enumeration],
            FIELDS: chosen.without_column,
            FILES: [name for name, one in files.items() if one is not chosen.file and not _is_pictures(one)],
        },
        said={
            "licence": "; ".join(_texts(values, "license")),
            "citation": "; ".join(_texts(values, "citeAs")),
            "url": next(
                (one for one in _texts(values, "url") if one.startswith(("http://", "https://"))), ""
            ),
        },
    )


class _Records:
    """A record set: the table most of its fields come from, and which column of that is which of our fields."""

    def __init__(self, values: dict[str, Any], files: Mapping[str, dict[str, Any]]):
        self.name = _name(values) or "–"
        self.is_enumeration = any(one.endswith("Enumeration") for one in _texts(values, "dataType"))
        tables: dict[str, dict[str, str]] = {}
        self.without_column: list[str] = []
        for one in _list(values, "field"):
            name = next(iter(_texts(one, "name")), "") or _name(one).rpartition("/")[2]
            file, column = _source(one)
            if column and _is_table(files.get(file, {})):
                tables.setdefault(file, {})[name] = column
            elif not _is_picture(one, files):
                self.without_column.append(name or "–")
        largest = max(tables, key=lambda file: len(tables[file]), default="")
        for file, named in tables.items():
            self.without_column += sorted(named) if file != largest else []
        self.file: dict[str, Any] = files.get(largest, {})
        self.path = next(iter(_texts(self.file, "contentUrl")), "").removeprefix("./")
        self.columns = _columns(tables.get(largest, {}))

    @property
    def is_whole(self) -> bool:
        path = PurePosixPath(self.path)
        is_inside = (
            bool(self.path) and not path.is_absolute() and ".." not in path.parts and ":" not in self.path
        )
        return is_inside and {"file", "label"} <= set(self.columns)


def _columns(named: Mapping[str, str]) -> dict[str, str]:
    """{our field: column} of {their field: column}: as this product exports, else by what the fields are called."""
    own = {name: str(column) for name, column in OWN_EXPORT.columns.items()}
    if set(own.values()) <= set(named.values()):
        return own
    return {ours: named[theirs] for ours, theirs in headers.offered(named).items()}


def _source(values: dict[str, Any]) -> tuple[str, str]:
    """(name of the file, column) that a field comes from."""
    for source in _list(values, "source"):
        for file in _list(source, "fileObject"):
            for extract in _list(source, "extract"):
                return _name(file), next(iter(_texts(extract, "column")), "")
    return "", ""


def _is_table(values: dict[str, Any]) -> bool:
    kinds = [one.casefold() for one in _texts(values, "encodingFormat")]
    return any(one in _TABLES for one in kinds)


def _is_pictures(values: dict[str, Any]) -> bool:
    return any(one.startswith("image/") for one in _texts(values, "encodingFormat"))


def _is_picture(values: dict[str, Any], files: Mapping[str, dict[str, Any]]) -> bool:
    """Whether a field is the photo itself, which is found by its name."""
    sets = [one for source in _list(values, "source") for one in _list(source, "fileSet")]
    return any(_is_pictures(files.get(_name(one), {})) for one in sets)


def _plain(values: Any) -> Any:
    """The values with the names of properties as the specification writes them in short."""
    if isinstance(values, dict):
        return {_PREFIX.sub("", name): _plain(one) for name, one in values.items() if name != "@context"}
    return [_plain(one) for one in values] if isinstance(values, list) else values


def _list(values: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = values.get(name)
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _name(values: Mapping[str, Any]) -> str:
    return str(values.get("@id") or values.get("name") or "")


def _texts(values: Mapping[str, Any], name: str) -> list[str]:
    return list(_each(values.get(name)))


def _each(found: Any) -> Iterator[str]:
    """A text, an object's address or name, or several of them."""
    if isinstance(found, list):
        for one in found:
            yield from _each(one)
    elif isinstance(found, dict):
        yield from _each(found.get("@id") or found.get("url") or found.get("name") or found.get("@value"))
    elif isinstance(found, str) and found:
        yield found
