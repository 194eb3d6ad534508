"""The panel of the recipe page that tells how precise a study will be."""

import re

import pytest

from reader_study.models import Study
from tests import studies
from tests.cases import each
from tests.skinclinic.pages import url

STATED = {
    "plan": "1", "pilot": "", "compare": "sessions", "measure": "accuracy", "difference": ".04", "alpha": ".05",
    "power": ".8", "readers": "3,5", "var_error": ".001", "rho1": ".43", "rho2": ".4", "rho3": ".3",
    "var_readers": ".0002", "error_cases": "100",
}  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(clinic, coordinator):
    return Study.objects.create(clinic=clinic, name="Planned", created_by=coordinator)


@pytest.fixture
def panel(client_for, coordinator, draft):
    """What the panel, or the intervals alone, say to these values."""
    client = client_for(coordinator)

    def get(sent=None, name="study-precision", status=200, whole=False) -> str:
        headers = {} if whole else {"HX-Request": "true"}
        response = client.get(url(name, draft.pk), sent or {}, headers=headers)
        assert response.status_code == status, response.content.decode()
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))

    return get


def test_a_plan_from_stated_values(panel):
    assert "no finished study with results" in panel(whole=True)
    # Five readers get there, three never.
    assert "564 (80.0 %)" in (said := panel(STATED | {"cases": "200"})) and "never; at most 47.1 %" in said
    assert "tested two-sided with alpha 0.05" in said and "Acad Radiol 18:129" in said


@each(
    "sent, said",
    [
        ({"alpha": "2"}, "Alpha 2 must lie"),
        ({"rho1": "nan"}, "Enter a number"),
        ({"var_error": "-1"}, "must not be negative"),
        ({"rho1": ".7", "rho2": ".8"}, "share more error than"),
        ({"error_cases": ""}, "Give it, or choose a finished study"),
        ({"readers": "x"}, "write numbers of readers"),
        ({"difference": ""}, "Give the difference"),
        ({"margin": "0", "difference": "-.1"}, "does not lie above"),
        ({"pilot": "999"}, "Select a valid choice"),
        ({"pilot": "x"}, "Select a valid choice"),
        ({"compare": "x"}, "Select a valid choice"),
    ],
)
def test_values_that_cannot_be(panel, sent, said):
    assert said in panel(STATED | sent, status=422)


def test_intervals_of_what_is_typed_and_what_is_drawn(panel, draft, clinic, coordinator):
    name = "study-intervals"
    assert "Type numbers of photos" in panel(name=name)
    made = studies.make_study(clinic, coordinator, labels=["bcc"] * 3, name="Other")
    version = made.study.images.first().dataset_item.version
    key = f"n-{version.pk}"
    typed = panel({f"{key}-bcc": "25", f"{key}-mm": "6", "share": "80"}, name)
    # Wilson's interval at each count, weighted by its chance.
    assert (
        "Least precise: Malignant melanoma, 6 photos, an interval 52.2 % wide" in typed and "29.5 %" in typed
    )
    assert "a group's photos" in panel({f"{key}-malignant": "9"}, name)
    # A version of another clinic has no name here, and does not count.
    assert "Type numbers of photos" in panel({"n-999-bcc": "5"}, name)
    made.study.images.update(study=draft)
    assert "Of the photos drawn" in (drawn := panel(name=name)) and "3 photos" in drawn
    for sent, said in (
        ({f"{key}-bcc": "x"}, "whole numbers"),
        ({f"{key}-bcc": "3000"}, "1 to 2,000 photos"),
        ({"share": "120"}, "from 0 to 100"),
        ({"share": "nan"}, "from 0 to 100"),
    ):
        assert said in panel(sent, name, status=422), sent
