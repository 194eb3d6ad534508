"""Diagnoses beside the 12, from ``diagnoses.txt``: read once, and pure. Their English name is their key.

Names in further languages lie with the other translations, in ``locale/*/diagnoses.txt``: English name, or key of one
of the 12 | name (of the 12 it lies in ``diseases.json``) | other names, parted by ";".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.vocabulary.matching import Findable, findable, plain

_FILE = Path(__file__).with_name("diagnoses.txt")
_LOCALE = Path(__file__).resolve().parents[2] / "locale"
_OTHERS = "also "


@dataclass(frozen=True)
class Listed:
    """One diagnosis: its names by language, English first; other names; codes ('' where none is sure).

    ``form_of``: which of the 12 it is a form of, or may be counted as.
    """

    names: dict[str, str]
    also: tuple[str, ...]
    icd10: str
    icd11: str
    form_of: str
    part: str

    @property
    def key(self) -> str:
        return self.names["en"]

    def name(self, language: str) -> str:
        """Its name in ``language`` (a BCP 47 tag), English where the list has none."""
        code = language.lower()
        return self.names.get(code) or self.names.get(code.split("-")[0]) or self.key

    @property
    def all_names(self) -> tuple[str, ...]:
        return (*self.names.values(), *self.also)


def _rows() -> Iterator[tuple[str, dict[str, str]]]:
    """(part of the file, {column: text}) of each line."""
    columns: list[str] = []
    part = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            part = line.removeprefix("## ")
        elif line and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("|")]
            if not columns:
                columns = cells
                continue
            cells += [""] * (len(columns) - len(cells))
            yield part, dict(zip(columns, cells, strict=True))


def translated() -> dict[str, dict[str, tuple[str, str]]]:
    """{language: {English name or key of one of the 12: (name, other names)}} of the files in ``locale``."""
    return {
        path.parent.name.lower().replace("_", "-"): _translations(path)
        for path in sorted(_LOCALE.glob("*/diagnoses.txt"))
    }


def _translations(path: Path) -> dict[str, tuple[str, str]]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, name, also = ([cell.strip() for cell in line.split("|")] + ["", ""])[:3]
            found[key] = (name, also)
    return found


def _entry(part: str, row: dict[str, str], elsewhere: dict[str, dict[str, tuple[str, str]]]) -> Listed:
    languages = [column.removeprefix(_OTHERS) for column in row if column.startswith(_OTHERS)]
    names = {language: row[language] for language in languages if row[language]}
    also = [name.strip() for language in languages for name in row[_OTHERS + language].split(";")]
    for language, said in elsewhere.items():
        name, others = said.get(row["en"], ("", ""))
        if name:
            names[language] = name
        also += [other.strip() for other in others.split(";")]
    return Listed(
        names, tuple(name for name in also if name), row["icd10"], row["icd11"], row["form of"], part
    )


@cache
def entries() -> tuple[Listed, ...]:
    """All of the file. It is read when it is first asked for: most processes never ask."""
    elsewhere = translated()
    return tuple(_entry(part, row, elsewhere) for part, row in _rows())


@cache
def every() -> tuple[Listed, ...]:
    """The diagnoses beside the 12."""
    return tuple(entry for entry in entries() if entry.key not in BY_KEY)


@cache
def by_name() -> dict[str, Listed]:
    return {entry.key: entry for entry in every()}


@cache
def of_the_12() -> dict[str, Listed]:
    """What else the 12 are called, and their ICD-11, by their keys."""
    return {entry.key: entry for entry in entries() if entry.key in BY_KEY}


@cache
def _findables(left_out: frozenset[str] = frozenset()) -> dict[str, Findable]:
    """``left_out``: languages whose translated names do not count."""
    elsewhere = {language: said for language, said in translated().items() if language not in left_out}
    by_key = {entry.key: entry for entry in (_entry(part, row, elsewhere) for part, row in _rows())}
    found = {}
    for key, entry in by_key.items():
        names: tuple[str, ...] = tuple(entry.names.values())
        codes: tuple[str, ...] = (entry.icd10, entry.icd11)
        if disease := BY_KEY.get(key):
            names = (key, *(name for language, name in disease.names.items() if language not in left_out))
            codes = (disease.icd10, disease.icd10_cm, entry.icd11)
        found[key] = findable(names, entry.also, codes)
    return found


@cache
def _by_own_name() -> dict[str, Listed]:
    return {said: entry for entry in every() for said in findable_of(entry.key).own}


def findable_of(key: str, left_out: frozenset[str] = frozenset()) -> Findable:
    """What one of the 12 or of the list is found by; names of the languages ``left_out`` do not count."""
    return _findables(left_out)[key]


def called(text: str) -> Listed | None:
    """The diagnosis that has exactly this standard name, in any language or spelling.

    Another name is only found: it may be a narrower one, so that a person has to choose.
    """
    return _by_own_name().get(plain(text))


def recorded(code: str, text: str) -> Listed | None:
    """The diagnosis of the list that a stored diagnosis begins with: its name in words, and its code beside it."""
    entry = by_name().get(text.partition("; ")[0])
    return entry if entry and entry.icd10 == code else None


def in_words(code: str, text: str, language: str) -> str:
    """What a stored diagnosis says: a name of the list in ``language``, all else as it was written."""
    entry = recorded(code, text)
    return entry.name(language) + text.removeprefix(entry.key) if entry else text
