"""What grows with the archive is not counted in a request."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from skinclinic.archive.services import size
from skinclinic.archive.services.curating import duplicates
from skinclinic.engine import housekeeping
from skinclinic.models import KeptCount, Photo
from skinclinic.services import kept_counts, quotas
from tests import factories
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


def test_pages_read_no_more_than_has_come_since(many, clinic, admin_user, curator, client_for):
    for photo in many:
        factories.make_entry(photo, curator)
    kept_counts._keep(
        size._ENTRIES,
        [KeptCount(clinic=clinic, what=size._ENTRIES, count=3, up_to=MOST, counted_at=photo.created_at)],
    )
    for person, page in ((admin_user, "clinic-settings"), (admin_user, "overview"), (curator, "duplicates")):
        with CaptureQueriesContext(connection) as asked:
            response = client_for(person).get(url(page))
        assert response.status_code == 200
        assert [one["sql"] for one in asked if _reads_all(one["sql"])] == []
    assert "Large numbers were counted at" in client_for(admin_user).get(url("clinic-settings")).text


MOST = 2**40
_GROWING = ("skinclinic_photo", "archive_entry")


def _reads_all(sql: str) -> bool:
    """Whether a statement counts rows of a table that grows, without a bound."""
    counts = "COUNT(" in sql or "MAX(" in sql
    is_bound = " LIMIT " in sql or '"id" > ' in sql
    return counts and not is_bound and any(f'FROM "{table}"' in sql for table in _GROWING)


def test_a_clinic_is_full_by_what_is_there_and_not_by_what_was_counted(many, clinic, settings):
    settings.CLINIC_PHOTOS = 3
    with pytest.raises(quotas.OverQuota):
        quotas.check_photos(clinic)
    Photo.objects.filter(pk=many[0].pk).delete()
    assert _photos(clinic).count == 3
    quotas.check_photos(clinic)


def test_an_unchanged_archive_of_many_is_not_searched_again(many, clinic, curator, monkeypatch):
    for photo in many:
        factories.make_entry(photo, curator)
    search = duplicates.request_search(clinic)
    kept_counts.count_anew()
    assert not duplicates.search_is_due(clinic, search)
    factories.make_entry(factories.make_photo(clinic, curator, seed=20), curator)
    assert duplicates.search_is_due(clinic, search)
