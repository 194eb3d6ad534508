"""A closed study whose readers have answered, made of rows."""

import random

from django.utils import timezone

from reader_study.jobs.results import compute  # noqa: F401
from reader_study.models import Answer, Study
from reader_study.services.results import results
from skinclinic.engine import jobs
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated, studies

LABELS = ["bcc"] * 4 + ["mm"] * 4 + ["sk"] * 4 + ["nevus"] * 4 + ["ak"] * 3


def read_study(clinic, user, folder, *, readers: int = 4, aided: bool = True, **settings) -> studies.Made:
    """Readers right in two cases of three, and more often when aided."""
    # Known to have seen no photo, so that it may be tested against readers.
    model = evaluated.make_model(clinic, folder, "compared", photos=[])
    settings.setdefault("state", Study.State.CLOSED)
    made = studies.make_study(
        clinic,
        user,
        labels=LABELS,
        model=model,
        aided=aided,
        readers=readers,
        margin=0.1,
        endpoints=["bcc"],
        **settings,
    )
    for place, reader in enumerate(made.readers):
        answer_all(reader, seed=place)
    return made


def answer_all(reader, *, seed: int = 0, only: int | None = None) -> None:
    """Answer the first photos (all) of every session, practice included."""
    chance = random.Random(seed)
    for reading in reader.readings.order_by("session__number"):
        skill = 0.85 if reading.session.is_aided else 0.65
        rows = []
        for image in list(reader.study.images.order_by("number"))[:only]:
            choice = image.truth if chance.random() < skill else chance.choice(DISEASE_KEYS)
            first = chance.choice(DISEASE_KEYS) if reading.session.is_aided else ""
            rows.append(
                Answer(
                    reading=reading, image=image, choice=choice, first_choice=first, seconds=chance.uniform(3, 30),
                    answered_at=timezone.now(), changed_at=timezone.now(),
                )
            )  # fmt: skip
        Answer.objects.bulk_create(rows)


def computed(study: Study) -> results.Results:
    """The results, by the real job."""
    results.request(study)
    jobs.run_waiting(results.JOB)
    return results.Results(study)
