"""A study from files: images, the model's scores and the answers of another place become a closed study here.

Everything is checked first; bad files change nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
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
from reader_study.services.results.replay_check import FilesRefused, whole
from reader_study.services.results.replay_drafts import Said
from reader_study.statistics import endpoints
from reader_study.statistics.tables import StudyTables
from skinclinic.engine import clock
from skinclinic.models import Clinic, Photo, User
from skinclinic.services.people import lock
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_BATCH = 2000


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
    said: Said = field(default_factory=Said)


def aided_sessions(tables: StudyTables) -> set[str]:
    """Sessions in which the model was shown: those called "aided", and those with first answers."""
    return {answer.session for answer in tables.answers if answer.session == "aided" or answer.first_answer}


# Making


def name_is_taken(clinic: Clinic, name: str) -> bool:
    return Study.objects.filter(clinic=clinic, name=name).exists()


def create(clinic: Clinic, user: User | None, tables: StudyTables, wishes: Wishes) -> Study:
    """Make the closed study and ask for its results. Raises FilesRefused when the name is taken."""
    hashes = _hashes(tables)
    with study_tables.whole_written(tables.whole) as draft:
        return _create(clinic, user, tables, wishes, hashes, draft)


@transaction.atomic
def _create(
    clinic: Clinic, user: User | None, tables: StudyTables, wishes: Wishes, hashes: dict[str, str],
    draft: Path | None,
) -> Study:  # fmt: skip
    lock(clinic)
    if name_is_taken(clinic, wishes.name):
        raise FilesRefused([whole("", _("This clinic already has a study with this name."))])
    now = clock.now()
    study = Study.objects.create(
        clinic=clinic, name=wishes.name, description=wishes.description, origin=Study.Origin.REPLAY,
        state=Study.State.CLOSED, is_synthetic=wishes.is_synthetic, choices=list(tables.choices),
        model_version=wishes.model_version, premalignant_as=wishes.premalignant_as, margin=wishes.margin,
        endpoints=list(endpoints.chosen(wishes.endpoints)), created_by=user, closed_at=now,
        closed_by=user, read_as=_read_as(tables, wishes.said),
    )  # fmt: skip
    images = _make_images(study, tables, wishes.photos)
    _make_answers(study, tables, wishes.group_names, images, now)
    if draft:
        study_tables.keep_whole(study, draft)
    protocol.fix(study)
    study.save(update_fields=["protocol", "protocol_sha256"])
    log.note(study, StudyEvent.Kind.CLOSED, by=user, files=hashes)
    results.request(study)
    return study


def _read_as(tables: StudyTables, said: Said) -> dict:
    """What was said of the files and what was made of them; nothing where they are read to the letter."""
    found = {
        "labels": dict(said.labels), "encodings": dict(said.encodings),
        "notes": [note.to_json() for note in tables.notes],
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


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
                age=image.age, age_to=image.age_to, skin_type=image.skin_type, scores=scores, photo=photo,
                patient=image.patient,
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
