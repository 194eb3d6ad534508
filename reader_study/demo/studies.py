"""The demo's two studies of drawn lesions: one replayed with simulated readers and closed, one open for reading.

What is simulated: the readers, their skills and their times. The model's answers are its real ones.
"""

import random

import numpy as np
from django.db import transaction
from django.utils import timezone

from classifier.demo import archive as demo_archive
from classifier.models import ModelVersion
from classifier.services.analysis import batch_analyses
from classifier.services.models import registry
from reader_study.models import ReaderGroup, Study, StudyEvent, StudyImage, StudySession
from reader_study.services import log
from reader_study.services.making import enrolment, protocol
from reader_study.services.results import replay
from reader_study.statistics.tables import Answer, Image, StudyTables, WholeSet
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.models import Clinic, Member, Photo, Role, User
from skinclinic.vocabulary.diseases import DISEASE_KEYS

CLOSED, OPEN = "Drawn lesions, simulated readers", "Read it yourself: 24 drawings"
SAMPLE_A_DISEASE, OPEN_A_DISEASE, PRACTICE = 6, 2, 2
LIKENESS = 1.0
OPEN_PHOTOS = OPEN_A_DISEASE * len(DISEASE_KEYS)
# (key, name, readers, skill): log odds by which the truth stands out for them.
GROUPS = (("professors", "Professors", 10, 3.3), ("clinicians", "Clinicians", 6, 2.7))
MARGIN = 0.1
# How much of the model's opinion readers take over, by group.
TRUST = {"professors": 0.15, "clinicians": 0.25}
_SEED = 7


def seed_studies(clinic: Clinic) -> str:
    """Make what is not there yet; returns the secret of the open study's reader, or "". Some seconds."""
    drawings = DatasetVersion.objects.filter(clinic=clinic, dataset__name=demo_archive.NAME).first()
    if drawings is None:
        return ""
    model = registry.published(clinic)
    coordinator, curator = _first(clinic, Role.COORDINATOR), _first(clinic, Role.CURATOR)
    if model is None or coordinator is None or curator is None:
        return ""
    if not Study.objects.filter(clinic=clinic, name=CLOSED).exists():
        # Slow inside a transaction, for once: the demo is seeded before anybody is there to wait.
        with transaction.atomic():
            mixed = demo_archive.seed_lookalikes(clinic, curator)
            _closed(clinic, coordinator, mixed, *_looked_at(model, list(_items(mixed))), model)
    if Study.objects.filter(clinic=clinic, name=OPEN).exists():
        return ""
    counted = _drawn(list(_items(drawings)), OPEN_A_DISEASE, _SEED + 1)
    rest = [item for item in _items(drawings) if item not in counted]
    practice = random.Random(_SEED).sample(rest, min(PRACTICE, len(rest)))
    random.Random(_SEED).shuffle(counted)
    _items_there, scores = _looked_at(model, counted + practice)
    with transaction.atomic():
        return _open(clinic, coordinator, drawings, counted, practice, scores, model)


def _first(clinic: Clinic, role: str) -> User | None:
    members = Member.objects.filter(clinic=clinic, role=role).order_by("pk")
    return User.objects.filter(pk__in=members.values("user")).first()


def _items(version: DatasetVersion):
    return version.items.exclude(entry=None).select_related("entry__photo").order_by("pk")


def _looked_at(model: ModelVersion, items: list[DatasetItem]) -> tuple[list[DatasetItem], dict[int, dict]]:
    """The photos that the model could look at, and its scores of each by photo."""
    photos = [item.kept_entry.photo_id for item in items]
    batch_analyses.analyse(model, photos, give_way=False)
    scores = {row.photo_id: row.scores for row in batch_analyses.of_photos(model, photos)}
    return [item for item in items if item.kept_entry.photo_id in scores], scores


def _drawn(items: list[DatasetItem], a_disease: int, seed: int) -> list[DatasetItem]:
    """So many of each disease, at random."""
    chance = random.Random(seed)
    chosen = []
    for key in DISEASE_KEYS:
        of_disease = [item for item in items if item.label == key]
        chosen += chance.sample(of_disease, min(a_disease, len(of_disease)))
    return chosen


# The closed study


