"""The gallery's date tree and the type-ahead over labels: what they offer, and how few queries they take."""

import datetime

import pytest
from django.urls import reverse

from skinclinic.archive.models import BackgroundDisease, Entry
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.archive.views.dates import tree, undated
from skinclinic.presenters.work import time_left
from tests import factories

DAY = datetime.date(2021, 5, 3)


def test_the_tree_counts_months_and_years_newest_first():
    may = DAY.replace(day=1)
    months = {may: 5, may.replace(month=1): 1, may.replace(year=2019): 4}
    years = tree(months, Selection(q="bcc OR mm date:2021-05", label="mm"))
    assert [(year.span.first.year, year.span.count) for year in years] == [(2021, 6), (2019, 4)]
    assert [(month.first.month, month.count, month.is_chosen) for month in years[0].months] == [
        (5, 5, True),
        (1, 1, False),
    ]
    assert years[0].is_open and not years[1].is_open
    assert years[1].span.address == "/archive/?q=%28bcc+OR+mm%29+date%3A2019&label=mm"


@pytest.mark.parametrize(
    "q, rest",
    [("date:2020", ""), ("bcc date:2019-03 mm", "bcc mm"), ("update:2020", "update:2020"), ("", "")],
)
def test_only_the_date_is_taken_out_of_a_search(q, rest):
    assert undated(q) == rest


@pytest.mark.django_db
def test_the_tree_takes_the_same_queries_for_many_photos(
    client_for, curator, clinic, django_assert_max_num_queries
):
    for seed in range(6):
        photo = factories.make_photo(clinic, curator, seed=seed)
        factories.make_entry(photo, curator, taken_on=DAY + datetime.timedelta(days=40 * seed))
    client = client_for(curator)
    with django_assert_max_num_queries(5):
        page = client.get(reverse("archive-dates")).content.decode()
    assert "2021" in page and "May" in page and page.count("<details") == 1


@pytest.mark.django_db
def test_the_type_ahead_offers_groups_names_and_new_ones_only_where_they_are_wanted(
    client_for, curator, clinic
):
    BackgroundDisease.objects.create(clinic=clinic, name="Rosacea")
    client = client_for(curator)

    def values(q: str, offer: str = "") -> list[str]:
        answer = client.get(reverse("archive-labels"), {"q": q, "offer": offer})
        return [term["value"] for term in answer.json()["terms"]]

    assert values("rosa") == ["Rosacea"] and values("rosacea", "new") == ["Rosacea"]
    assert values("Psoriasis") == [] and values("Psoriasis", "new") == ["Psoriasis"]
    assert "malignant" in values("", "filter") and "malignant" not in values("", "new")
    assert "-" in values("leave", "import") and "-" not in values("leave", "new")
    assert values("기저세포") == ["bcc"] and values("\0") == values("")


@pytest.mark.django_db
def test_names_of_other_clinics_are_not_offered(client_for, curator, other_clinic):
    BackgroundDisease.objects.create(clinic=other_clinic, name="Secret disease")
    assert "Secret" not in client_for(curator).get(reverse("archive-labels"), {"q": "sec"}).content.decode()


@pytest.mark.django_db
def test_the_entry_form_shows_names_and_keeps_keys(client_for, curator, clinic):
    entry = factories.make_entry(factories.make_photo(clinic, curator), curator, label="bcc")
    client = client_for(curator)
    address = reverse("archive-entry", args=[entry.pk])
    assert 'value="Basal cell carcinoma"' in client.get(address).content.decode()
    client.post(
        address, {"label": "Basal cell carcinoma", "icd10": "C44.9", "impression": "melanoma, malignant"}
    )
    assert Entry.objects.get(pk=entry.pk).label == "bcc"


def test_the_time_left_is_that_of_the_speed_so_far():
    assert time_left(60, 0.5) == "about 60 seconds left"
    assert time_left(60, 0.1) == "about 9 minutes left"
    assert time_left(60, 0.0) == "" and time_left(0, 0.5) == "" and time_left(60, 1.0) == ""
