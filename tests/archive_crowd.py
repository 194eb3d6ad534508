"""An archive with as many photos as one likes, made in bulk: rows only, no files."""

import json
import random
from datetime import date, timedelta

from django.db import connection, transaction

from skinclinic.archive.models import BackgroundDisease, Entry, Source
from skinclinic.models import Clinic, Lesion, Patient, Photo, User
from skinclinic.vocabulary import subtypes, tags
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from skinclinic.vocabulary.sites import SITES
from skinclinic.vocabulary.skin_types import SKIN_TYPES
from tests.crowd import free_key, insert, reset_sequences

FIRST_DAY, DAYS = date(2003, 1, 1), 7300
SITE_KEYS = [key for key, _name in SITES]
_BACKGROUND = 248
_WORDS = (
    "basaloid", "nests", "palisading", "retraction", "atypical", "melanocytes", "junctional", "pagetoid",
    "solar", "elastosis", "keratin", "pearls", "horn", "cysts", "acanthosis", "lymphocytes", "margins", "clear",
    "dermis", "epidermis", "ulceration", "mitoses", "Breslow", "fibrosis", "vessels", "haemosiderin",
)  # fmt: skip


@transaction.atomic
def fill(clinic: Clinic, user: User, count: int, *, seed: int = 0) -> None:
    """Add ``count`` entries of four sources, three to a patient: one in ten is of a background disease, one
    in four proven, one in three has a pathology text, three in five are accepted, one in twenty rejected, one in ten
    has tags, one in fifty a second opinion; facts and columns of the source are like those of a public archive."""
    chance = random.Random(seed)
    sources = [
        Source.objects.get_or_create(clinic=clinic, name=f"Archive {letter}")[0].pk for letter in "ABCD"
    ]
    background = [f"background disease {number:03d}" for number in range(_BACKGROUND)]
    BackgroundDisease.objects.bulk_create(
        [BackgroundDisease(clinic=clinic, name=name) for name in background], ignore_conflicts=True
    )
    patients, lesions, photos, entries = map(free_key, (Patient, Lesion, Photo, Entry))
    insert(
        Patient(clinic=clinic, created_by=user, is_archived=True),
        ("id", "code", "sex", "skin_type", "ethnicity", "research_consent"),
        (
            (
                patients + number,
                f"Archive A/{patients + number:06d}",
                chance.choice(("male", "female", "")),
                chance.choice((1, 2, 3, 4, 5, 6, None)),
                chance.choice(("Korean", "Caucasian", "")),
                chance.choice(("given", "given", "")),
            )
            for number in range(count // 3 + 1)
        ),
    )
    insert(
        Lesion(clinic=clinic, created_by=user, photo_count=1, is_archived=True),
        ("id", "patient", "site"),
        ((lesions + n, patients + n // 3, chance.choice(SITE_KEYS)) for n in range(count)),
    )
    pattern = Photo(
        clinic=clinic, uploaded_by=user, file_key="none.jpg", thumbnail_key="none.jpg", width=512, height=512,
        source_format="JPEG", is_archived=True,
    )  # fmt: skip
    insert(
        pattern, ("id", "lesion", "sha256", "kind"),
        ((photos + n, lesions + n, f"{photos + n:064x}", _kind(chance)) for n in range(count)),
    )  # fmt: skip
    insert(
        Entry(clinic=clinic, created_by=user),
        ("id", "photo", "source", "external_id", "patient", "patient_key", "content_sha256", "phash", "taken_on",
         "age", "label", "subtype", "icd10", "text", "is_proven", "review", "reviewed_by", "model_label",
         "disagreement", "sex", "skin_type", "site", "columns", "tags", "second_label", "second_by"),
        (
            (
                entries + n, photos + n, sources[n % 4], f"photo-{n:06d}-{entries}", patients + n // 3,
                patients + n // 3, f"{entries + n:064x}", chance.getrandbits(64) - (1 << 63),
                *_entry(chance, background, user.pk), *_facts(chance, user.pk),
            )
            for n in range(count)
        ),
    )  # fmt: skip
    reset_sequences(Patient, Lesion, Photo, Entry)


def _entry(chance: random.Random, background: list[str], reviewer: int) -> tuple:
    """Day, age, label, subtype, ICD-10, text, whether proven, review and by whom, the model's choice."""
    label = chance.choice(background if chance.random() < 0.1 else DISEASE_KEYS)
    own = list(subtypes.BUILT_IN.get(label, ()))
    review = chance.choices(["accepted", "pending", "rejected"], [0.6, 0.35, 0.05])[0]
    disagrees = chance.random() < 0.2
    day = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
    return (
        connection.ops.adapt_datefield_value(day) if chance.random() < 0.95 else None,
        chance.randrange(1, 95),
        label,
        chance.choice(own) if own and chance.random() < 0.3 else "",
        BY_KEY[label].icd10 if label in BY_KEY else "",
        " ".join(chance.choices(_WORDS, k=12)) if chance.random() < 1 / 3 else "",
        chance.random() < 0.25,
        review,
        None if review == "pending" else reviewer,
        chance.choice(DISEASE_KEYS) if disagrees else label,
        chance.random() if disagrees else None,
    )


def _kind(chance: random.Random) -> str:
    return "dermoscopic" if chance.random() < 0.02 else "close_up"


def _facts(chance: random.Random, second: int) -> tuple:
    """Sex, skin type, site, columns of the source, tags, second opinion and by whom."""
    columns = {
        "smoke": chance.choice(("True", "False", "")),
        "background_father": chance.choice(("POMERANIA", "GERMANY", "BRAZIL", "ITALY")),
        "diameter_1": f"{chance.randrange(2, 30)}.0",
        "image_manipulation": "instrument only" if chance.random() < 0.001 else "altered",
    }
    has_opinion = chance.random() < 0.02
    return (
        chance.choice(("male", "female", "other" if chance.random() < 0.01 else "")),
        chance.choice((None, *SKIN_TYPES)),
        chance.choice(SITE_KEYS),
        json.dumps(columns),
        tags.join(chance.sample(tags.TAG_KEYS, 2)) if chance.random() < 0.1 else "",
        chance.choice(DISEASE_KEYS) if has_opinion else "",
        second if has_opinion else None,
    )
