"""Answers typed in from a printed study: a file is checked against the study, and then written, or not at all."""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

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
from reader_study.services import log
from reader_study.services.locking import lock_open
from reader_study.services.reading.answer_rows import COLUMNS, Readers, RowRefused, Sheet, Typed
from reader_study.statistics.problem_groups import Group, RowProblem, grouped
from skinclinic.archive.formats import encodings
from skinclinic.archive.formats.problems import Problem, TableRefused
from skinclinic.archive.formats.problems import _ as marked
from skinclinic.archive.formats.tables import Table
from skinclinic.models import User
from skinclinic.services.refused import Refused

# The fields of an answer that a file can hold.
_TYPED = ("choice", "second", "confidence", "management", "quality")
KEEP_SCREEN, KEEP_PAPER = "screen", "paper"


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
        return [(len(set(one.rows)), one.rows_named(), _together(one)) for one in grouped(self.wrong)]

    @property
    def asks_which(self) -> bool:
        """Whether some of the readers have answered on the screen already."""
        return any(one.on_screen for one in self.differences)


def _together(group: Group) -> str:
    """What is wrong with its first values."""
    texts = [text for _values, text in group.parts()]
    if len(texts) == 1:
        return texts[0]
    return "; ".join(text.removesuffix(".") for text in texts) + (" …" if group.has_more_values else ".")


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
    sheet = Sheet(study, _columns(table), Readers(study, reader, session))
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
        answer.first_choice, answer.first_seconds = "", None
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
