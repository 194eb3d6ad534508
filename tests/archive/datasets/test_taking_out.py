"""What stands against photos of a draft: found in the list of photos and taken out in one go."""

import pytest

from skinclinic.archive.models import DuplicatePair, Entry
from skinclinic.archive.services.datasets import dividing, freezing
from skinclinic.services.photos import delete_photo
from tests.cases import each

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


def photos(client, version, **asked):
    return client.get(f"/archive/datasets/{version.pk}/photos/", asked)


def test_the_rejected_are_taken_out_beside_the_check_that_fails(draft, entries, client, curator):
    dividing.split(draft, "patient", 0.5)
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    page = client.get(f"/archive/datasets/{draft.pk}/").content.decode()
    assert "Take out the 1 rejected photo" in page
    answer = client.post(
        f"/archive/datasets/{draft.pk}/act/", {"act": "take-out", "reason": "rejected"}, follow=True
    )
    text = answer.content.decode()
    assert "1 photo was taken out. The split was taken back" in text
    assert "Take out the" not in text
    assert set(draft.items.values_list("entry", flat=True)) == {entry.pk for entry in entries[1:]}
    draft.refresh_from_db()
    assert draft.split == {}
    assert freezing.freeze(draft, curator).is_frozen


def test_deleted_photos_are_taken_out_as_well(draft, entries, client):
    delete_photo(entries[0].photo)
    assert "Take out the 1 deleted photo" in client.get(f"/archive/datasets/{draft.pk}/").content.decode()
    client.post(f"/archive/datasets/{draft.pk}/act/", {"act": "take-out", "reason": "deleted"})
    assert draft.items.count() == 5


@each("reason", ["", "labels", "near", "alike", "\0"])
def test_nothing_else_is_taken_out_without_being_looked_at(draft, client, reason):
    client.post(f"/archive/datasets/{draft.pk}/act/", {"act": "take-out", "reason": reason})
    assert draft.items.count() == 6


def test_a_frozen_version_keeps_them(frozen, entries, client):
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    assert "Take out the" not in client.get(f"/archive/datasets/{frozen.pk}/").content.decode()
    client.post(f"/archive/datasets/{frozen.pk}/act/", {"act": "take-out", "reason": "rejected"})
    assert frozen.items.count() == 6


def test_photos_are_listed_by_what_stands_against_them(draft, entries, client, clinic):
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    Entry.objects.filter(pk=entries[1].pk).update(review="pending")
    DuplicatePair.objects.create(clinic=clinic, first=entries[3], second=entries[4], distance=1)
    for reason, wanted in (
        ("rejected", entries[:1]), ("reviewed", entries[1:2]), ("alike", entries[3:5]), ("undecided", entries[3:5]),
    ):  # fmt: skip
        page = photos(client, draft, against=reason)
        assert [item.entry for item in page.context["items"]] == wanted, reason
        assert page.context["found"]["count"] == len(wanted)
    text = photos(client, draft, against="rejected").content.decode()
    assert "rejected</span>" in text and "Take out the 1 photo shown" in text
    assert photos(client, draft, against="nonsense").context["found"] is None


def test_all_that_are_shown_are_taken_out_at_once(draft, entries, client):
    Entry.objects.filter(pk__in=[entries[0].pk, entries[2].pk]).update(review="pending")
    act = f"/archive/datasets/{draft.pk}/photos/act/"
    answer = client.post(act, {"act": "remove-all", "against": "reviewed", "only": "mm"})
    assert answer["Location"] == f"/archive/datasets/{draft.pk}/photos/"
    assert draft.items.count() == 5 and not draft.items.filter(entry=entries[2]).exists()
    client.post(act, {"act": "remove-all"})
    assert draft.items.count() == 5, "without a filter it would be everything"
