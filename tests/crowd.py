"""A clinic with as many lesions as one likes, made in bulk: rows only, no files."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import count, islice

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models import Max, Value
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from skinclinic.models import Clinic, Lesion, Patient, Photo, PhotoWord, User
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.vocabulary.sites import SITE_KEYS


@transaction.atomic
def fill(clinic: Clinic, user: User, count: int, *, seed: int = 0) -> None:
    """Add ``count`` lesions, ten minutes apart, three to a patient; one in fifty not filed, one in ten proven."""
    chance = random.Random(seed)
    start = timezone.now() - timedelta(minutes=10 * count)
    patients, lesions, photos = free_key(Patient), free_key(Lesion), free_key(Photo)
    insert(
        Patient(clinic=clinic, created_by=user),
        ("id", "code", "birth_year"),
        (
            (patients + number, f"P-{patients + number:06d}", 1930 + number % 80)
            for number in range(count // 3 + 1)
        ),
    )
    insert(
        Lesion(clinic=clinic, created_by=user, photo_count=1),
        ("id", "patient", "cover", "created_at", "site", "state", "top_disease", "top_score", "malignant_sum",
         "is_proven", "proven_disease"),
        (
            (
                lesions + number,
                None if chance.random() < 0.02 else patients + number // 3,
                photos + number,
                connection.ops.adapt_datetimefield_value(start + timedelta(minutes=10 * number)),
                *_case(chance),
            )
            for number in range(count)
        ),
    )  # fmt: skip
    insert(
        Photo(
            clinic=clinic,
            uploaded_by=user,
            file_key="none.jpg",
            thumbnail_key="none.jpg",
            width=512,
            height=512,
            source_format="JPEG",
        ),
        ("id", "lesion", "sha256"),
        ((photos + number, lesions + number, f"{photos + number:064x}") for number in range(count)),
    )
    reset_sequences(Patient, Lesion, Photo)


@transaction.atomic
def name_files(clinic: Clinic) -> None:
    """Give every photo of the clinic a file name of its own, IMG_NUMBER.jpg, with its words for the search."""
    photos = Photo.objects.filter(clinic=clinic)
    photos.update(original_name=Concat(Value("IMG_"), Cast("pk", models.CharField()), Value(".jpg")))
    words = (
        (pk, word)
        for pk in photos.order_by("pk").values_list("pk", flat=True)
        for word in (f"img_{pk}.jpg", "img", str(pk), "jpg")
    )
    keys = count(free_key(PhotoWord))
    insert(
        PhotoWord(clinic=clinic),
        ("id", "photo", "word"),
        ((key, pk, word) for key, (pk, word) in zip(keys, words, strict=False)),
    )
    reset_sequences(PhotoWord)


def _case(chance: random.Random) -> tuple:
    """Site, state, top disease and its score, malignant sum, whether proven and as what."""
    site, disease = chance.choice(SITE_KEYS), chance.choice(DISEASE_KEYS)
    state = chance.choices(["done", "failed", "queued"], [0.97, 0.02, 0.01])[0]
    if state != "done":
        return site, state, "", None, None, False, ""
    proven = chance.random() < 0.1
    score, malignant = chance.uniform(0.2, 0.95), chance.random()
    return site, state, disease, score, malignant, proven, disease if proven else ""


def free_key(model: type[models.Model]) -> int:
    return (model.objects.aggregate(last=Max("pk"))["last"] or 0) + 1


def insert(pattern: models.Model, varying: Sequence[str], rows: Iterable[tuple]) -> None:
    """Insert copies of ``pattern`` that differ in the ``varying`` fields. Without making an object for each
    row this takes seconds for 100,000."""
    fields = {field.name: field for field in pattern._meta.concrete_fields}
    same = {
        name: value
        for name, field in fields.items()
        if name not in varying and not isinstance(value := field.pre_save(pattern, add=True), DatabaseDefault)
    }
    same = {name: fields[name].get_db_prep_save(value, connection) for name, value in same.items()}
    quoted = ", ".join(connection.ops.quote_name(fields[name].column) for name in (*varying, *same))
    places = f"({', '.join(['%s'] * (len(varying) + len(same)))})"
    into = f"INSERT INTO {connection.ops.quote_name(pattern._meta.db_table)} ({quoted}) VALUES "
    rows = iter(rows)
    with connection.cursor() as cursor:
        while some := list(islice(rows, 500)):
            values = [value for row in some for value in (*row, *same.values())]
            cursor.execute(into + ", ".join([places] * len(some)), values)


def reset_sequences(*filled: type[models.Model]) -> None:
    """Let the next row of these tables get a free key."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), filled):
            cursor.execute(statement)
