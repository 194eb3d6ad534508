"""What grows with the archive is not counted in a request."""

import itertools
import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from skinclinic.archive.models import BackgroundDisease, DuplicatePair, Entry
from skinclinic.archive.presenters import shown
from skinclinic.archive.services import size
from skinclinic.archive.services.curating import duplicates, from_clinic
from skinclinic.engine import housekeeping
from skinclinic.models import KeptCount, Patient, Photo
from skinclinic.services import diagnoses, kept_counts, photos, quotas
from skinclinic.services.binning import bin, restoring
from skinclinic.services.erasing import erase
from tests import factories
from tests.plans import with_no_index_but
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
PHOTOS = kept_counts.PHOTOS


@pytest.fixture
def many(clinic, clinician, other_clinic, monkeypatch):
    """Three photos, which are many."""
    monkeypatch.setattr(kept_counts, "FEW", 2)
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(3)]
    kept_counts.count_anew()
    return photos


def _broom():
    (broom,) = (
        one for one in housekeeping._brooms if getattr(one, "__wrapped__", None) is kept_counts.count_anew
    )
    return broom


def _photos(clinic):
    return kept_counts.of(clinic, PHOTOS)[PHOTOS]


def test_what_has_come_is_counted_at_once_and_what_has_gone_by_the_next_sweep(
    many, clinic, clinician, other_clinic
):
    assert _photos(clinic).count == 3 and _photos(clinic).at
    assert _photos(other_clinic) == kept_counts.Counted(0)
    factories.make_photo(clinic, clinician, seed=9)
    assert _photos(clinic).count == 4
    _broom()()
    many[0].delete()
    assert _photos(clinic).count == 4
    _broom()()  # It is not time yet.
    assert _photos(clinic).count == 4
    kept_counts.count_anew()
    assert _photos(clinic).count == 3
    many[1].delete()
    kept_counts.count_anew()
    assert _photos(clinic) == kept_counts.Counted(2)
    assert not KeptCount.objects.filter(what=PHOTOS).exists()


@pytest.fixture
def archive(many, clinic, clinician, curator):
    """An archive of three photos, which look alike, beside three proven ones of patients who consent."""
    entries = [
        factories.make_entry(photo, curator, label=label, taken_on=date(2021, month, 3))
        for photo, label, month in zip(many, ("bcc", "Rosacea", "Rosacea"), (5, 5, 2), strict=True)
    ]
    BackgroundDisease.objects.create(clinic=clinic, name="Rosacea")
    for first, second in itertools.combinations(entries, 2):
        DuplicatePair.objects.create(
            clinic=clinic, first=first, second=second, distance=1, across_patients=True
        )
    for seed in range(30, 33):
        _prove(factories.make_photo(clinic, clinician, seed=seed), clinician)
    kept_counts.count_anew()
    return entries


def _prove(photo, user):
    photo.lesion.patient = factories.make_patient(photo.clinic, f"P-{photo.pk}", research_consent="given")
    photo.lesion.save()
    diagnoses.record(lesion=photo.lesion, user=user, kind="pathology", disease="bcc")


_PAGES = ("duplicates", "sources", "vocabulary", "archive-dates", "dataset-candidates", "dataset-new")


def test_pages_read_no_more_than_has_come_since(archive, admin_user, curator, client_for):
    people = dict.fromkeys(_PAGES, curator) | {"clinic-settings": admin_user, "overview": admin_user}
    for page, person in people.items():
        with CaptureQueriesContext(connection) as asked:
            response = client_for(person).get(url(page))
        assert response.status_code == 200
        assert [one["sql"] for one in asked if _reads_all(one["sql"])] == [], page
        if page not in ("overview", "dataset-new", "duplicates"):
            assert "Large numbers were counted at" in response.text, page
    assert "as counted " in client_for(curator).get(url("duplicates")).text


_GROWING = ("skinclinic_photo", "archive_entry", "archive_duplicatepair", "skinclinic_patient")
# What needs attention is counted so far.
_MOST = 1000


def _reads_all(sql: str) -> bool:
    """Whether a statement counts rows of a table that grows, or looks for some in it that are not proven and waiting by
    their keys, without a bound."""
    if "COUNT(" in sql or "MAX(" in sql:
        limits = [int(text) for text in re.findall(r" LIMIT (\d+)", sql)]
        # What a search finds is counted further, without the rows of other tables.
        most = shown.MOST_COUNTED + 1 if "JOIN" not in sql else _MOST
        is_bound = '"id" > ' in sql or any(limit <= most for limit in limits)
        return not is_bound and any(f'FROM "{table}"' in sql for table in _GROWING)
    return '"archive_entry"."id" IS NULL' in sql and '"id" IN (' not in sql and '"id" > ' not in sql