def _closed(clinic: Clinic, user: User, version: DatasetVersion, items, scores, model: ModelVersion) -> Study:
    sample = _drawn(items, SAMPLE_A_DISEASE, _SEED)
    images = tuple(
        Image(
            f"drawing-{number:03d}", str(version), item.label, item.sex, item.age, item.skin_type
        )
        for number, item in enumerate(sample, start=1)
    )  # fmt: skip
    tables = StudyTables(
        images, _matrix(sample, scores), tuple(simulated_answers(images, _matrix(sample, scores))),
        whole=WholeSet(_matrix(items, scores), tuple(item.label for item in items), (str(version),) * len(items)),
    )  # fmt: skip
    wishes = replay.Wishes(
        name=CLOSED, is_synthetic=True, margin=MARGIN, endpoints=("bcc", "mm"), model_version=model,
        description="Lesions drawn by a program, read by simulated readers in two sessions, without and with the "
        "model's answer. It shows what results look like; nothing in it is about people.",
        group_names={key: name for key, name, _count, _skill in GROUPS},
        photos={image.name: item.kept_entry.photo for image, item in zip(images, sample, strict=True)},
    )  # fmt: skip
    return replay.create(clinic, user, tables, wishes)


def _matrix(items: list[DatasetItem], scores: dict[int, dict]) -> np.ndarray:
    return np.array(
        [[scores[item.kept_entry.photo_id][key] for key in DISEASE_KEYS] for item in items], float
    )


def simulated_answers(images: tuple[Image, ...], scores: np.ndarray, seed: int = _SEED):
    """Answers of simulated readers: the truth stands out by their skill, lookalikes less, the rest is chance.

    In the second session they weigh the model's answer in, clinicians more than professors.
    """
    chance = np.random.default_rng(seed)
    truth = np.array([DISEASE_KEYS.index(image.truth) for image in images])
    likeness = np.zeros((len(DISEASE_KEYS),) * 2)
    for one, other in demo_archive.LOOKALIKES:
        places = DISEASE_KEYS.index(one), DISEASE_KEYS.index(other)
        likeness[places] = likeness[places[::-1]] = LIKENESS
    # What makes a photo hard is the same for everybody.
    hard = chance.normal(0, 0.6, (len(images), len(DISEASE_KEYS)))
    opinion = np.log(np.clip(scores, 1e-4, 1))
    opinion -= opinion.mean(1, keepdims=True)
    number = 0
    readers = []
    for key, _name, count, skill in GROUPS:
        for _ in range(count):
            number += 1
            readers.append(
                (f"R{number:02d}", key, chance.normal(skill, 0.35), chance.normal(np.log(11), 0.25))
            )
    for session in ("unaided", "aided"):
        for reader, group, skill, pace in readers:
            seen = likeness[truth] + hard + chance.normal(0, 1.0, hard.shape)
            seen[np.arange(len(truth)), truth] += skill
            first = seen.argmax(1)
            final = (seen + TRUST[group] * opinion).argmax(1) if session == "aided" else first
            seconds = np.exp(chance.normal(pace + (0.15 if session == "aided" else 0), 0.45, len(truth)))
            for place, image in enumerate(images):
                yield Answer(
                    session, reader, group, image.name, DISEASE_KEYS[final[place]],
                    seconds=round(float(seconds[place]), 1),
                    first_answer=DISEASE_KEYS[first[place]] if session == "aided" else "",
                )  # fmt: skip


# The open study


def _open(
    clinic: Clinic, user: User, version: DatasetVersion, counted, practice, scores, model: ModelVersion
) -> str:
    now = timezone.now()
    study = Study.objects.create(
        clinic=clinic, name=OPEN, state=Study.State.OPEN, is_synthetic=True, model_version=model, created_by=user,
        description="Drawings of the 12 diseases, for trying out how a study is read.",
        question="Which of the 12 diagnoses fits this drawing best?",
        instructions="These are drawings by a program, not photos of patients. Choose one of the 12 diagnoses for "
        "each. Two drawings to practise come first and do not count. You may stop and come back with the same link.",
        shown_facts=["age", "sex"], opened_at=now, opened_by=user,
        recipe={"seed": _SEED + 1, "proven_only": False, "practice": PRACTICE,
                "per": {str(version.pk): dict.fromkeys(DISEASE_KEYS, OPEN_A_DISEASE)}, "unfilled": []},
    )  # fmt: skip
    StudySession.objects.create(study=study, number=1, key="unaided")
    for number, item in enumerate([*counted, *practice], start=1):
        photo: Photo = item.kept_entry.photo
        StudyImage.objects.create(
            study=study, number=number, name=f"{number:03d}", dataset=str(version), dataset_item=item, photo=photo,
            content_sha256=item.content_sha256, truth=item.label, sex=item.sex, age=item.age,
            skin_type=item.skin_type, site=item.site, is_practice=number > len(counted),
            scores={key: scores[photo.pk][key] for key in DISEASE_KEYS},
        )  # fmt: skip
    log.note(study, StudyEvent.Kind.OPENED, by=user)
    group = ReaderGroup.objects.create(study=study, key="visitors", name="Visitors")
    _reader, secret = enrolment.enrol(study, group=group, by=user, name="Visitor")
    protocol.fix(study)
    study.save(update_fields=["protocol", "protocol_sha256"])
    return secret
