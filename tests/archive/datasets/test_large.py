"""Large versions: whatever grows with them is done by a job, and their pages show what was counted once."""

import itertools
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode

from skinclinic.archive.models import DatasetFound, DatasetVersion, DuplicatePair, Entry, Source
from skinclinic.archive.services.datasets import (
    counted,
    datasets,
    dividing,
    found,
    freezing,
    large,
    withdrawal,
)
from skinclinic.archive.services.searching import selection
from skinclinic.archive.views import members as member_pages
from skinclinic.engine import jobs, work
from skinclinic.models import Job, Patient
from skinclinic.services.refused import Refused
from tests.cases import each

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def many_are_few(monkeypatch):
    monkeypatch.setattr(large, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(large, "PART", 2)


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


def act(client, version, **values):
    return client.post(f"/archive/datasets/{version.pk}/act/", values, follow=True)


def run() -> None:
    for kind in (*large.JOBS, counted.JOB):
        jobs.run_waiting(kind)


def members(version) -> list[tuple]:
    fields = [name for name in ("entry_id", *datasets.COPIED)]
    return list(version.items.order_by("entry_id", "content_sha256").values_list(*fields))


def page_of(client, version) -> str:
    return client.get(f"/archive/datasets/{version.pk}/").content.decode()


def reads_of_members(queries) -> list[str]:
    """The statements that look through the members of a version: with no limit, not by keys, and not the end of the
    index of contents, where photos stand that were withdrawn."""
    found = [query["sql"] for query in queries if "archive_datasetitem" in query["sql"]]
    found = [sql for sql in found if "\"content_sha256\" >= 'withdrawn:'" not in sql]
    return [
        sql for sql in found if " LIMIT " not in sql and not re.search(r'"(id|content_sha256)" (IN|=) ', sql)
    ]


def some_changed(entries) -> None:
    """The archive says otherwise of one, has rejected one, and has lost one."""
    Entry.objects.filter(pk=entries[0].pk).update(label="scc", subtype="Basaloid", age=71)
    Entry.objects.filter(pk=entries[1].pk).update(review="rejected")
    Entry.objects.filter(pk=entries[2].pk).delete()


ACTS = [
    ({"act": "refresh"}, lambda version: datasets.refresh(version)),
    ({"act": "split", "method": "patient", "percent": 60, "seed": 3},
     lambda version: dividing.split(version, "patient", 0.6, 3)),
    ({"act": "take-out", "reason": "rejected"},
     lambda version: datasets.remove_all(version, version.items.filter(entry__review="rejected"))),
    ({"act": "fill"}, lambda version: datasets.set_members(version, datasets.entries_of(version))),
]  # fmt: skip


@each("asked, at_once", ACTS)
def test_a_job_does_the_same_as_the_act_at_once(draft, entries, client, curator, clinic, asked, at_once):
    query = selection.Selection(review="accepted").to_json()
    DatasetVersion.objects.filter(pk=draft.pk).update(query=query)
    other = datasets.create(clinic, curator, "Beside it")
    datasets.set_members(other, Entry.objects.filter(clinic=clinic))
    DatasetVersion.objects.filter(pk=other.pk).update(query=query)
    some_changed(entries)
    before = members(draft)
    page = act(client, draft, **asked).content.decode()
    assert 'id="work-dataset"' in page and 'value="freeze"' not in page
    assert members(draft) == before
    run()
    at_once(DatasetVersion.objects.get(pk=other.pk))
    assert members(draft) == members(other) != before
    draft.refresh_from_db()
    other.refresh_from_db()
    assert (draft.split, draft.asked) == (other.split, None)
    assert draft.photos == draft.items.count()
    assert 'id="work-dataset"' not in page_of(client, draft)


def test_a_new_version_is_filled_by_a_job_without_photos_that_may_not_be_used(frozen, entries, client):
    Entry.objects.filter(pk=entries[2].pk).delete()
    Patient.objects.filter(pk=entries[0].patient_id).update(research_consent="refused")
    page = act(client, frozen, act="continue")
    draft = DatasetVersion.objects.get(dataset=frozen.dataset, number=2)
    assert page.redirect_chain[-1][0] == f"/archive/datasets/{draft.pk}/" and not draft.items.exists()
    with pytest.raises(Refused, match="still being worked on"):
        freezing.request(draft, frozen.created_by)
    run()
    kept = [entry.pk for entry in entries[3:]]
    assert [row[0] for row in members(draft)] == kept
    assert members(draft) == [row for row in members(frozen) if row[0] in kept]
    draft.refresh_from_db()
    assert draft.photos == 3 and draft.asked is None and draft.split == frozen.split


class Killed(Exception):
    """Stands for the end of the process."""


def killed_at(share: float):
    def say(done: float) -> None:
        if done >= share:
            raise Killed

    return say


def test_a_copy_that_was_interrupted_goes_on_and_holds_no_photo_twice(frozen, client, curator):
    act(client, frozen, act="continue")
    draft = DatasetVersion.objects.get(dataset=frozen.dataset, number=2)
    with pytest.raises(Killed):
        datasets.copy(draft, killed_at(0.5))
    assert 0 < draft.items.count() < 6
    work.cancel(work.last(large.JOBS, draft.pk), curator)
    with pytest.raises(Refused, match="is not finished"):
        freezing.request(draft, curator)
    assert "Stopped by" in page_of(client, draft)
    there = members(draft)
    address = f"/archive/datasets/{draft.pk}/photos/act/"
    told = client.post(address, {"act": "remove", "items": draft.items.first().pk}, follow=True)
    assert "is not finished" in told.content.decode() and members(draft) == there
    assert "is not finished" in act(client, draft, act="fill").content.decode() and members(draft) == there
    client.post(f"/work/dataset/{draft.pk}/", {"act": "retry"})
    run()
    assert members(draft) == members(frozen)
    draft.refresh_from_db()
    assert draft.photos == 6 and freezing.problems(draft) == []


def test_taking_over_corrections_goes_on_where_it_was_interrupted(draft, entries):
    Entry.objects.update(label="scc")
    with pytest.raises(Killed):
        datasets.refresh(draft, killed_at(0.6))
    assert draft.items.filter(label="scc").count() == 4
    with CaptureQueriesContext(connection) as queries:
        datasets.refresh(draft)
    assert draft.items.filter(label="scc").count() == 6
    # What is right already is not written again.
    assert sum('UPDATE "archive_datasetitem"' in query["sql"] for query in queries) == 1


def test_a_division_of_other_photos_is_not_stored(draft, entries):
    division = dividing.divide(draft, "patient", 0.5)
    datasets.remove(draft, [draft.items.first().pk])
    with pytest.raises(Refused, match="changed while it was divided"):
        dividing.store_split(draft, division)
    assert not draft.items.exclude(split="").exists()


def test_one_photo_less_takes_the_split_back_by_a_job(draft, entries, client, curator):
    dividing.split(draft, "patient", 0.5)
    gone = draft.items.first().pk
    client.post(f"/archive/datasets/{draft.pk}/photos/act/", {"act": "remove", "items": gone})
    draft.refresh_from_db()
    assert draft.split == {} and draft.photos == 5 and draft.items.exclude(split="").exists()
    with pytest.raises(Refused, match="still being worked on"):
        freezing.request(draft, curator)
    run()
    assert not draft.items.exclude(split="").exists()
    assert freezing.problems(DatasetVersion.objects.get(pk=draft.pk)) == []


def test_a_large_draft_is_discarded_by_a_job(draft, client):
    page = act(client, draft, act="discard").content.decode()
    assert "is being discarded" in page and f"/archive/datasets/{draft.pk}/" not in page
    run()
    assert not DatasetVersion.objects.filter(pk=draft.pk).exists()


def test_a_page_is_counted_once_and_then_reads_no_members(frozen, client):
    assert 'id="work-dataset-figures"' in page_of(client, frozen)
    page_of(client, frozen)
    assert Job.objects.filter(kind=counted.JOB).count() == 1
    run()
    with CaptureQueriesContext(connection) as queries:
        page = page_of(client, frozen)
    assert reads_of_members(queries) == []
    assert "Photos (biopsy-proven)" in page and "What the archive changed since" in page
    assert 'id="work-dataset-figures"' not in page


def test_what_is_kept_is_what_a_small_version_shows(frozen, entries, client, curator, monkeypatch):
    draft = datasets.new_version(frozen.dataset, curator)
    datasets.relabel(draft, [draft.items.first().pk], "scc")
    Entry.objects.filter(pk=entries[1].pk).update(review="rejected")
    DuplicatePair.objects.create(clinic=draft.clinic, first=entries[1], second=entries[4], distance=2)
    draft.refresh_from_db()
    page_of(client, draft)
    run()
    kept = counted.of(draft)
    monkeypatch.setattr(large, "MOST_AT_ONCE", 100)
    now = counted.of(draft)
    assert kept.at and not now.at
    for name in ("classes", "others", "ethnicity", "skin_type", "split", "tags"):
        # In the same order, too, which the database's own JSON does not keep.
        assert list(getattr(kept.summary, name).items()) == list(getattr(now.summary, name).items()), name
    assert list(kept.changes_since(frozen)) == list(now.changes_since(frozen))
    assert kept.summary == now.summary and kept.sides == now.sides and kept.sources == now.sources
    assert kept.checks == now.checks and kept.stands_against == now.stands_against != []
    assert kept.changes_since(frozen) == now.changes_since(frozen)
    label = entries[1].label
    narrowed = {}, {"only": label}, {"only": label, "split": draft.items.get(entry=entries[1]).split}
    for reason, narrow in itertools.product(("rejected", "undecided", "alike"), narrowed):
        address, asked = f"/archive/datasets/{draft.pk}/photos/", {"against": reason} | narrow
        shown = [item.pk for item in client.get(address, asked).context["items"]]
        monkeypatch.setattr(large, "MOST_AT_ONCE", 3)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address, asked)
        assert [item.pk for item in page.context["items"]] == shown != []
        assert page.context["found"]["count"] == len(shown) and reads_of_members(queries) == []
        monkeypatch.setattr(large, "MOST_AT_ONCE", 100)