def test_numbers_of_an_archive_are_kept_by_source_label_and_month(archive, clinic, curator, client_for):
    source = str(archive[0].source_id)
    told = {"bcc": 1, "Rosacea": 2}

    def numbers():
        return [dict(one(clinic).parts) for one in (size.by_source, size.by_label, size.by_month)]

    assert numbers() == [{source: 3}, told, {"2021-05-01": 2, "2021-02-01": 1}]
    new = factories.make_photo(clinic, curator, seed=40)
    factories.make_entry(new, curator, label="mm", taken_on=date(2021, 2, 9))
    Entry.objects.filter(pk=archive[0].pk).update(label="mm")
    assert numbers() == [{source: 4}, told | {"mm": 1}, {"2021-05-01": 2, "2021-02-01": 2}]
    assert size.by_label(clinic).at
    kept_counts.count_anew()
    assert numbers()[1] == {"mm": 2, "Rosacea": 2}
    tree = client_for(curator).get(url("archive-dates")).text
    assert tree.count('<span class="num">4</span>') == 2 and tree.count('<span class="num">2</span>') == 2


def test_few_are_counted_at_once_and_nothing_is_said_of_when(clinic, curator, client_for):
    photo = factories.make_photo(clinic, curator, seed=1)
    entry = factories.make_entry(photo, curator, label="bcc", taken_on=date(2021, 5, 3))
    kept_counts.count_anew()
    Entry.objects.filter(pk=entry.pk).update(label="mm", taken_on=date(2020, 1, 1))
    assert size.by_label(clinic) == kept_counts.Counted(1, parts={"mm": 1})
    client = client_for(curator)
    for page in _PAGES:
        text = client.get(url(page)).text
        assert "counted" not in text, page
    assert "2020" in client.get(url("archive-dates")).text


def test_of_a_selection_of_many_photos_all_months_are_listed_without_numbers(
    archive, curator, client_for, monkeypatch
):
    monkeypatch.setattr(shown, "MOST_COUNTED", 2)
    client = client_for(curator)
    tree = client.get(url("archive-dates"), {"label": "Rosacea"}).text
    assert tree.count('<span class="num">1</span>') == 2 and "without numbers" not in tree
    tree = client.get(url("archive-dates"), {"review": "pending"}).text
    assert "More than 2 photos: all months of the archive, without numbers." in tree
    assert not re.search(r'"num">\d', tree) and tree.count("date%3A2021-0") == 2


def test_a_decided_pair_is_counted_out_at_once(archive, clinic, curator):
    def left():
        return [duplicates.left(clinic, show).count for show in ("", "patients", "sources")]

    pairs = list(DuplicatePair.objects.order_by("pk"))
    assert left() == [3, 3, 0]
    for pair in pairs[:2]:
        duplicates.decide(pair, curator, "different")
    assert left() == [1, 1, 0]
    duplicates.reopen(pairs[0], curator)
    assert left() == [2, 2, 0]
    photo = factories.make_photo(clinic, curator, seed=41)
    new = DuplicatePair.objects.create(
        clinic=clinic, first=archive[0], second=factories.make_entry(photo, curator), distance=2
    )
    assert left() == [3, 2, 0]
    duplicates.decide(new, curator, "different")
    assert left() == [2, 2, 0]
    kept_counts.count_anew()
    assert left() == [2, 2, 0] and not duplicates.left(clinic).at


def test_the_next_pair_is_found_past_those_of_rejected_photos(archive, clinic, curator):
    pairs = list(DuplicatePair.objects.order_by("pk"))
    DuplicatePair.objects.filter(pk=pairs[2].pk).update(distance=0)
    kept_counts.count_anew()
    order = [pairs[2], pairs[0], pairs[1]]
    assert duplicates.next_open(clinic, "") == order[0]
    for before, pair in itertools.pairwise(order):
        assert duplicates.next_open(clinic, "", (before.distance, before.pk)) == pair
    Entry.objects.filter(pk=archive[2].pk).update(review="rejected")
    with CaptureQueriesContext(connection) as asked:
        assert duplicates.next_open(clinic, "patients") == pairs[0]
    of_pairs = [one["sql"] for one in asked if 'FROM "archive_duplicatepair"' in one["sql"]]
    assert of_pairs and all(re.search(r'"archive_duplicatepair"."id" (=|>|IN) ', sql) for sql in of_pairs)
    Entry.objects.filter(pk=archive[2].pk).update(review="pending")
    duplicates.decide(pairs[2], curator, "different")
    assert duplicates.next_open(clinic, "") == pairs[0]
    assert duplicates.next_open(clinic, "", (1, pairs[1].pk)) is None


