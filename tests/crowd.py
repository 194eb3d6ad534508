"""A clinic with as many lesions as one likes, made in bulk: rows only, no files."""

import random
from datetime import timedelta
from unittest import mock

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from skinclinic.diseases import DISEASE_KEYS
from skinclinic.models import Clinic, Lesion, Patient, Photo, User
from skinclinic.sites import SITE_KEYS


def fill(clinic: Clinic, user: User, count: int, *, seed: int = 0) -> None:
    """Add ``count`` lesions, ten minutes apart, three to a patient; one in fifty not filed, one in ten proven."""
    chance = random.Random(seed)
    start = timezone.now() - timedelta(minutes=10 * count)
    patients = Patient.objects.bulk_create(
        (
            Patient(clinic=clinic, code=f"P-{number:06d}", birth_year=1930 + number % 80)
            for number in range(count // 3 + 1)
        ),
        batch_size=2000,
    )
    with mock.patch.object(Lesion._meta.get_field("created_at"), "auto_now_add", False):
        lesions = Lesion.objects.bulk_create(
            (
                _lesion(clinic, user, patients[number // 3], chance, start + timedelta(minutes=10 * number))
                for number in range(count)
            ),
            batch_size=2000,
        )
    Photo.objects.bulk_create(
        (
            Photo(
                clinic=clinic,
                lesion=lesion,
                sha256=f"{clinic.pk:032x}{lesion.pk:032x}",
                file_key="none.jpg",
                thumbnail_key="none.jpg",
                width=512,
                height=512,
                source_format="JPEG",
                uploaded_by=user,
            )
            for lesion in lesions
        ),
        batch_size=2000,
    )
    cover = Photo.objects.filter(lesion=OuterRef("pk")).values("pk")[:1]
    Lesion.objects.filter(clinic=clinic).update(cover=Subquery(cover))


def _lesion(clinic: Clinic, user: User, patient: Patient, chance: random.Random, opened) -> Lesion:
    state = chance.choices(["done", "failed", "queued"], [0.97, 0.02, 0.01])[0]
    done = state == "done"
    disease = chance.choice(DISEASE_KEYS)
    proven = done and chance.random() < 0.1
    return Lesion(
        clinic=clinic,
        patient=None if chance.random() < 0.02 else patient,
        site=chance.choice(SITE_KEYS),
        created_by=user,
        created_at=opened,
        state=state,
        top_disease=disease if done else "",
        top_score=chance.uniform(0.2, 0.95) if done else None,
        malignant_sum=chance.random() if done else None,
        is_proven=proven,
        proven_disease=disease if proven else "",
        photo_count=1,
    )
