"""Answers typed in from a printed study: a file is checked against the study, and then written, or not at all."""

import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _

from reader_study import asked
from reader_study.models import (
    Answer,
    AnswerChange,
    Reader,
    Reading,
    Study,
    StudyEvent,
    StudyImage,
    StudySession,
)
from reader_study.models.asked import Management, NoDiagnosis, Quality
from reader_study.services import log
from reader_study.services.locking import lock_open
from reader_study.statistics.problem_groups import RowProblem, grouped
from reader_study.statistics.tables import bare_file
from skinclinic.archive.formats import encodings
from skinclinic.archive.formats.problems import Problem, TableRefused
from skinclinic.archive.formats.problems import _ as marked
from skinclinic.archive.formats.tables import Record, Table
from skinclinic.archive.formats.words import diseases
from skinclinic.models import User
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import BY_KEY

COLUMNS = ("number", "image", "answer", "reader", "session", "second", "confidence", "management", "quality")
# The fields of an answer that a file can hold.
_TYPED = ("choice", "second", "confidence", "management", "quality")
KEEP_SCREEN, KEEP_PAPER = "screen", "paper"


@dataclass(frozen=True)
class Typed:
    """One answer of the file; ``line`` is its row."""

    line: int
    reading: int
    image: int
    choice: str
    second: str = ""
    confidence: int | None = None
    management: str = ""
    quality: str = ""


@dataclass
class Difference:
    """What the file would do to one reading. ``changed``: (number of the photo, stored, in the file).

    ``same`` and ``changed`` are of answers that came from paper before. Of those given ``on_screen`` nothing is said,
    not even whether they are the same: a file of what the photos show would tell how many are right.
    """

    reading: Reading
    new: int = 0
    same: int = 0
    changed: list[tuple[int, str, str]] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    on_screen: int = 0