def test_a_page_reads_only_the_keys_that_it_shows(frozen, entries, client, curator, monkeypatch):
    draft = datasets.new_version(frozen.dataset, curator)
    Entry.objects.update(review="rejected")
    run()
    keys = list(draft.items.order_by("pk").values_list("pk", flat=True))
    label, side = draft.items.values_list("label", "split")[1]
    narrowed = [{"label": label}, {"split": side}, {"label": label, "split": side}]
    monkeypatch.setattr(found, "PART", 2)
    for most in (100, 0):
        # Few are chosen among all; of many the parts of each label and side are kept.
        monkeypatch.setattr(found, "MOST", most)
        counted.ask(draft)
        run()
        assert list(counted.marked(draft, "rejected").keys) == keys and len(keys) > 5
        for to in narrowed:
            expected = list(draft.items.filter(**to).order_by("pk").values_list("pk", flat=True))
            assert list(counted.marked(draft, "rejected", to=to).keys) == expected != []
        assert list(counted.marked(draft, "deleted").keys) == []
    monkeypatch.setattr(member_pages, "PAGE_SIZE", 2)
    of_label = list(draft.items.filter(label=label).order_by("pk").values_list("pk", flat=True))
    for asked, expected in (({}, keys), ({"only": label}, of_label)):
        address = f"/archive/datasets/{draft.pk}/photos/?{urlencode({'against': 'rejected'} | asked)}"
        pages = []
        while address:
            with CaptureQueriesContext(connection) as queries:
                page = client.get(address)
            reads = [one["sql"] for one in queries if 'SELECT "archive_datasetfound"."keys"' in one["sql"]]
            assert 1 <= len(reads) <= 2 and reads_of_members(queries) == []
            pages.append([item.pk for item in page.context["items"]])
            before, address = page.context["previous_url"], page.context["next_url"]
        assert list(itertools.chain(*pages)) == expected and bool(before) is (len(pages) > 1)
        if before:
            assert [item.pk for item in client.get(before).context["items"]] == pages[-2]
    # One that has another label meanwhile is passed over.
    datasets.relabel(draft, [pages[0][0]], "scc")
    page = client.get(f"/archive/datasets/{draft.pk}/photos/", {"against": "rejected", "only": label})
    assert pages[0][0] not in [item.pk for item in page.context["items"]]
    DatasetFound.objects.all().delete()
    with pytest.raises(counted.NotCounted):
        counted.marked(draft, "rejected")


