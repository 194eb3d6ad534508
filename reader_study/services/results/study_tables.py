"""A study's rows as the tables that all statistics take, and the same tables as CSV files."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from django.conf import settings

from classifier.services.analysis import batch_analyses
from classifier.services.evaluation import evaluations
from reader_study import asked
from reader_study.models import Answer as AnswerRow
from reader_study.models import Reader, Reading, Study, StudyImage
from reader_study.statistics.read_as import Note
from reader_study.statistics.tables import Answer, Image, StudyTables, WholeSet
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.datasets import against
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.csv_table import table_csv

IMAGES, SCORES, ANSWERS = "images.csv", "scores.csv", "answers.csv"
WHOLE_IMAGES, WHOLE_SCORES = "whole-images.csv", "whole-scores.csv"
FILES = (IMAGES, SCORES, ANSWERS, WHOLE_IMAGES, WHOLE_SCORES)
# Where a replay keeps the whole test set, which has no rows here.
REPLAYED = "whole.npz"
LEAST_ANALYSED = 0.95


def of_study(study: Study) -> StudyTables:
    """The photos that count, the model's scores of them, and the answers in force of the readers who count.

    Without scores of every photo there is no model: ``lacking_scores`` says which are missing.
    """
    rows = list(study.images.counted().select_related("dataset_item").order_by("number"))
    patients = _patients(study, rows)
    images = tuple(
        Image(row.name, row.dataset, row.truth, row.sex, first, row.skin_type, patients[row.pk], last)
        for row in rows
        for first, last in [row.age_range]
    )
    scores = None
    if rows and all(row.scores for row in rows):
        scores = np.array([[(row.scores or {})[key] for key in DISEASE_KEYS] for row in rows], np.float64)
    whole = whole_set(study) if scores is not None else None
    return StudyTables(
        images, scores, tuple(_answers(study)), _choices(study), whole, notes=_notes(study),
        by_design=_by_design(study),
    )  # fmt: skip


def _notes(study: Study) -> tuple[Note, ...]:
    """What was made of the files of a replay."""
    return tuple(map(Note.from_json, study.read_as.get("notes", ())))


def _by_design(study: Study) -> bool:
    """Whether readers were drawn to parts of it."""
    return study.allocations.exists()


def _patients(study: Study, rows: list[StudyImage]) -> dict[int, str]:
    """Who is the same person, by image: as a replay's files say, else numbered, for codes are the clinic's own."""
    if study.origin == Study.Origin.REPLAY:
        return {row.pk: row.patient for row in rows}
    shown = dict(
        study.images.exclude(photo__lesion__patient=None).values_list("pk", "photo__lesion__patient")
    )
    numbers = {patient: number for number, patient in enumerate(dict.fromkeys(shown.values()), start=1)}
    # Who was erased is still one person, of whom nothing else is known.
    return {row.pk: f"P{numbers[shown[row.pk]]:04d}" if row.pk in shown else row.patient for row in rows}


def lacking_scores(study: Study) -> list[str]:
    """Names of photos of which the compared model has said nothing."""
    rows = study.images.counted().order_by("number")
    return [row.name for row in rows if not row.scores]


def _choices(study: Study) -> tuple[str, ...]:
    return tuple(key for key in DISEASE_KEYS if key in study.choices)


def _answers(study: Study) -> Iterator[Answer]:
    """The answers in force, then what readers who began never came to: it was theirs to read. Where readers have
    different sessions, one that was not begun is told from one that was not theirs."""
    given: dict[tuple[str, str], set[str]] = {}
    for answer in _given(study):
        given.setdefault((answer.session, answer.reader), set()).add(answer.image)
        yield answer
    is_drawn = _by_design(study)
    sessions, began = {session for session, _reader in given}, {reader for _session, reader in given}
    names = dict(study.images.counted().values_list("number", "name"))
    readings = (
        Reading.objects.filter(reader__in=Reader.objects.filter(study=study).counted())
        .order_by("session__number", "reader__pk")
        .values_list("session__key", "reader__code", "reader__group__key", "order")
    )
    for session, reader, group, order in readings:
        if (session, reader) not in given and not (is_drawn and session in sessions and reader in began):
            continue
        for number in order:
            if (name := names.get(number)) is not None and name not in given.get((session, reader), ()):
                yield Answer(session, reader, group or "", name, "", reached=False)


def _given(study: Study) -> Iterator[Answer]:
    rows = (
        AnswerRow.objects.filter(
            reading__reader__in=Reader.objects.filter(study=study).counted(),
            image__in=study.images.counted(),
        )
        .order_by("reading__session__number", "reading__reader__pk", "image__number")
        .values_list(
            "reading__session__key", "reading__reader__code", "reading__reader__group__key", "image__name", "choice",
            "second", "confidence", "seconds", "first_choice", "timing", "knows_patient", "management", "quality",
            "comment",
        )
    )  # fmt: skip
    for (
        session, reader, group, image, choice, second, confidence, seconds, first, timing, knows, management, quality,
        comment,
    ) in rows.iterator(2000):  # fmt: skip
        kind = asked.OUT_OF_TIME if timing == asked.LATE else choice if choice in asked.NO_DIAGNOSIS else ""
        yield Answer(
            session, reader, group or "", image, "" if kind else choice, "" if kind else second,
            None if confidence is None or kind else float(confidence), seconds,
            "" if first in asked.NO_DIAGNOSIS else first, True, asked.KNOWS_PATIENT if knows else kind, management,
            quality, comment,
        )  # fmt: skip


# The whole test set


def versions_of(study: Study) -> list[DatasetVersion]:
    """The frozen versions from which the sample was drawn."""
    drawn = study.images.filter(is_practice=False).exclude(dataset_item=None)
    return list(
        DatasetVersion.objects.filter(pk__in=drawn.values("dataset_item__version"))
        .select_related("dataset")
        .order_by("dataset__name", "number")
    )


def whole_items(version: DatasetVersion) -> list[DatasetItem]:
    """The photos of the 12 diseases a model is tested on."""
    rows = evaluations.test_items(version).filter(label__in=DISEASE_KEYS, entry__isnull=False)
    rows = rows.exclude(pk__in=against.rows(version, against.CONSENT).values("pk"))
    return list(rows.select_related("entry").order_by("pk"))


def whole_set(study: Study) -> WholeSet | None:
    """The test sets from which the sample was drawn, as the compared model sees them; None where there is none.

    Photos that could not be analysed are left out. A set of which more is lacking is left out as a whole: a curve
    of the rest would show something else.
    """
    if study.origin == Study.Origin.REPLAY:
        return _replayed_whole_set(study)
    scores, truth, datasets = [], [], []
    for version, items, found in _analysed(study):
        known = [item for item in items if item.kept_entry.photo_id in found]
        if len(known) < LEAST_ANALYSED * len(items):
            continue
        scores += [[found[item.kept_entry.photo_id][key] for key in DISEASE_KEYS] for item in known]
        truth += [item.label for item in known]
        datasets += [str(version)] * len(known)
    return WholeSet(np.array(scores, float), tuple(truth), tuple(datasets)) if scores else None


def coverage(study: Study) -> dict[str, list[int]]:
    """Of each whole test set how many photos the model has analysed, and how many there are."""
    if study.origin == Study.Origin.REPLAY:
        return {}
    return {str(version): [len(found), len(items)] for version, items, found in _analysed(study)}


def _analysed(study: Study) -> Iterator[tuple[DatasetVersion, list[DatasetItem], dict[int, dict]]]:
    """Each set with its photos and the scores of those that were analysed, by photo."""
    if study.model_version is None:
        return
    for version in versions_of(study):
        items = whole_items(version)
        photos = [item.kept_entry.photo_id for item in items]
        found = batch_analyses.of_photos(study.model_version, photos)
        yield version, items, {row.photo_id: row.scores for row in found}


@contextmanager
def whole_written(whole: WholeSet | None) -> Iterator[Path | None]:
    """Write the whole test set of a replay before there is a study; ``keep_whole`` takes it, else it goes again."""
    if whole is None:
        yield None
        return
    folder = settings.SKINCLINIC_HOME / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{uuid.uuid4().hex}-{REPLAYED}"
    try:
        np.savez_compressed(
            draft, scores=whole.scores, truth=np.array(whole.truth), datasets=np.array(whole.datasets)
        )
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def keep_whole(study: Study, draft: Path) -> None:
    """Keep it beside the study."""
    study.folder.mkdir(parents=True, exist_ok=True)
    draft.replace(study.folder / REPLAYED)


def _replayed_whole_set(study: Study) -> WholeSet | None:
    try:
        with np.load(study.folder / REPLAYED, allow_pickle=False) as kept:
            return WholeSet(kept["scores"], tuple(kept["truth"].tolist()), tuple(kept["datasets"].tolist()))
    except FileNotFoundError:
        return None


# Files


def to_csv(tables: StudyTables) -> dict[str, bytes]:
    """The tables as files by name, such that ``read_tables`` gives the very same tables."""
    # What no reader was asked has no column.
    besides = ("kind", "management", "quality", "comment")
    more = tuple(name for name in besides if any(getattr(one, name) for one in tables.answers))
    files = {
        IMAGES: table_csv(
            ("image", "dataset", "truth", "sex", "age", "skin_type", "patient"),
            (
                (one.name, one.dataset, one.truth, one.sex, one.age_text, one.skin_type, one.patient)
                for one in tables.images
            ),
        ),
        ANSWERS: table_csv(
            ("session", "reader", "group", "image", "answer", "second", "confidence", "seconds", "first_answer",
             "reached", *more),
            (
                (one.session, one.reader, one.group, one.image, one.answer, one.second, one.confidence,
                 one.seconds, one.first_answer, "" if one.reached else 0, *(getattr(one, name) for name in more))
                for one in tables.answers
            ),
        ),
    }  # fmt: skip
    if tables.scores is not None:
        names = (image.name for image in tables.images)
        files[SCORES] = _scores_bytes(names, tables.scores)
    if tables.whole is not None:
        files |= whole_to_csv(tables.whole)
    return files


def whole_to_csv(whole: WholeSet) -> dict[str, bytes]:
    """Its photos, numbered, and their scores."""
    names = [f"{number:06d}" for number in range(1, len(whole.truth) + 1)]
    return {
        WHOLE_IMAGES: table_csv(
            ("image", "dataset", "truth"), zip(names, whole.datasets, whole.truth, strict=True)
        ),
        WHOLE_SCORES: _scores_bytes(names, whole.scores),
    }


def _scores_bytes(names, scores: np.ndarray) -> bytes:
    rows = ((name, *map(float, values)) for name, values in zip(names, scores, strict=True))
    return table_csv(("image", *DISEASE_KEYS), rows)