@dataclass
class Check:
    """What a file says, what is wrong with it, and the difference to what is stored. ``unread``: columns that hold
    nothing this import knows."""

    rows: list[Typed]
    wrong: list[RowProblem]
    differences: list[Difference]
    unread: tuple[str, ...] = ()

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Row by row."""
        return [(one.row, one.problem.message % one.problem.params) for one in self.wrong]

    @property
    def wrong_rows(self) -> int:
        return len({one.row for one in self.wrong})

    @property
    def groups(self) -> list[tuple[int, str, str]]:
        """The same, equal problems together: how many rows, the first of them, and what is wrong."""
        return [
            (
                len(set(group.rows)),
                group.rows_named(),
                "; ".join(text.rstrip(".") for _values, text in group.parts())
                + (" …" if group.has_more_values else "."),
            )
            for group in grouped(self.wrong)
        ]

    @property
    def asks_which(self) -> bool:
        """Whether some of the readers have answered on the screen already."""
        return any(one.on_screen for one in self.differences)


class RowRefused(Refused):
    """``message`` has named places, by which rows that are wrong in the same way are known."""

    def __init__(self, field: str, message: str, params: Mapping[str, object] = MappingProxyType({})):
        super().__init__(field, message % params)
        self.problem = Problem(field, message, params=params)


def check(
    study: Study,
    path: Path,
    *,
    reader: Reader | None = None,
    session: StudySession | None = None,
    encoding: str = "",
) -> Check:
    """Read the file and hold it against the study; nothing is written. Raises TableRefused (NotCertain where somebody
    has to say its ``encoding``), Refused.

    ``reader`` and ``session`` are those of rows that name none.
    """
    table, rows, wrong = _read(study, path, reader, session, encoding)
    known = {table.called(name) for name in COLUMNS}
    unread = tuple(name for name in (*table.columns, *table.more_columns) if name and name not in known)
    return Check(rows, wrong, _differences(study, rows), unread)


def _read(
    study: Study, path: Path, reader: Reader | None, session: StudySession | None, encoding: str
) -> tuple[Table, list[Typed], list[RowProblem]]:
    """What the file says, and what is wrong with it."""
    if not study.is_open:
        raise Refused("state", _("Answers are taken only while the study is open."))
    table = Table(path, encodings.where_in_doubt(path, encoding))
    sheet = _Sheet(study, _columns(table), _Readers(study, reader, session))
    rows: list[Typed] = []
    wrong: list[RowProblem] = []
    met: dict[tuple[int, int], int] = {}
    for record in table.records():
        if record.problems:
            wrong += [RowProblem("", record.number, _said(problem)) for problem in record.problems]
            continue
        try:
            typed = sheet.read(record)
            if typed is None:
                continue
            if (earlier := met.setdefault((typed.reading, typed.image), record.number)) != record.number:
                raise RowRefused("", _("This photo stands already in row %(row)d."), {"row": earlier})
            rows.append(typed)
        except RowRefused as refused:
            wrong.append(RowProblem("", record.number, refused.problem))
    if not rows and not wrong:
        wrong.append(RowProblem("", 1, Problem("", _("The table holds no answer."))))
    return table, rows, wrong


def _columns(table: Table) -> dict[str, str]:
    """{ours: the table's column}. Raises TableRefused."""
    if doubled := [name for name in COLUMNS if name not in table.columns and len(table.alike(name)) > 1]:
        raise TableRefused(
            marked("These columns stand there twice: %(names)s. Rename or remove one."),
            names=", ".join(doubled),
        )
    names = {name: column for name in COLUMNS if (column := table.called(name))}
    if "answer" not in names or not {"number", "image"} & set(names):
        table.require("number", "answer")
    return names


def _said(problem: Problem) -> Problem:
    """In the current language, with its column before it."""
    text = _(problem.message)
    if not problem.column:
        return Problem("", text, params=problem.params)
    return Problem(problem.column, f"%(column)s: {text}", params={**problem.params, "column": problem.column})


class _Readers:
    """Finds the reading that a row belongs to."""

    def __init__(self, study: Study, reader: Reader | None, session: StudySession | None):
        self.reader, self.session = reader, session
        self.by_name: dict[str, list[Reader]] = defaultdict(list)
        for row in study.readers.counted():
            for name in {plain(row.code), plain(row.name), plain(row.email)} - {""}:
                self.by_name[name].append(row)
        self.sessions = {plain(row.key): row for row in study.sessions.all()}
        self.sessions |= {str(row.number): row for row in study.sessions.all()}
        self.only_session = study.sessions.first() if study.sessions.count() == 1 else None
        self.readings = {
            (row.reader_id, row.session_id): row.pk for row in Reading.objects.filter(reader__study=study)
        }

    def find(self, reader_text: str, session_text: str) -> int:
        reader, session = self._reader(reader_text), self._session(session_text)
        pk = self.readings.get((reader.pk, session.pk))
        if pk is None:
            raise RowRefused(
                "reader", _("%(reader)s does not read in this session."), {"reader": reader.code}
            )
        return pk

    def _reader(self, text: str) -> Reader:
        if not text:
            if self.reader is None:
                raise RowRefused("reader", _("The row names no reader, and none is chosen for the file."))
            return self.reader
        found = self.by_name.get(plain(text), [])
        if len(found) != 1:
            many = _("More than one reader is called “%(text)s”; write the code.")
            none = _("There is no reader “%(text)s” in this study.")
            raise RowRefused("reader", (many if found else none), {"text": text[:80]})
        return found[0]

    def _session(self, text: str) -> StudySession:
        found = self.sessions.get(plain(text)) if text else self.session or self.only_session
        if found is None:
            if text:
                raise RowRefused("session", _("There is no session “%(text)s”."), {"text": text[:80]})
            raise RowRefused("session", _("The row names no session, and none is chosen for the file."))
        return found


class _Sheet:
    """Reads rows of one study's answers."""

    def __init__(self, study: Study, columns: dict[str, str], readers: _Readers):
        self.study, self.columns, self.readers = study, columns, readers
        images = list(StudyImage.with_repeats.filter(study=study))
        self.orders = dict(Reading.objects.filter(reader__study=study).values_list("pk", "order"))
        self.by_number = {image.number: image for image in images}
        self.by_name = {image.name: image for image in images}
        self.near = {bare_file(name): name for name in self.by_name}
        self.choices = _choices(study)

    def read(self, record: Record) -> Typed | None:
        """The answer of a row; None where the answer is empty. Raises RowRefused."""
        cell = {name: record.cells.get(column, "") for name, column in self.columns.items()}
        image = self._image(cell.get("number", ""), cell.get("image", ""))
        reading = self.readers.find(cell.get("reader", ""), cell.get("session", ""))
        if image.number not in self.orders[reading]:
            raise RowRefused(
                "number", _("Photo %(n)d is not among those this reader reads."), {"n": image.number}
            )
        if not cell["answer"]:
            if any(cell.get(name) for name in ("second", "confidence", "management", "quality")):
                raise RowRefused("answer", _("A second choice or a confidence without an answer."))
            return None
        choice = self._choice(cell["answer"])
        second = self._second(cell.get("second", ""), choice)
        confidence = self._confidence(cell.get("confidence", ""))
        if choice in asked.NO_DIAGNOSIS and (second or confidence is not None):
            raise RowRefused("answer", _("A second choice or a confidence without a diagnosis."))
        return Typed(
            record.number, reading, image.pk, choice, second, confidence,
            self._one_of("management", cell.get("management", ""), self.study.management_choices, Management),
            self._one_of("quality", cell.get("quality", ""), asked.QUALITY * self.study.asks_quality, Quality),
        )  # fmt: skip

    def _image(self, number: str, name: str) -> StudyImage:
        by_number = by_name = None
        if number:
            digits = number.removesuffix(".0")
            is_whole = digits.isascii() and digits.isdigit() and len(digits) < 7
            by_number = self.by_number.get(int(digits)) if is_whole else None
            if by_number is None:
                raise RowRefused("number", _("The study has no photo “%(text)s”."), {"text": number[:80]})
        if name:
            by_name = self.by_name.get(name)
            if by_name is None and (near := self.near.get(bare_file(name))):
                said = _("The study has no photo “%(text)s”; did you mean “%(near)s”?")
                raise RowRefused("image", said, {"text": name[:80], "near": near})
            if by_name is None:
                raise RowRefused("image", _("The study has no photo “%(text)s”."), {"text": name[:80]})
        found = by_number or by_name
        if found is None:
            raise RowRefused("number", _("The row names no photo."))
        if by_number and by_name and by_number != by_name:
            raise RowRefused("number", _("Number and image name two different photos."))
        if found.is_practice:
            raise RowRefused(
                "number", _("Photo %(n)d is for practice and does not count."), {"n": found.number}
            )
        return found

    def _choice(self, text: str) -> str:
        found = self.choices.get(plain(text))
        known = diseases.known(text)
        if found is None and known and known[0] in self.study.choices:
            return known[0]
        if found is None:
            no_choice = _("“%(text)s” is not one of this study's choices.")
            unknown = _("“%(text)s” is no diagnosis: write its key, its name or the number of the choice.")
            raise RowRefused("answer", (no_choice if known else unknown), {"text": text[:80]})
        return found

    def _second(self, text: str, choice: str) -> str:
        if not text:
            return ""
        if not self.study.asks_second:
            raise RowRefused("second", _("This study asks for no second choice."))
        second = self._choice(text)
        if second in asked.NO_DIAGNOSIS:
            raise RowRefused("second", _("“%(text)s” is no diagnosis."), {"text": text[:80]})
        if second == choice:
            raise RowRefused("second", _("The second choice is the same as the first."))
        return second

    def _one_of(self, name: str, text: str, keys: Sequence[str], words: type[TextChoices]) -> str:
        """An answer to a question with a few short answers: its key, or its name in the current language."""
        if not text:
            return ""
        if not keys:
            raise RowRefused(name, _("This study does not ask for “%(column)s”."), {"column": name})
        known = {plain(str(said)): one.value for one in words for said in (one.value, one.label)}
        found = known.get(plain(text), plain(text))
        if found not in keys:
            params = {"text": text[:80], "keys": ", ".join(keys)}
            raise RowRefused(name, _("“%(text)s” is none of %(keys)s."), params)
        return found

    def _confidence(self, text: str) -> int | None:
        if not text:
            return None
        if not self.study.asks_confidence:
            raise RowRefused("confidence", _("This study asks for no confidence."))
        digits = text.removesuffix("%").strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 4 and int(digits) <= 100):
            raise RowRefused(
                "confidence", _("“%(text)s” is no whole number from 0 to 100."), {"text": text[:80]}
            )
        return int(digits)


