"""A study from files: images, the model's scores and the answers of another place become a closed study here.

Everything is checked first; bad files change nothing.
"""

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.models import ModelVersion
from reader_study import asked
from reader_study.models import (
    Answer,
    Reader,
    ReaderGroup,
    Reading,
    Study,
    StudyEvent,
    StudyImage,
    StudySession,
)
from reader_study.services import log
from reader_study.services.making import protocol
from reader_study.services.results import results, study_tables
from reader_study.services.results.study_tables import (
    ANSWERS,
    FILES,
    IMAGES,
    SCORES,
    WHOLE_IMAGES,
    WHOLE_SCORES,
)
from reader_study.statistics import endpoints
from reader_study.statistics.reading import FileRefused, TablesRefused
from reader_study.statistics.tables import StudyTables, read_tables
from skinclinic.models import Clinic, Photo, User
from skinclinic.models.columns import field_of
from skinclinic.services.people import lock
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS

NEEDED = (IMAGES, ANSWERS)
MOST_SHOWN = 200
_KEPT_SECONDS = 86_400
_BATCH = 2000
_LENGTHS = (
    (StudySession, "key", "session"), (Reader, "code", "reader"), (ReaderGroup, "key", "group"),
    (StudyImage, "name", "image"), (StudyImage, "dataset", "dataset"),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A problem: where it is (``row`` 0: the file as a whole) and what is wrong."""

    file: str
    row: int
    column: str
    value: str
    text: str


class FilesRefused(Refused):
    """The files cannot be used; ``lines`` say why, ``more`` how many further problems there are."""

    def __init__(self, lines: Sequence[Line]):
        super().__init__("", lines[0].text if lines else "")
        self.lines, self.more = list(lines[:MOST_SHOWN]), max(0, len(lines) - MOST_SHOWN)


@dataclass(frozen=True)
class Wishes:
    """What the files do not tell. ``photos``: those of the images that are here, by the images' names."""

    name: str
    description: str = ""
    margin: float | None = None
    endpoints: Sequence[str] = ()
    premalignant_as: str = Study.PremalignantAs.BENIGN
    is_synthetic: bool = False
    group_names: Mapping[str, str] = field(default_factory=dict)
    model_version: ModelVersion | None = None
    photos: Mapping[str, Photo] = field(default_factory=dict)


# Files that wait for a decision


def draft_folder(user: User, token: str) -> Path:
    """Where the files of a check wait until the study is made."""
    return settings.SKINCLINIC_HOME / "studies" / ".replays" / str(user.pk) / token


def drop_old_drafts() -> None:
    """Forget files that nobody decided on for a day."""
    for folder in (settings.SKINCLINIC_HOME / "studies" / ".replays").glob("*/*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


# Checking


def check(folder: Path) -> StudyTables:
    """Read the files of a folder, each under its name in FILES. Raises FilesRefused, OSError."""
    there = {name: folder / name for name in FILES if (folder / name).is_file()}
    lines = [_whole(name, _("This file is needed.")) for name in NEEDED if name not in there]
    if (WHOLE_IMAGES in there) != (WHOLE_SCORES in there):
        lines.append(_whole(WHOLE_IMAGES, _("Photos and scores of the whole test set go together.")))
    if WHOLE_IMAGES in there and SCORES not in there:
        lines.append(
            _whole(SCORES, _("Without scores of the sample those of the whole test set say nothing."))
        )
    if lines:
        raise FilesRefused(lines)
    try:
        tables = read_tables(
            there[IMAGES], there.get(SCORES), there[ANSWERS], there.get(WHOLE_IMAGES), there.get(WHOLE_SCORES)
        )
    except TablesRefused as refused:
        raise FilesRefused([_line(problem) for problem in refused.problems]) from None
    except FileRefused as refused:
        raise FilesRefused([_whole(refused.file, _(refused.message) % refused.params)]) from None
    if not tables.answers:
        lines.append(_whole(ANSWERS, _("There is no answer in it.")))
    lines += _too_long(tables) + _odd_confidence(tables)
    if lines:
        raise FilesRefused(lines)
    return tables


def _whole(file: str, text: str) -> Line:
    return Line(file, 0, "", "", text)


def _line(found) -> Line:
    problem = found.problem
    return Line(
        found.file, found.row, problem.column, problem.value[:80], _(problem.message) % problem.params
    )


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
            IMAGES if column in ("image", "dataset") else ANSWERS, 0, column, value[:80],
            _("longer than %(most)s characters") % {"most": most},
        )
        for model, name, column in _LENGTHS
        for most in (field_of(model, name).max_length or 0,)
        for value in sorted(values[column])
        if len(value) > most
    ]  # fmt: skip


def _odd_confidence(tables: StudyTables) -> list[Line]:
    return [
        Line(
            ANSWERS, 0, "confidence", f"{answer.confidence:g}",
            _("%(reader)s, %(image)s: give whole numbers from 0 to 100") % {
                "reader": answer.reader, "image": answer.image,
            },
        )
        for answer in tables.answers
        if answer.confidence is not None and answer.confidence != int(answer.confidence)
    ]  # fmt: skip


