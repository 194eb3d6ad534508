"""The demo's two studies of drawn lesions: one closed with simulated readers, one open for reading.

What is simulated: the readers, what they say of themselves, their skills and their times, and the panel. The model's
answers are its real ones.
"""

import random
from collections import Counter

from django.db import transaction

from classifier.demo import archive as demo_archive
from classifier.models import ModelVersion
from classifier.services.analysis import batch_analyses
from classifier.services.models import registry
from reader_study.demo import closed, open
from reader_study.models import Study, StudyImage
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.models import Clinic, Member, Role, User
from skinclinic.vocabulary.diseases import DISEASE_KEYS

CLOSED, OPEN = closed.NAME, open.NAME
SAMPLE_A_DISEASE, OPEN_A_DISEASE, PRACTICE = 6, 2, 2
OPEN_PHOTOS = OPEN_A_DISEASE * len(DISEASE_KEYS)
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
            items, scores = _looked_at(model, list(_items(mixed)))
            counted = _drawn(items, SAMPLE_A_DISEASE, _SEED)
            images = _images(counted, [], scores, str(mixed))
            closed.make(clinic, coordinator, images, model, _recipe(mixed, _SEED, SAMPLE_A_DISEASE, counted))
    if Study.objects.filter(clinic=clinic, name=OPEN).exists():
        return ""
    counted = _drawn(list(_items(drawings)), OPEN_A_DISEASE, _SEED + 1)
    rest = [item for item in _items(drawings) if item not in counted]
    practice = random.Random(_SEED).sample(rest, min(PRACTICE, len(rest)))
    random.Random(_SEED).shuffle(counted)
    _items_there, scores = _looked_at(model, counted + practice)
    images = _images(counted, practice, scores, str(drawings))
    with transaction.atomic():
        recipe = _recipe(drawings, _SEED + 1, OPEN_A_DISEASE, counted, len(practice))
        return open.make(clinic, coordinator, images, model, recipe)


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


def _images(
    counted: list[DatasetItem], practice: list[DatasetItem], scores: dict[int, dict], dataset: str
) -> list[StudyImage]:
    return [
        StudyImage(
            number=number, name=f"{number:03d}", dataset=dataset, dataset_item=item, photo=item.kept_entry.photo,
            content_sha256=item.content_sha256, truth=item.label, sex=item.sex, age=item.age,
            skin_type=item.skin_type, site=item.site, is_practice=number > len(counted),
            scores={key: scores[item.kept_entry.photo_id][key] for key in DISEASE_KEYS},
        )
        for number, item in enumerate([*counted, *practice], start=1)
    ]  # fmt: skip


def _recipe(
    version: DatasetVersion, seed: int, a_disease: int, counted: list[DatasetItem], practice: int = 0
) -> dict:
    there = Counter(item.label for item in counted)
    lacking = [
        {"dataset": str(version), "group": key, "wanted": a_disease, "found": there[key]}
        for key in DISEASE_KEYS
        if there[key] < a_disease
    ]
    return {
        "seed": seed, "proven_only": False, "one_per_patient": False, "practice": practice,
        "per": {str(version.pk): dict.fromkeys(DISEASE_KEYS, a_disease)}, "unfilled": lacking,
    }  # fmt: skip
