"""The files of a replay before it is made: what they would become, what is wrong with them, and what is to be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reader_study.models import Reader, ReaderGroup, StudyImage, StudySession
from reader_study.services.results import replay_drafts
from reader_study.services.results.study_tables import (
    ANSWERS,
    FILES,
    IMAGES,
    SCORES,
    WHOLE_IMAGES,
    WHOLE_SCORES,
)
from reader_study.statistics.problem_groups import Group, RowProblem, grouped
from reader_study.statistics.reading import LABEL, FileRefused, TablesRefused
from reader_study.statistics.tables import StudyTables, read_tables
from skinclinic.archive.formats import encodings
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.models.columns import field_of
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

NEEDED = (IMAGES, ANSWERS)
MOST_SHOWN = 200
MOST_ROWS = 12
# Two fields of a form each.
MOST_WORDS = 200
_LENGTHS = (
    (StudySession, "key", "session"), (Reader, "code", "reader"), (ReaderGroup, "key", "group"),
    (StudyImage, "name", "image"), (StudyImage, "dataset", "dataset"),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A kind of problem: where it is (``rows`` "": the file as a whole), in how many rows, and what is wrong."""

    file: str
    rows: str
    column: str
    value: str
    text: str
    count: int = 1


class FilesRefused(Refused):
    """The files cannot be used; ``lines`` say why, ``more`` how many further kinds of problems there are."""

    def __init__(self, lines: Sequence[Line]):
        super().__init__("", lines[0].text if lines else "")
        self.lines, self.more = list(lines[:MOST_SHOWN]), max(0, len(lines) - MOST_SHOWN)


@dataclass
class Word:
    """A word for a disease that nobody has explained: in which files, how often, in which rows first. ``is_column``:
    a column of scores is called so."""

    word: str
    files: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    is_column: bool = False

    @property
    def count(self) -> int:
        return len(self.rows)


class FilesInDoubt(Exception):
    """Nothing is wrong with the files but what a person can say: ``words``, and ``samples``, {file: {encoding: some
    cells}}, of files whose letters can be read in several ways."""

    def __init__(self, words: Sequence[Word] = (), samples: dict[str, dict[str, list[str]]] | None = None):
        super().__init__()
        self.words, self.samples = words, samples or {}


def check(folder: Path) -> StudyTables:
    """Read the files of a folder, each under its name in FILES, as was said of them. Raises FilesRefused,
    FilesInDoubt, OSError."""
    there = {name: folder / name for name in FILES if (folder / name).is_file()}
    lines = [whole(name, _("This file is needed.")) for name in NEEDED if name not in there]
    if (WHOLE_IMAGES in there) != (WHOLE_SCORES in there):
        lines.append(whole(WHOLE_IMAGES, _("Photos and scores of the whole test set go together.")))
    if WHOLE_IMAGES in there and SCORES not in there:
        lines.append(
            whole(SCORES, _("Without scores of the sample those of the whole test set say nothing."))
        )
    if lines:
        raise FilesRefused(lines)
    said = replay_drafts.said(folder)
    if samples := _samples(there, said):
        raise FilesInDoubt(samples=samples)
    try:
        tables = read_tables(
            there[IMAGES], there.get(SCORES), there[ANSWERS], there.get(WHOLE_IMAGES), there.get(WHOLE_SCORES),
            labels=said.labels, encodings=said.encodings,
        )  # fmt: skip
    except TablesRefused as refused:
        if all(one.problem.meant == LABEL for one in refused.problems):
            raise FilesInDoubt(_words(refused.problems)) from None
        raise FilesRefused([_line(group) for group in grouped(refused.problems)]) from None
    except FileRefused as refused:
        raise FilesRefused([whole(refused.file, _(refused.message) % refused.params)]) from None
    if not tables.answers:
        lines.append(whole(ANSWERS, _("There is no answer in it.")))
    lines += _too_long(tables) + _odd_confidence(tables)
    if lines:
        raise FilesRefused(lines)
    return tables


def what_was_said(folder: Path) -> FilesInDoubt:
    """The same questions again, for what a person has said. Raises FilesRefused, OSError."""
    said = replay_drafts.said(folder)
    there = {name: folder / name for name in said.encodings if (folder / name).is_file()}
    words = [Word(word) for word in list(said.labels)[:MOST_WORDS]]
    return FilesInDoubt(words, _samples(there, replay_drafts.Said()))


def whole(file: str, text: str) -> Line:
    """A problem of a file as a whole."""
    return Line(file, "", "", "", text)


def _samples(there: dict[str, Path], said: replay_drafts.Said) -> dict[str, dict[str, list[str]]]:
    """Of each file that does not tell how it is read, and of which nobody has said it."""
    found = {}
    for name, path in there.items():
        try:
            encodings.of(path, encodings.where_in_doubt(path, said.encodings.get(name, "")))
        except encodings.NotCertain as refused:
            found[name] = refused.samples
        except TableRefused as refused:
            raise FilesRefused([whole(name, _(refused.message) % refused.params)]) from None
    return found


def _words(problems: Sequence[RowProblem]) -> list[Word]:
    found: dict[str, Word] = {}
    for one in problems:
        word = found.setdefault(one.problem.value, Word(one.problem.value))
        word.rows.append(one.row)
        if one.file not in word.files:
            word.files.append(one.file)
        word.is_column |= not one.problem.column
    return list(found.values())[:MOST_WORDS]


def _line(group: Group) -> Line:
    parts = group.parts(_)
    more = " …" if group.has_more_values else ""
    if len(parts) == 1:
        values, text = parts[0]
        value = ", ".join(values) + more
    else:
        value = ""
        text = "; ".join(
            f"{', '.join(f'“{one}”' for one in values)}: {said}" if values else said for values, said in parts
        )
        text += more
    return Line(group.file, group.rows_named(MOST_ROWS), group.column, value, text, group.count)


def _too_long(tables: StudyTables) -> list[Line]:
    values = {
        "session": {answer.session for answer in tables.answers},
        "reader": {answer.reader for answer in tables.answers},
        "group": {answer.group for answer in tables.answers},
        "image": {image.name for image in tables.images},
        "dataset": {image.dataset for image in tables.images},
    }
    return [
        Line(
            IMAGES if column in ("image", "dataset") else ANSWERS, "", column, value[:80],
            _("longer than %(most)s characters") % {"most": most},
        )
        for model, name, column in _LENGTHS
        for most in (field_of(model, name).max_length or 0,)
        for value in sorted(values[column])
        if len(value) > most
    ]  # fmt: skip


def _odd_confidence(tables: StudyTables) -> list[Line]:
    """All of them in one line, with the first."""
    odd = [one for one in tables.answers if one.confidence is not None and one.confidence % 1]
    if not odd:
        return []
    values = list(dict.fromkeys(f"{one.confidence:g}" for one in odd))
    text = _("%(reader)s, %(image)s: give whole numbers from 0 to 100") % {
        "reader": odd[0].reader, "image": odd[0].image,
    }  # fmt: skip
    more = " …" if len(values) > 3 else ""
    return [Line(ANSWERS, "", "confidence", ", ".join(values[:3]) + more, text, len(odd))]
