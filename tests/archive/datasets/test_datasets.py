"""Datasets from draft to frozen version, their checks, differences, summaries and exports."""

import statistics
from threading import Thread

import pytest
from django.db import connection

from skinclinic.archive.models import Dataset, DatasetItem, DatasetVersion, DuplicatePair, Entry
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import checks, datasets, differences, dividing, freezing, summary
from skinclinic.engine import jobs
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db


def check(version, key):
    return next(found for found in checks.of(version) if found.key == key)


def test_members_are_snapshots(draft, entries):
    item = draft.items.get(entry=entries[0])
    assert (item.label, item.sex, item.site, item.age) == ("bcc", "male", "cheek", 40)
    assert item.content_sha256 == entries[0].content_sha256
    assert len(set(draft.items.values_list("person", flat=True))) == 3


def test_a_frozen_version_refuses_every_change(frozen, curator):
    item = frozen.items.first()
    everything = Entry.objects.all()
    for change in (
        lambda: datasets.set_members(frozen, everything),
        lambda: datasets.add(frozen, everything),
        lambda: datasets.remove(frozen, [item.pk]),
        lambda: datasets.relabel(frozen, [item.pk], "mm"),
        lambda: datasets.refresh(frozen),
        lambda: dividing.split(frozen, "random", 0.5),
        lambda: datasets.discard(frozen),
        lambda: freezing.freeze(frozen, curator),
    ):
        with pytest.raises(Refused):
            change()


def test_other_clinics_photos_never_become_members(draft, other_clinic, outsider):
    factories.make_entry(factories.make_photo(other_clinic, outsider, seed=50), outsider)
    datasets.set_members(draft, Entry.objects.all())
    assert draft.items.count() == 6


def test_the_fingerprint_does_not_depend_on_order(frozen):
    members = list(frozen.items.values_list("content_sha256", "label", "split"))
    assert freezing.fingerprint(reversed(members)) == frozen.sha256
    assert freezing.fingerprint(members[1:]) != frozen.sha256
    assert frozen.provenance[0]["count"] == 6


def test_rejected_members_and_missing_files_prevent_freezing(draft, entries, curator):
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    with pytest.raises(Refused, match="1 photo was rejected"):
        freezing.freeze(draft, curator)
    assert not check(draft, "rejected").passed
    Entry.objects.filter(pk=entries[0].pk).update(review="accepted")
    from skinclinic.files import store

    store.path_of(entries[1].photo.file_key).unlink()
    with pytest.raises(Refused, match="gone"):
        freezing.freeze(draft, curator)


def test_a_new_version_shows_what_is_different(frozen, curator):
    new = datasets.new_version(frozen.dataset, curator)
    assert datasets.new_version(frozen.dataset, curator) == new
    assert freezing.fingerprint_of(new) == frozen.sha256
    first, last = new.items.first(), new.items.last()
    assert datasets.relabel(new, [first.pk], "scc") == 1
    DatasetItem.objects.filter(pk=last.pk).delete()
    found = differences.between(frozen, new)
    assert {name: change.count for name, change in found.items()} == {
        "added": 0, "removed": 1, "relabelled": 1, "moved": 0
    }  # fmt: skip
    assert found["relabelled"].items[0].was.label == "bcc"
    datasets.discard(new)
    assert frozen.dataset.versions.count() == 1


def test_an_age_that_is_a_range_has_no_part_in_the_mean(draft, entries):
    before = summary.of(draft).all
    draft.items.filter(entry=entries[0]).update(age=30, age_to=39)
    found = summary.of(draft).all
    assert (found.age_range, found.age_unknown) == (1, before.age_unknown)
    assert found.age_mean == pytest.approx(sum(40 + n for n in range(1, 6)) / 5)


def test_summary_counts_like_the_table(draft, django_assert_num_queries):
    with django_assert_num_queries(5):
        found = summary.of(draft)
    ages = [40, 41, 42, 43, 44, 45]
    assert (found.all.images, found.proven.images, found.all.patients) == (6, 5, 3)
    assert found.all.age_mean == pytest.approx(statistics.mean(ages), rel=1e-12)
    assert found.all.age_sd == pytest.approx(statistics.stdev(ages), rel=1e-12)
    assert found.all.male_percent == pytest.approx(100 / 3)
    assert list(found.classes)[:2] == ["bcc", "scc"] and found.classes["sk"] == (1, 0)
    assert found.others == {"Rosacea": (1, 1)} and found.others_total == (1, 1)
    assert found.ethnicity == {"Asian": 6}


def test_checks_name_the_photos_behind_them(frozen, entries, clinic):
    assert all(found.passed for found in checks.of(frozen))
    # What the software itself never does is put in by hand.
    item = frozen.items.get(entry=entries[5])
    other = frozen.items.get(entry=entries[0])
    DatasetItem.objects.filter(pk=item.pk).update(person=other.person, split="test", phash=other.phash)
    DatasetItem.objects.filter(pk=other.pk).update(split="train", subtype="nodular")
    Entry.objects.filter(pk=entries[2].pk).update(label="nevus", review="pending")
    datasets.state(frozen, minimum=2, counts={"bcc": 2, "mm": 3})
    frozen.refresh_from_db()
    failed = {found.key: found for found in checks.of(frozen) if not found.passed}
    assert item in failed["patients"].items and item in failed["near"].items
    assert [row.entry for row in failed["labels"].items] == [entries[2]]
    assert [row.entry for row in failed["subtypes"].items] == [entries[1]]
    assert set(failed) >= {"minimum", "reviewed", "stated"}
    assert "3 stated, 2 counted" in failed["stated"].said and "Basal" not in failed["stated"].said
    DuplicatePair.objects.create(clinic=clinic, first=entries[3], second=entries[4], distance=1)
    assert {row.entry for row in check(frozen, "undecided").items} == {entries[3], entries[4]}


@pytest.mark.django_db(transaction=True)
def test_one_name_for_a_dataset_chosen_by_several_at_once(clinic, curator):
    said = []

    def make():
        try:
            said.append(datasets.create(clinic, curator, "Same").pk)
        except Refused as refused:
            said.append(str(refused))
        finally:
            connection.close()

    threads = [Thread(target=make) for _person in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, int) for one in said) == 1 and len(said) == 4
    assert (Dataset.objects.count(), DatasetVersion.objects.count()) == (1, 1)


def test_a_check_of_photos_that_look_alike_says_what_was_not_compared(draft, clinic):
    assert "not compared" in check(draft, "near").said and "not compared" in check(draft, "undecided").said
    duplicates.request_search(clinic)
    jobs.run_waiting(duplicates.JOB)
    assert check(draft, "near").said == check(draft, "undecided").said == ""
