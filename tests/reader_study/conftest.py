"""A clinic with datasets to draw from, and a draft that could open."""

import random
from types import SimpleNamespace

import pytest

from reader_study.services.making import opening, readers, sampling, studies
from reader_study.services.making.readers import Wanted
from reader_study.services.making.sampling import Recipe
from skinclinic.archive.models import DatasetItem
from tests import evaluated, factories

LABELS = ["bcc"] * 6 + ["mm"] * 4 + ["sk"] * 6 + ["nevus"] * 5 + ["ak"] * 3
WANTED = {"bcc": 3, "mm": 2, "sk": 3, "nevus": 2}


@pytest.fixture(scope="module")
def stock(standing):
    """A clinic with two frozen test sets and a model that has analysed all their photos."""
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        first = evaluated.make_entries(clinic, curator, LABELS, source="Asan")
        second = evaluated.make_entries(clinic, curator, LABELS, first=100, source="Edinburgh")
        versions = [
            evaluated.freeze(clinic, curator, entries, name=name)
            for entries, name in ((first, "Asan"), (second, "Edinburgh"))
        ]
        # Small drawn photos look alike; these are all different.
        chance = random.Random(0)
        for item in DatasetItem.objects.filter(version__in=versions):
            DatasetItem.objects.filter(pk=item.pk).update(phash=chance.getrandbits(63))
        model = evaluated.make_model(clinic, home, "one")
        evaluated.score(model, [*first, *second])
        standing.keep(
            clinic=clinic,
            curator=curator,
            stocked=SimpleNamespace(entries=[*first, *second], versions=versions, model=model),
        )


@pytest.fixture
def stocked(stock, given):
    return given["stocked"]


@pytest.fixture
def recipe(stocked):
    return Recipe(per={version.pk: dict(WANTED) for version in stocked.versions}, seed=7, practice=2)


@pytest.fixture
def draft(clinic, coordinator, stocked):
    """A study as its page makes it, with the clinic's own model."""
    study = studies.create(clinic, coordinator, name="Readers and the model")
    return studies.change_settings(study, {"model_version_id": stocked.model.pk})


@pytest.fixture
def ready(draft, coordinator, recipe):
    """A draft with nothing left to do: sample, model's answers, margin, two readers."""
    from reader_study.services.results import model_answers
    from skinclinic.engine import jobs

    study = sampling.draw(draft, coordinator, recipe)
    study = studies.change_settings(study, {"margin": 0.05, "endpoints": ["bcc", "mm"]})
    group = study.groups.first()
    readers.invite(
        study, [Wanted("Ann Chae", "ann@example.org", group, 12), Wanted("Bo", "", group)], coordinator, str
    )
    jobs.run_waiting(model_answers.JOB)
    study.refresh_from_db()
    return study


@pytest.fixture
def opened(ready, coordinator):
    return opening.open_study(ready, coordinator)
