"""A small archive and datasets of it."""

from datetime import date

import pytest

from skinclinic.archive.models import Entry
from skinclinic.archive.services.datasets import datasets, dividing, freezing
from skinclinic.models import Lesion, Patient
from tests import factories


@pytest.fixture
def entries(clinic, curator):
    """Six accepted photos of three patients: bcc, bcc, mm, mm, sk and a background disease."""
    rows = []
    for n, label in enumerate(["bcc", "bcc", "mm", "mm", "sk", "Rosacea"]):
        code = f"P-{n // 2}"
        patient = _patient(clinic, code, n)
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, site="cheek", is_archived=True)
        photo = factories.make_photo(clinic, curator, seed=n, lesion=lesion)
        rows.append(
            factories.make_entry(
                photo, curator, label=label, age=40 + n, is_proven=n != 4, taken_on=date(2010 + n, 5, 1),
                review="accepted", text="=1+1" if n == 0 else "",
            )
        )  # fmt: skip
    return rows


def _patient(clinic, code, n):
    return Patient.objects.get_or_create(
        clinic=clinic, code=code, defaults={"sex": "male" if n < 2 else "female", "ethnicity": "Asian"}
    )[0]


@pytest.fixture
def draft(clinic, curator, entries):
    version = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(version, Entry.objects.filter(clinic=clinic))
    return version


@pytest.fixture
def frozen(draft, curator):
    dividing.split(draft, "time", 0.67)
    return freezing.freeze(draft, curator, verify=True)
