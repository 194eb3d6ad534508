"""From the records of a table to rows: each cell read, each word that nobody knows kept for a curator to say."""

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from skinclinic.archive.formats import beside, values
from skinclinic.archive.formats.layouts import NEEDED, Layout
from skinclinic.archive.formats.problems import CellError, Problem, TableRefused, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Record
from skinclinic.archive.formats.values import words
from skinclinic.archive.formats.words import facts
from skinclinic.archive.formats.words.facts import HISTOPATHOLOGY, is_unknown
from skinclinic.archive.formats.words.folding import fold

__all__ = ["LEAVE_OUT", "LEAVE_OUT_ROW", "MAPPABLE", "NEEDED", "READERS", "Reader", "Words"]
LEAVE_OUT, LEAVE_OUT_ROW = "-", "leave_out"
MOST_WORDS = 10_000
# How each field of a Row is read from text; an age may be a range, a date is read in its column's order.
READERS: dict[str, Callable[[str], Any]] = {
    "file": words(300), "external_id": values.name(200), "label": words(120), "patient": values.name(60),
    "lesion": values.name(60), "age": values.age, "sex": values.sex, "skin_type": values.skin_type,
    "ethnicity": words(80), "site": values.site, "taken_on": values.day, "kind": values.kind,
    "is_proven": values.yes, "confirmed_by": values.confirmed_by, "subtype": words(80), "icd10": values.icd10,
    "impression": words(120), "text": words(2000), "sha256": words(64), "split": values.side,
    "is_synthetic": values.yes, "tags": words(200),
}  # fmt: skip
# Fields whose words a curator may explain; the labels of diseases are explained beside them (``Import.labels``).
MAPPABLE = ("site", "sex", "skin_type", "age", "kind", "confirmed_by", "is_proven", "is_synthetic")
_FOR_ALL = ("kind", "confirmed_by", "ethnicity")
# Besides: in which order dates are read; what becomes of rows whose photo is not there (``LEAVE_OUT_ROW``).
DEFAULTS = (*_FOR_ALL, "dates", "missing")

Words = Mapping[str, Mapping[str, str]]


class _LeaveOut(Exception):
    """A curator wants no row with this word."""