def aided_sessions(tables: StudyTables) -> set[str]:
    """Sessions in which the model was shown: those called "aided", and those with first answers."""
    return {answer.session for answer in tables.answers if answer.session == "aided" or answer.first_answer}


# Making


def name_is_taken(clinic: Clinic, name: str) -> bool:
    return Study.objects.filter(clinic=clinic, name=name).exists()


def create(clinic: Clinic, user: User | None, tables: StudyTables, wishes: Wishes) -> Study:
    """Make the closed study and ask for its results. Raises FilesRefused when the name is taken."""
    hashes = _hashes(tables)
    with study_tables.whole_written(tables.whole) as whole:
        return _create(clinic, user, tables, wishes, hashes, whole)


@transaction.atomic
def _create(
    clinic: Clinic, user: User | None, tables: StudyTables, wishes: Wishes, hashes: dict[str, str],
    whole: Path | None,
) -> Study:  # fmt: skip
    lock(clinic)
    if name_is_taken(clinic, wishes.name):
        raise FilesRefused([_whole("", _("This clinic already has a study with this name."))])
    now = timezone.now()
    study = Study.objects.create(
        clinic=clinic, name=wishes.name, description=wishes.description, origin=Study.Origin.REPLAY,
        state=Study.State.CLOSED, is_synthetic=wishes.is_synthetic, choices=list(tables.choices),
        model_version=wishes.model_version, premalignant_as=wishes.premalignant_as, margin=wishes.margin,
        endpoints=list(endpoints.chosen(wishes.endpoints)), created_by=user, closed_at=now,
        closed_by=user,
    )  # fmt: skip
    images = _make_images(study, tables, wishes.photos)
    _make_answers(study, tables, wishes.group_names, images, now)
    if whole:
        study_tables.keep_whole(study, whole)
    protocol.fix(study)
    study.save(update_fields=["protocol", "protocol_sha256"])
    log.note(study, StudyEvent.Kind.CLOSED, by=user, files=hashes)
    results.request(study)
    return study


def _hashes(tables: StudyTables) -> dict[str, str]:
    """Of what was read from each file, so that the same files can be recognised."""
    files = study_tables.to_csv(tables).items()
    return {name: hashlib.sha256(content).hexdigest() for name, content in files}


def _make_images(study: Study, tables: StudyTables, photos: Mapping[str, Photo]) -> dict[str, StudyImage]:
    rows = []
    for number, image in enumerate(tables.images, start=1):
        scores = None
        if tables.scores is not None:
            scores = dict(zip(DISEASE_KEYS, map(float, tables.scores[number - 1]), strict=True))
        photo = photos.get(image.name)
        rows.append(
            StudyImage(
                study=study, number=number, name=image.name, dataset=image.dataset, truth=image.truth, sex=image.sex,
                age=image.age, skin_type=image.skin_type, scores=scores, photo=photo, patient=image.patient,
            )
        )  # fmt: skip
    return {row.name: row for row in StudyImage.objects.bulk_create(rows, batch_size=_BATCH)}


def _make_answers(
    study: Study, tables: StudyTables, names: Mapping[str, str], images: Mapping[str, StudyImage], now
) -> None:
    aided = aided_sessions(tables)
    sessions = {
        key: StudySession.objects.create(study=study, number=number, key=key, is_aided=key in aided)
        for number, key in enumerate(dict.fromkeys(answer.session for answer in tables.answers), start=1)
    }
    keys = [key for key in dict.fromkeys(answer.group for answer in tables.answers) if key]
    groups = {
        key: ReaderGroup.objects.create(study=study, key=key, name=(names.get(key) or key)[:60], place=place)
        for place, key in enumerate(keys)
    }
    of_reader = {answer.reader: answer.group for answer in tables.answers}
    readers = {
        code: Reader.objects.create(study=study, code=code, group=groups.get(group))
        for code, group in of_reader.items()
    }
    # What was a reader's to read; of the rest nothing was shown.
    orders: dict[tuple[str, str], list[int]] = {}
    for answer in tables.answers:
        orders.setdefault((answer.reader, answer.session), []).append(images[answer.image].number)
    readings = {
        (reader, session): Reading.objects.create(
            reader=readers[reader], session=sessions[session], order=order
        )
        for (reader, session), order in orders.items()
    }
    Answer.objects.bulk_create(
        (
            Answer(
                reading=readings[answer.reader, answer.session], image=images[answer.image],
                choice=answer.answer or (answer.kind if answer.kind in asked.NO_DIAGNOSIS else ""),
                second=answer.second, seconds=answer.seconds, first_choice=answer.first_answer,
                confidence=None if answer.confidence is None else int(answer.confidence),
                knows_patient=not answer.counts, management=answer.management, quality=answer.quality,
                comment=answer.comment, answered_at=now, changed_at=now,
            )
            for answer in tables.answers
            if answer.answer or answer.reached
        ),
        batch_size=_BATCH,
    )  # fmt: skip