def _choices(study: Study) -> dict[str, str]:
    """How each choice may be written: its key, its names, its number on paper."""
    found = {}
    for number, key in enumerate(study.choices, 1):
        disease = BY_KEY[key]
        short = disease.name_en.split(" (")[0]
        for name in (key, short, *disease.names.values(), str(number)):
            found[plain(name)] = key
    if study.offers_cannot_judge:
        for name in (asked.CANNOT_JUDGE, str(NoDiagnosis.CANNOT_JUDGE.label), str(len(study.choices) + 1)):
            found[plain(name)] = asked.CANNOT_JUDGE
    return found


def plain(text: str) -> str:
    """Spelling that people do not tell apart: composed, small letters, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _differences(study: Study, rows: list[Typed]) -> list[Difference]:
    by_reading: dict[int, dict[int, Typed]] = defaultdict(dict)
    for row in rows:
        by_reading[row.reading][row.image] = row
    rows_of_photos = StudyImage.with_repeats.filter(study=study, is_practice=False)
    photos = dict(rows_of_photos.values_list("pk", "number"))
    readings = Reading.objects.filter(pk__in=by_reading).select_related("reader", "session").order_by("pk")
    stored: dict[int, dict[int, Answer]] = defaultdict(dict)
    for answer in Answer.objects.filter(reading__in=readings).exclude(choice=""):
        stored[answer.reading_id][answer.image_id] = answer
    found = []
    for reading in readings:
        typed, known = by_reading[reading.pk], stored[reading.pk]
        one = Difference(reading, on_screen=sum(not answer.is_from_paper for answer in known.values()))
        assigned = set(reading.order)
        numbers = {image: number for image, number in photos.items() if number in assigned}
        for image, number in sorted(numbers.items(), key=lambda pair: pair[1]):
            if image not in typed:
                if image not in known:
                    one.missing.append(number)
            elif image not in known:
                one.new += 1
            elif not known[image].is_from_paper:
                continue
            elif _is_same(known[image], typed[image]):
                one.same += 1
            else:
                one.changed.append((number, known[image].choice, typed[image].choice))
        found.append(one)
    return found


def _is_same(answer: Answer, typed: Typed) -> bool:
    return all(getattr(answer, name) == getattr(typed, name) for name in _TYPED)


def write(
    study: Study,
    path: Path,
    user: User,
    *,
    reader: Reader | None = None,
    session: StudySession | None = None,
    keep: str = "",
    encoding: str = "",
) -> int:
    """Store the file's answers, all or none; return how many were new or different. Raises TableRefused, Refused.

    ``keep``: where a reader has answered on the screen as well, whether those answers stay (KEEP_SCREEN: the file
    only adds what is missing) or the file's take their place (KEEP_PAPER).
    """
    _table, rows, wrong = _read(study, path, reader, session, encoding)
    if wrong:
        raise Refused("file", _("The file has errors; nothing was written."))
    return _write(study, rows, user, keep)


@transaction.atomic
def _write(study: Study, rows: list[Typed], user: User, keep: str) -> int:
    study = lock_open(study)
    # Nobody answers on the screen meanwhile.
    list(
        Reading.objects.select_for_update(of=("self",), no_key=True)
        .filter(reader__study=study)
        .order_by("pk")
    )
    found = Check(rows, [], _differences(study, rows))
    if found.asks_which and keep not in (KEEP_SCREEN, KEEP_PAPER):
        raise Refused("keep", _("Choose which answers to keep: those from the screen, or those of the file."))
    now, written = timezone.now(), 0
    for one in found.differences:
        rows = [row for row in found.rows if row.reading == one.reading.pk]
        written += _write_reading(one.reading, rows, keep, now)
    log.note(
        study, StudyEvent.Kind.ANSWERS_IMPORTED, by=user, rows=len(found.rows), written=written, keep=keep,
        readers=sorted({one.reading.reader.code for one in found.differences}),
    )  # fmt: skip
    return written


def _write_reading(reading: Reading, rows: list[Typed], keep: str, now) -> int:
    known = {answer.image_id: answer for answer in reading.answers.all()}
    changes = []
    for row in rows:
        answer = known.get(row.image)
        if answer is not None and answer.choice:
            # One from the screen makes way even if it is the same: what was written must not tell which were.
            stays = _is_same(answer, row) if answer.is_from_paper else keep == KEEP_SCREEN
            if stays:
                continue
        if answer is None:
            answer = Answer(reading=reading, image_id=row.image, number=0, answered_at=now)
            known[row.image] = answer
        for name in _TYPED:
            setattr(answer, name, getattr(row, name))
        # What only a screen can tell, or a reader on one, is not of this answer.
        answer.seconds, answer.is_from_paper, answer.timing, answer.saw_model = None, True, "", None
        answer.knows_patient, answer.comment, answer.device, answer.viewport = False, "", "", ""
        answer.number, answer.changed_at = answer.number + 1, now
        answer.save()
        changes.append(
            AnswerChange(
                reading=reading, image_id=row.image, key=uuid.uuid4(), number=answer.number, is_from_paper=True,
                **{name: getattr(row, name) for name in _TYPED},
            )
        )  # fmt: skip
    AnswerChange.objects.bulk_create(changes)
    reading.started_at = reading.started_at or now
    photos = StudyImage.with_repeats.filter(study=reading.session.study_id, number__in=reading.order)
    counted = set(photos.values_list("pk", flat=True))
    if reading.finished_at is None and counted <= {pk for pk, answer in known.items() if answer.choice}:
        reading.finished_at = now
    reading.save(update_fields=["started_at", "finished_at"])
    return len(changes)