def test_differences_of_large_versions_are_those_that_were_counted(frozen, client, curator):
    draft = datasets.new_version(frozen.dataset, curator)
    gone = draft.items.first()
    datasets.remove(draft, [gone.pk])
    address = f"/archive/datasets/{draft.pk}/differences/"
    run()
    assert client.get(address)["Location"] == f"/archive/datasets/{draft.pk}/"
    run()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address)
    assert [item.content_sha256 for item in page.context["items"]] == [gone.content_sha256]
    assert reads_of_members(queries) == []


def test_a_change_is_said_to_be_counted_again(draft, client, entries, curator):
    page_of(client, draft)
    run()
    datasets.relabel(draft, [draft.items.first().pk], "wart")
    assert "before the last change" in page_of(client, draft)
    run()
    assert "before the last change" not in page_of(client, draft)


def test_a_consent_that_is_withdrawn_makes_a_frozen_version_count_again(frozen, entries, client, curator):
    Source.objects.update(is_own=True)
    page_of(client, frozen)
    run()
    list(withdrawal.in_archive(entries[0].patient, curator, True))
    assert "before the last change" in page_of(client, DatasetVersion.objects.get(pk=frozen.pk))


def test_counting_again_sees_what_the_archive_has_changed(draft, client, entries):
    page_of(client, draft)
    run()
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    assert "Take out the 1 rejected" not in page_of(client, draft)
    act(client, draft, act="count")
    run()
    assert "Take out the 1 rejected" in page_of(client, draft)


def test_side_by_side_says_what_is_still_being_counted(frozen, client):
    address = "/archive/datasets/compare/"
    assert "Being counted" in client.get(address, {"version": frozen.pk, "as": "csv"}).content.decode()
    run()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address, {"version": frozen.pk}).content.decode()
    assert "Being counted" not in page and "Photos (biopsy-proven)" in page
    assert reads_of_members(queries) == []


def test_the_list_of_datasets_adds_no_members_up(frozen, client):
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/archive/datasets/").content.decode()
    assert reads_of_members(queries) == [] and "Tumours" in page