class Reader:
    """Reads records by a layout. ``words``: what a curator says words mean, {field: {word: value, "" for not decided,
    LEAVE_OUT}}; ``defaults``: what holds where the table says nothing (``DEFAULTS``); ``order``: how dates with the
    year last are read. ``kept_out``: the files of rows that problems keep out."""

    def __init__(self, layout: Layout, words: Words, defaults: Mapping[str, str], order: str = ""):
        self.layout, self.defaults = layout, {**defaults}
        self.order = order or self.defaults.get("dates", "")
        self.said = {
            name: {word.strip().casefold(): value for word, value in found.items() if value}
            for name, found in words.items()
        }
        self._known: dict[tuple[str, str], Any] = {}
        self.kept_out: list[str] = []
        self.silent = self._silent()
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in MAPPABLE}
        for name in _FOR_ALL:
            if self.defaults.get(name):
                self._check_default(name, self.defaults[name])
        for name, found in self.said.items():
            for word, value in found.items():
                self._check(name, word, value)

    def _silent(self) -> tuple[str, ...]:
        """Fields of which the source says nothing at all."""
        layout = self.layout
        said = {*layout.columns, *layout.levels, *layout.flags, *layout.fixed, *self.defaults}
        said |= {"kind"} if layout.photos else set()
        said |= {"is_proven", "confirmed_by"} if said & {"is_proven", "confirmed_by"} else set()
        return tuple(name for name in READERS if name not in said)

    def _check_default(self, name: str, value: str) -> None:
        try:
            READERS[name](value)
        except CellError as error:
            raise TableRefused(
                _("What holds for all (%(field)s) is “%(value)s”: %(error)s."),
                field=name, value=value[:80], error=error.message % error.params,
            ) from None  # fmt: skip

    def _check(self, name: str, word: str, value: str) -> None:
        """Raises TableRefused when a word is said to mean what the field cannot hold."""
        try:
            if name not in MAPPABLE:
                raise CellError(_("its words cannot be mapped"))
            if value != LEAVE_OUT:
                READERS[name](value)
        except CellError as error:
            raise TableRefused(
                _("“%(word)s” (%(field)s) is mapped to “%(value)s”: %(error)s."),
                word=word[:80], field=name, value=value[:80], error=error.message % error.params,
            ) from None  # fmt: skip

    def rows(self, record: Record) -> list[tuple[Row | None, list[Problem]]]:
        """The rows a record describes, one a photo, with what is to be said of it; None where problems keep it from
        being one."""
        problems = list(record.problems)
        notes: list[Problem] = []
        found: dict[str, Any] = {}
        left_out = False
        for name, column in self.layout.columns.items():
            text = record.cells.get(str(column), "")
            left_out |= self._read(name, str(column), text, found, problems)
        for name in self.layout.flags:
            left_out |= self._read(name, name, self._flagged(name, record, notes), found, problems)
        left_out |= self._site(record, found, problems, notes)
        self._label(record, found, problems)
        notes += beside.notes(self.layout, record, found)
        for name, value in self.layout.fixed.items():
            if not found.get(name):
                found[name] = READERS[name](value)
        rows: list[tuple[Row | None, list[Problem]]] = []
        for file, kind in self._photos(record):
            own, mine = dict(found), list(problems)
            if kind:
                left_out |= self._read("kind", kind[0], kind[1], own, mine)
            if self.layout.photos:
                left_file: dict[str, Any] = {}
                self._read("file", file[0], file[1], left_file, mine)
                own |= left_file
            if not own.get("file") and not mine:
                mine.append(Problem(file[0], _("is empty")))
            if mine:
                self.kept_out.append(own.get("file") or file[1])
            rows.append((None, mine) if mine else (self._row(record, own, left_out), notes))
            # Said once of a row, however many photos it names.
            notes = []
        return rows

    def with_defaults(self, row: Row) -> Row:
        """A row of a folder, of which nothing else is known."""
        said = {name: READERS[name](self.defaults[name]) for name in _FOR_ALL if self.defaults.get(name)}
        is_proven = said.get("confirmed_by") == HISTOPATHOLOGY
        return replace(row, is_proven=is_proven, terms=(row.label,), silent=self.silent, **said)

    def _row(self, record: Record, found: dict[str, Any], left_out: bool) -> Row:
        # Where a row names several photos their folders tell them apart.
        named = (
            found["file"][-200:]
            if self.layout.photos
            else PurePosixPath(found["file"].replace("\\", "/")).name
        )
        found["external_id"] = found.get("external_id") or named
        found["age"], found["age_to"] = found.get("age") or (None, None)
        for name in _FOR_ALL:
            if not found.get(name) and self.defaults.get(name):
                is_no_proof = name == "confirmed_by" and found.get("is_proven") is False
                found[name] = "" if is_no_proof else READERS[name](self.defaults[name])
        if found.get("confirmed_by") == HISTOPATHOLOGY:
            found["is_proven"] = True
        elif found.get("is_proven") and not found.get("confirmed_by"):
            found["confirmed_by"] = HISTOPATHOLOGY
        for name in ("is_proven", "is_synthetic"):
            found[name] = bool(found.get(name))
        columns = beside.columns(self.layout, record, found)
        return Row(number=record.number, columns=columns, left_out=left_out, silent=self.silent, **found)

    def _read(
        self, name: str, column: str, text: str, found: dict[str, Any], problems: list[Problem]
    ) -> bool:
        """Read one cell into ``found`` or ``problems``; True when its rows are to be left out."""
        if name == "label":
            # An empty one may have been decided on: the check looks.
            text = text.strip()
            if len(text) > 120:
                problems.append(Problem(column, _("longer than %(most)s characters"), text, {"most": 120}))
            found[name] = text
            return False
        try:
            found[name] = self._value(name, text)
        except _LeaveOut:
            return True
        except CellError as error:
            problems.append(Problem(column, error.message, text, error.params, name))
        return False

    def _value(self, name: str, text: str) -> Any:
        if name == "taken_on":
            return values.day(text, self.order)
        if name not in MAPPABLE:
            return READERS[name](text)
        word = text.strip()
        self._count(name, word)
        key = (name, word)
        if key not in self._known:
            if len(self._known) > MOST_WORDS:
                self._known.clear()
            self._known[key] = self._meaning(name, word)
        known = self._known[key]
        if isinstance(known, Exception):
            raise known
        return known

    def _count(self, name: str, word: str) -> None:
        if len(self.counts[name]) < MOST_WORDS or word in self.counts[name]:
            self.counts[name][word] += 1

    def _meaning(self, name: str, word: str) -> Any:
        said = self.said.get(name, {}).get(word.casefold())
        if said == LEAVE_OUT:
            return _LeaveOut()
        ours = said or self.layout.words.get(name, {}).get(fold(word), word)
        try:
            return READERS[name](ours)
        except CellError as error:
            return error

    def meaning(self, name: str, word: str) -> Any:
        """What a word was read as: a value, or None where nobody knows it or its rows are left out."""
        found = self._meaning(name, word)
        return None if isinstance(found, Exception) else found

    def is_known(self, name: str, word: str) -> bool:
        return not isinstance(self._meaning(name, word), CellError)

    def _flagged(self, name: str, record: Record, notes: list[Problem]) -> str:
        """What the one column that says yes stands for; nothing where several do, which is said."""
        said = {
            column: value
            for column, value in self.layout.flags[name].items()
            if record.cells.get(column, "").strip().casefold() in ("yes", "true", "1", "1.0")
        }
        if len(said) > 1:
            several = _("several say yes; none is taken, all stay beside the photo")
            notes.append(Problem("", several, ", ".join(said)))
        return next(iter(said.values())) if len(said) == 1 else ""

    def _site(
        self, record: Record, found: dict[str, Any], problems: list[Problem], notes: list[Problem]
    ) -> bool:
        """Of the levels of a site the narrowest that is known; narrower words that are not are said."""
        columns = [c for c in self.layout.levels.get("site", ()) if not is_unknown(record.cells.get(c, ""))]
        if not columns:
            return False
        for place in reversed(range(len(columns))):
            column = columns[place]
            known = self._meaning("site", record.cells[column].strip())
            if known and not isinstance(known, CellError):
                wider = _("no body site that is known; the wider one beside it is taken")
                for narrower in columns[place + 1 :]:
                    self._count("site", record.cells[narrower].strip())
                    notes.append(Problem(narrower, wider, record.cells[narrower], meant="site"))
                return self._read("site", column, record.cells[column], found, problems)
        return self._read("site", columns[-1], record.cells[columns[-1]], found, problems)

    def _label(self, record: Record, found: dict[str, Any], problems: list[Problem]) -> None:
        """The word for the disease and, where the source has levels, the wider ones it lies in."""
        if self.layout.one_hot:
            found["label"] = self._hot(record, problems)
        elif self.layout.weighted:
            found["label"] = self._heaviest(record, problems)
        levels = self.layout.levels.get("label", ())
        terms = [found["label"]] if found.get("label") else []
        if levels:
            cells = [
                text for column in levels if (text := record.cells.get(column, "")) and not is_unknown(text)
            ]
            terms = [term.strip() for text in cells for term in text.split(":") if term.strip()]
            terms = list(dict.fromkeys(reversed(terms)))
            found["label"] = terms[0] if terms else ""
        found["terms"] = tuple(terms)

    def _hot(self, record: Record, problems: list[Problem]) -> str:
        """The name of the one column that says 1."""
        numbers: dict[str, float] = {}
        for column in self.layout.one_hot:
            text = record.cells.get(column, "").strip()
            try:
                numbers[column] = float(text) if text else 0.0
            except ValueError:
                problems.append(Problem(column, _("neither 0 nor 1"), text))
        hot = [column for column, number in numbers.items() if number == 1]
        if any(number not in (0, 1) for number in numbers.values()) or len(hot) > 1:
            said = ", ".join(f"{column} {number:g}" for column, number in numbers.items() if number)
            problems.append(Problem("", _("exactly one of the columns of diseases must say 1"), said))
        return hot[0] if len(hot) == 1 else ""

    def _heaviest(self, record: Record, problems: list[Problem]) -> str:
        """The heaviest of {'Eczema': 0.7, 'Psoriasis': 0.3}; none where two weigh the same."""
        text = record.cells.get(self.layout.weighted, "").strip()
        if is_unknown(text):
            return ""
        try:
            weights = ast.literal_eval(text)
            most = max(weights.values(), default=0)
            heaviest = [str(name) for name, weight in weights.items() if weight == most]
        except (ValueError, SyntaxError, AttributeError, TypeError, MemoryError, RecursionError):
            problems.append(Problem(self.layout.weighted, _("not names with weights"), text))
            return ""
        return heaviest[0] if len(heaviest) == 1 else ""

    def _photos(self, record: Record) -> list[tuple[tuple[str, str], tuple[str, str] | None]]:
        """((column, file), (column, word for its kind)) of each photo of a record."""
        if not self.layout.photos:
            return [((str(self.layout.columns["file"]), ""), None)]
        found: list[tuple[tuple[str, str], tuple[str, str] | None]] = []
        for column, kind in self.layout.photos.items():
            if file := record.cells.get(column, "").strip():
                said = kind if kind in facts.KINDS.values() else record.cells.get(kind, "")
                found.append(((column, file), (kind, said)))
        return found or [((next(iter(self.layout.photos)), ""), None)]
