"""Large versions are frozen by a job that reads every file first."""

import pytest

from skinclinic.archive.services.datasets import freezing, large
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.models import Job
from skinclinic.services.refused import Refused
from tests.skinclinic.pages import audited

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def many_are_few(monkeypatch):
    monkeypatch.setattr(large, "MOST_AT_ONCE", 3)


def freeze(client, draft) -> None:
    client.post(f"/archive/datasets/{draft.pk}/act/", {"act": "freeze"})


def test_the_page_says_that_it_is_being_frozen_and_then_that_it_is(draft, curator, client_for):
    client, address = client_for(curator), f"/archive/datasets/{draft.pk}/"
    status = f"/work/dataset/{draft.pk}/"
    freeze(client, draft)
    assert 'id="work-dataset"' in client.get(address).content.decode()
    assert "HX-Refresh" not in client.get(status)
    jobs.run_waiting(large.FREEZE_JOB)
    draft.refresh_from_db()
    assert draft.is_frozen and draft.frozen_by == curator and draft.sha256
    assert audited("dataset.freeze")
    assert client.get(status)["HX-Refresh"] == "true"
    assert 'id="work-dataset"' not in client.get(address).content.decode()


def test_a_changed_file_keeps_it_a_draft_and_is_said(draft, curator, client_for):
    client = client_for(curator)
    freeze(client, draft)
    store.path_of(draft.items.first().entry.photo.file_key).write_bytes(b"another photo")
    jobs.run_waiting(large.FREEZE_JOB)
    draft.refresh_from_db()
    assert not draft.is_frozen
    assert "gone or changed" in client.get(f"/archive/datasets/{draft.pk}/").content.decode()


def test_a_double_click_freezes_once(draft, curator, client_for):
    client = client_for(curator)
    freeze(client, draft)
    freeze(client, draft)
    assert jobs.run_waiting(large.FREEZE_JOB) == 1


def test_a_photo_rejected_meanwhile_is_said(draft, curator, entries):
    freezing.request(draft, curator)
    type(entries[0]).objects.filter(pk=entries[0].pk).update(review="rejected")
    jobs.run_waiting(large.FREEZE_JOB)
    draft.refresh_from_db()
    assert not draft.is_frozen
    assert "rejected" in Job.objects.get(kind=large.FREEZE_JOB).error
    with pytest.raises(Refused, match="rejected"):
        freezing.freeze(draft, curator)


def test_freezing_while_the_photos_are_still_added(client_for, curator, draft, clinic):
    key = draft.pk
    Job.objects.create(kind=large.FILL_JOB, key=f"{key}:1", subject=key, clinic=clinic)
    freeze(client_for(curator), draft)
    draft.refresh_from_db()
    assert not draft.is_frozen
