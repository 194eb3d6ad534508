"""Choosing photos on the pages: what is sent, what the receipt says, who may."""

import pytest
from django.urls import reverse

from skinclinic.archive.models import BulkChange, Entry
from skinclinic.archive.services.bulk import bulk, gathering
from skinclinic.archive.services.datasets import datasets
from skinclinic.engine import jobs
from tests.archive import bulk_archive
from tests.cases import each
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db
COUNT = 12


@pytest.fixture
def archive(clinic, curator):
    return bulk_archive.make(clinic, curator, COUNT, review="pending", label="bcc")


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


def send(client, **values):
    return client.post(url("archive-bulk"), {"back": "/archive/?label=bcc", **values})


def keys(some) -> str:
    return ",".join(map(str, some))


def test_the_chosen_are_rejected_with_a_reason_and_the_page_says_so(client, archive):
    # A page that says it was drawn at the beginning of time is believed as little as one that says nothing.
    asked = {"action": "reject", "reason": "inadequate", "entries": keys(archive[:3])}
    answer = send(client, **asked, seen="0001-01-01T00:00:00+14:00")
    assert answer["Location"] == "/archive/?label=bcc"
    page = client.get(answer["Location"]).content.decode()
    assert "Reject: Inadequate photo" in page and "3 photos changed" in page
    assert Entry.objects.filter(review="rejected", reject_reason="inadequate").count() == 3
    row = BulkChange.objects.get()
    receipt = client.get(url("archive-bulk-row", row.pk)).content.decode()
    assert "Undo all of it" in receipt and "3 photos changed" in receipt
    client.post(url("archive-bulk-undo", row.pk), {"back": "/archive/"})
    assert not Entry.objects.filter(review="rejected").exists()
    assert "Undo all of it" not in client.get(url("archive-bulk-row", row.pk)).content.decode()
    assert client.get(url("archive-bulk")).content.decode().count("Reject: Inadequate photo") == 2


def test_all_that_match_the_search_are_one_job_that_the_page_shows(client, archive, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 5)
    assert client.get(url("archive-bulk-count"), {"label": "bcc"}).json() == {"count": COUNT, "more": False}
    send(
        client, action="relabel", label_typed="Wart", note="Seen on the photo", all="1", **{"s-label": "bcc"}
    )
    row = BulkChange.objects.get()
    assert (row.state, row.total, row.selection) == ("waiting", COUNT, {"label": "bcc"})
    assert "work-bulk" in client.get("/archive/").content.decode()
    assert "HX-Refresh" not in client.get(url("work", "bulk", row.pk))
    jobs.run_waiting(bulk.JOB)
    assert client.get(url("work", "bulk", row.pk))["HX-Refresh"] == "true"
    assert set(Entry.objects.values_list("label", "icd10")) == {("wart", "B07")}
    assert "12 photos changed" in client.get(url("review")).content.decode()


def test_of_more_than_are_noted_the_page_says_that_they_are_gathered(client, archive, monkeypatch):
    monkeypatch.setattr(gathering, "NOTED", 5)
    send(client, action="tag", tags=["hair"], all="1", **{"s-label": "bcc"})
    row = BulkChange.objects.get()
    page = client.get(url("archive-bulk-row", row.pk)).content.decode()
    assert "The photos are being gathered." in page and '<span class="num">–</span>' in page
    jobs.run_waiting(bulk.GATHER_JOB)
    page = client.get(url("archive-bulk-row", row.pk)).content.decode()
    assert "photos that were in the archive when it was asked for" in page and "photos changed" in page
    assert "Undo all of it" in page


def test_photos_are_put_into_a_draft(client, archive, clinic, curator):
    version = datasets.create(clinic, curator, "Tumours")
    assert "Tumours v1" in client.get("/archive/").content.decode()
    send(client, action="add", entries=keys(archive[:4]), version=version.pk)
    assert version.items.count() == 4
    send(client, action="take_out", entries=keys(archive[:2]), version=version.pk)
    assert version.items.count() == 2


@each(
    "values, said",
    [
        ({"action": "accept"}, "Choose the photos first."),
        ({"action": "reject", "entries": "1,2"}, "Choose why the photo is rejected."),
        ({"action": "relabel", "label": "mm", "entries": "1"}, "Say why the photo gets another label."),
        ({"action": "tag", "entries": "1"}, "Choose at least one tag."),
        ({"action": "add", "entries": "1", "version": "999"}, "Choose a dataset with a draft."),
        ({"action": "", "entries": "1"}, "Choose what to do with the photos."),
        ({"action": "accept", "all": "1", "s-q": "("}, "is missing"),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(client, archive, clinic, values, said):
    before = bulk_archive.state(clinic)
    answer = send(client, **values)
    assert said in messages_of(answer) and answer["Location"] == "/archive/?label=bcc"
    assert bulk_archive.state(clinic) == before and not BulkChange.objects.exists()


@each("back", ["https://example.org/", "//example.org", "/patients/", "javascript:alert(1)", "", "\0"])
def test_nobody_is_sent_elsewhere(client, archive, back):
    answer = send(client, action="accept", entries=keys(archive[:1]), back=back)
    assert answer["Location"].startswith(reverse("archive-bulk"))


def test_only_curators_choose(client_for, clinician, archive):
    client = client_for(clinician)
    page = client.get("/archive/").content.decode()
    assert "data-select" not in page and "bulk-bar" not in page
    assert send(client, action="accept", entries=keys(archive)).status_code == 403


@each("name", ["archive", "review"])
def test_pages_show_what_choosing_needs(client, archive, name):
    page = client.get(url(name)).content.decode()
    assert page.count("data-select=") == COUNT and 'id="bulk-bar"' in page
    assert client.get(url(name), {"q": "nothing like this"}).status_code == 200