def test_photos_for_the_archive_are_shown_as_they_stand_now(archive, clinic, clinician, curator, client_for):
    client = client_for(curator)

    def shown():
        page = client.get(url("dataset-candidates"))
        return [photo.pk for photo, _treated in page.context["rows"]], page.context["count"]

    waiting = list(from_clinic.candidates(clinic).order_by("pk"))
    keys = [photo.pk for photo in waiting]
    assert shown() == (keys, 3)
    client.post(url("dataset-candidates"), {"photos": keys[:1]})
    assert shown() == (keys[1:], 2)
    # Its count is mended by the next sweep.
    Patient.objects.filter(pk=waiting[1].lesion.patient_id).update(research_consent="refused")
    assert shown() == (keys[2:], 2)
    new = factories.make_photo(clinic, clinician, seed=42)
    _prove(new, clinician)
    assert shown() == ([keys[2], new.pk], 3)
    kept_counts.count_anew()
    assert shown() == ([keys[2], new.pk], 2)


def test_the_next_pair_and_the_newest_photo_have_indexes_of_their_own(clinic):
    """Else PostgreSQL looks for a small clinic's among all, for the few pairs across patients among all pairs, and for
    what a reviewer is to look at again, which is seldom anything, among all that the reviewer has seen."""
    newest = Entry.objects.filter(clinic=clinic).order_by("-pk")[:1]
    if connection.vendor != "postgresql":
        assert "entry_by_clinic" in newest.explain()
        return
    pairs = DuplicatePair.objects.filter(clinic=clinic)
    following = pairs.filter(verdict="open").order_by("distance", "pk")
    again = Entry.objects.filter(clinic=clinic, review="pending", reviewed_by=1).order_by("-id")[:61]
    for index, rows in {
        "entry_by_clinic": newest,
        "entry_pending_again": again,
        "pair_next_patients": following.filter(across_patients=True)[:1],
        "pair_next_sources": following.filter(across_sources=True)[:1],
        "pair_decided": pairs.exclude(verdict="open").order_by("-id")[:51],
    }.items():
        with with_no_index_but(index):
            plan = rows.explain()
        assert index in plan and "Sort" not in plan, plan


def test_a_clinic_is_full_to_the_last_photo_without_counting_them(many, clinic, clinician, settings):
    settings.CLINIC_PHOTOS = 4
    last = factories.make_photo(clinic, clinician, seed=8)

    def is_full() -> bool:
        with CaptureQueriesContext(connection) as asked:
            try:
                quotas.check_photos(clinic)
            except quotas.OverQuota:
                return True
            finally:
                assert [one["sql"] for one in asked if _reads_all(one["sql"])] == []
        return False

    assert is_full() and Photo.objects.count() == 4
    # Each way in which photos go or come back; also one that came since they were counted.
    for photo in (many[0], last):
        item = bin.put(photo, clinician, reason="mistake")
        assert not is_full()
        restoring.restore(item, clinician)
        assert is_full()
    photos.delete_photo(Photo.objects.get(pk=many[1].pk))
    assert not is_full()
    factories.make_photo(clinic, clinician, seed=9)
    assert is_full()
    patient = factories.make_patient(clinic, "P-1")
    many[2].lesion.patient = patient
    many[2].lesion.save()
    erase.erase(patient, clinician, reason="asked")
    assert not is_full() and Photo.objects.count() == _photos(clinic).count == 3
    kept_counts.count_anew()
    assert Photo.objects.count() == _photos(clinic).count == 3


def test_what_goes_while_all_are_counted_is_counted_out_once(many, clinic, monkeypatch):
    large = kept_counts._large

    def meanwhile(kind, found):
        if kind is kept_counts.kinds[PHOTOS] and Photo.objects.filter(pk=many[0].pk).exists():
            photos.delete_photo(many[0])
        return large(kind, found)

    monkeypatch.setattr(kept_counts, "FEW", 1)
    monkeypatch.setattr(kept_counts, "_large", meanwhile)
    kept_counts.count_anew()
    assert Photo.objects.count() == _photos(clinic).count == 2
    kept_counts.count_anew()
    assert _photos(clinic).count == 2 and _photos(clinic).at


def test_an_unchanged_archive_of_many_is_not_searched_again(many, clinic, curator, monkeypatch):
    for photo in many:
        factories.make_entry(photo, curator)
    search = duplicates.request_search(clinic)
    kept_counts.count_anew()
    assert not duplicates.search_is_due(clinic, search)
    factories.make_entry(factories.make_photo(clinic, curator, seed=20), curator)
    assert duplicates.search_is_due(clinic, search)
