"""One action on many photos: done once, counted, taken back as a whole; what changed meanwhile is left alone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from skinclinic.archive.models import BulkChange, Entry, EntryChange
from skinclinic.archive.services.bulk import bulk, gathering
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.archive.services.datasets import datasets, dividing, freezing
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.engine import clock, jobs, work
from skinclinic.services.refused import Refused
from tests import factories
from tests.archive import bulk_archive
from tests.archive.bulk_archive import ask, changes_of, state
from tests.cases import each

pytestmark = pytest.mark.django_db
COUNT = 20


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(bulk, "STEP", 3)


@pytest.fixture
def as_job(monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 0)


@pytest.fixture
def archive(clinic, curator):
    return bulk_archive.make(clinic, curator, COUNT)


@pytest.fixture
def colleague(clinic):
    return factories.make_member(clinic, "curator", "colin")


def entries(clinic):
    return Entry.objects.filter(clinic=clinic)


def test_all_that_match_are_accepted_by_one_job_and_taken_back_by_another(clinic, curator, archive, as_job):
    before, pending = state(clinic), entries(clinic).filter(review="pending").count()
    row = ask(clinic, curator, "accept", Selection(review="pending"))
    assert (row.state, row.total, state(clinic)) == ("waiting", pending, before)
    assert jobs.run_waiting(bulk.JOB) == 1
    row.refresh_from_db()
    assert (row.state, row.done, row.changed, row.same, row.left) == ("done", pending, pending, 0, 0)
    assert not entries(clinic).filter(review="pending").exists()
    undo = bulk.undo(row, curator)
    assert jobs.run_waiting(bulk.JOB) == 1
    undo.refresh_from_db()
    assert (undo.state, undo.changed, undo.left) == ("done", pending, 0)
    assert state(clinic) == before
    assert EntryChange.objects.filter(action="undone").count() == pending
    with pytest.raises(Refused):
        bulk.undo(row, curator)


@each(
    "action, values",
    [
        ("accept", {}),
        ("reject", {"reason": "postoperative"}),
        ("relabel", {"label": "wart", "note": "Pathology report", "proof": "histopathology"}),
        ("relabel", {"label": "Rosacea", "note": "Seen on the photo"}),
        ("tag", {"tags": ["hair", "ruler"]}),
        ("untag", {"tags": ["hair"]}),
    ],
)
def test_an_undo_restores_every_field(clinic, curator, colleague, archive, action, values):
    entries(clinic).filter(pk__in=archive[::3]).update(tags=",hair,jewellery,")
    before = state(clinic)
    row = ask(clinic, curator, action, **values)
    assert row.state == "done" and row.changed + row.same == COUNT and changes_of(row) == row.changed
    assert state(clinic) != before
    bulk.undo(row, colleague)
    assert state(clinic) == before


def test_another_label_brings_its_code_and_drops_proof_and_subtype(clinic, curator, archive):
    entries(clinic).update(is_proven=True, confirmed_by="histopathology", subtype="nodular", second_label="")
    row = ask(clinic, curator, "relabel", label="nevus", note="  Error in\nthe source ")
    for entry in entries(clinic):
        assert (entry.label, entry.icd10) == ("nevus", "D22.9")
    changed = EntryChange.objects.filter(bulk=row).first()
    assert changed.note == "Error in the source" and changed.fields["is_proven"] == [True, False]
    keys = EntryChange.objects.filter(bulk=row).values("entry")
    assert (
        not entries(clinic).filter(pk__in=keys).exclude(is_proven=False, confirmed_by="", subtype="").exists()
    )
    # Those of that label already keep their proof: nothing was said of them.
    assert entries(clinic).filter(is_proven=True).count() == row.same
    proven = ask(clinic, curator, "relabel", label="sk", note="Report", proof="histopathology")
    assert proven.changed == entries(clinic).filter(is_proven=True, confirmed_by="histopathology").count()


@each(
    "action, values, code",
    [
        ("reject", {}, "no_reason"),
        ("reject", {"reason": "nonsense"}, "no_reason"),
        ("relabel", {"label": "", "note": "x"}, "no_label"),
        ("relabel", {"label": "mm"}, "no_why"),
        ("relabel", {"label": "mm", "note": " \n"}, "no_why"),
        ("relabel", {"label": "mm", "note": "a\0b"}, "no_why"),
        ("relabel", {"label": "x" * 121, "note": "x"}, "long_label"),
        ("relabel", {"label": "mm", "note": "x", "proof": "hearsay"}, "bad_proof"),
        ("tag", {"tags": []}, "no_tag"),
        ("tag", {"tags": ["nonsense"]}, "no_tag"),
    ],
)
def test_what_is_missing_is_refused_before_anything(clinic, curator, archive, action, values, code):
    with pytest.raises(ReviewError) as refused:
        ask(clinic, curator, action, **values)
    assert refused.value.code == code and not BulkChange.objects.exists()


@each("action", ["", "undo", "delete", "add", "take_out"])
def test_an_unknown_action_or_one_without_its_draft_is_refused(clinic, curator, archive, action):
    with pytest.raises(Refused):
        ask(clinic, curator, action)
    with pytest.raises(Refused):
        ask(clinic, curator, "accept", [])


def test_what_somebody_changed_meanwhile_is_left_alone_and_counted(
    clinic, curator, colleague, archive, as_job
):
    entries(clinic).update(review="pending", reviewed_by=None)
    seen = clock.now()
    review.decide(clinic=clinic, user=colleague, entry_ids=archive[:2], review="rejected", reason="not_skin")
    # The person's own decisions before asking are no surprise.
    review.decide(clinic=clinic, user=curator, entry_ids=archive[2:4], review="rejected", reason="other")
    row = ask(clinic, curator, "accept", seen=seen)
    review.decide(clinic=clinic, user=curator, entry_ids=archive[4:5], review="rejected", reason="other")
    entries(clinic).filter(pk=archive[5]).delete()
    jobs.run_waiting(bulk.JOB)
    row.refresh_from_db()
    assert (row.changed, row.left, row.done) == (COUNT - 4, 4, COUNT)
    assert set(entries(clinic).filter(review="rejected").values_list("pk", flat=True)) == {
        *archive[:2], archive[4],
    }  # fmt: skip


def test_an_undo_leaves_what_was_changed_since(clinic, curator, colleague, archive):
    entries(clinic).update(review="pending", reviewed_by=None)
    row = ask(clinic, curator, "reject", reason="other")
    review.decide(clinic=clinic, user=colleague, entry_ids=archive[:3], review="accepted")
    undo = bulk.undo(row, curator)
    assert (undo.changed, undo.left) == (COUNT - 3, 3)
    assert entries(clinic).filter(review="accepted").count() == 3


def test_a_worker_that_dies_goes_on_without_doing_anything_twice(clinic, curator, archive, as_job):
    entries(clinic).update(review="pending", reviewed_by=None)
    row = ask(clinic, curator, "accept")

    def die_after_two(share: float) -> None:
        if share > 0.25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bulk.run(BulkChange.objects.get(pk=row.pk), die_after_two)
    half = BulkChange.objects.get(pk=row.pk)
    assert half.done == half.changed == entries(clinic).filter(review="accepted").count() == 6
    # One that began before it and one that takes over.
    bulk.run(row)
    bulk.run(half)
    row.refresh_from_db()
    assert row.done == row.changed == COUNT and changes_of(row) == COUNT
    assert EntryChange.objects.filter(bulk=row).values("entry").distinct().count() == COUNT


def test_stopped_work_goes_on_unless_it_was_taken_back(clinic, curator, archive, as_job):
    entries(clinic).update(review="pending", reviewed_by=None)
    before, row = state(clinic), ask(clinic, curator, "accept")
    (job,) = jobs.claim(bulk.JOB, 1)
    bulk._step(row.pk, row.entries, 0)
    work.cancel(job, curator)
    row.refresh_from_db()
    assert (row.state, row.done) == ("stopped", 3)
    with pytest.raises(jobs.LeaseLost):
        bulk._step(row.pk, row.entries, 3)
    bulk.undo(row, curator)
    jobs.run_waiting(bulk.JOB)
    assert state(clinic) == before


def test_photos_go_into_a_draft_and_out_of_it_and_back(clinic, curator, archive):
    version = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(version, entries(clinic).filter(pk__in=archive[:5]))
    row = ask(clinic, curator, "add", version=version)
    assert (row.changed, row.same) == (COUNT - 5, 5) and version.items.count() == COUNT
    bulk.undo(row, curator)
    assert sorted(version.items.values_list("entry", flat=True)) == archive[:5]
    datasets.relabel(version, [version.items.first().pk], "wart")
    before = list(version.items.order_by("entry").values_list(*(n for n in datasets.COPIED if n != "split")))
    out = ask(clinic, curator, "take_out", version=version)
    assert (out.changed, out.same) == (5, COUNT - 5) and not version.items.exists()
    bulk.undo(out, curator)
    assert before == list(
        version.items.order_by("entry").values_list(*(n for n in datasets.COPIED if n != "split"))
    )


def test_a_draft_that_is_frozen_meanwhile_does_not_change(clinic, curator, draft, entries, monkeypatch):
    row_keys = [entry.pk for entry in entries]
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    row = ask(clinic, curator, "take_out", row_keys, version=draft)
    freezing.freeze(draft, curator)
    jobs.run_waiting(bulk.JOB)
    row.refresh_from_db()
    assert row.state == "refused" and "frozen" in row.error and draft.items.count() == 6
    with pytest.raises(Refused):
        ask(clinic, curator, "add", row_keys, version=draft)


def test_other_clinics_photos_and_drafts_are_not_reached(clinic, curator, other_clinic, outsider, archive):
    foreign = bulk_archive.make(other_clinic, outsider, 3)
    before, version = state(other_clinic), datasets.create(other_clinic, outsider, "Theirs")
    with pytest.raises(Refused):
        ask(clinic, curator, "accept", foreign)
    with pytest.raises(Refused):
        ask(clinic, curator, "add", version=version)
    row = ask(clinic, curator, "reject", [*archive, *foreign], reason="other")
    assert row.total == COUNT and state(other_clinic) == before


def test_queries_grow_by_the_step_and_not_by_the_photo(clinic, curator, monkeypatch):
    bulk_archive.make(clinic, curator, 60)

    def queries(step: int, **values) -> int:
        monkeypatch.setattr(bulk, "STEP", step)
        with CaptureQueriesContext(connection) as found:
            row = ask(clinic, curator, "relabel", note="x", **values)
            bulk.undo(row, curator)
        return len(found)

    one, many = queries(60, label="nevus"), queries(6, label="mm")
    # Ten steps there and ten back instead of one each; a step costs the same however many photos it has.
    assert one < 60 and many - one < 18 * 20


def sides(version) -> dict[int, str]:
    return dict(version.items.values_list("entry", "split"))


@each("method", ["stratified", "patient", "random", "time"])
@each("action", ["add", "take_out"])
def test_taking_back_a_change_of_members_gives_the_split_back(clinic, curator, archive, method, action):
    version = datasets.create(clinic, curator, f"{method} {action}")
    datasets.set_members(version, entries(clinic).filter(pk__in=archive[:12]))
    dividing.split(version, method, 0.6, seed=3)
    version.refresh_from_db()
    before, said = sides(version), version.split
    chosen = archive[12:] if action == "add" else archive[2:9]
    row = ask(clinic, curator, action, chosen, version=version)
    version.refresh_from_db()
    assert row.changed and not version.split and set(sides(version).values()) == {""}
    bulk.undo(row, curator)
    version.refresh_from_db()
    assert (sides(version), version.split) == (before, said)


def test_a_split_is_not_given_back_to_other_photos(clinic, curator, archive):
    version = datasets.create(clinic, curator, "Changed")
    datasets.set_members(version, entries(clinic).filter(pk__in=archive[:12]))
    dividing.split(version, "patient", 0.6)
    row = ask(clinic, curator, "add", archive[12:15], version=version)
    datasets.add(version, entries(clinic).filter(pk__in=archive[15:17]))
    bulk.undo(row, curator)
    version.refresh_from_db()
    assert not version.split and set(sides(version).values()) == {""}


@pytest.fixture
def late(monkeypatch):
    monkeypatch.setattr(gathering, "NOTED", 4)


def test_more_than_are_noted_in_a_request_are_gathered_by_the_job(clinic, curator, archive, late):
    entries(clinic).filter(pk__in=archive[:15]).update(tags="")
    entries(clinic).filter(pk__in=archive[15:]).update(tags=",hair,")
    before = state(clinic)
    with CaptureQueriesContext(connection) as asking:
        row = ask(clinic, curator, "tag", Selection(tag="unknown"), tags=["ruler"])
    (found,) = [q["sql"] for q in asking if 'FROM "archive_entry"' in q["sql"] and "LIMIT 5" in q["sql"]]
    assert "ORDER BY" not in found and len(asking) < 20
    assert (row.state, row.entries, row.total, state(clinic)) == ("waiting", [], 0, before)
    bulk_archive.make(clinic, curator, 3, tags="")  # they come after it was asked for
    entries(clinic).filter(pk__in=archive[15:]).update(tags=",hair,")
    assert jobs.run_waiting(bulk.GATHER_JOB) == 1
    row.refresh_from_db()
    assert (row.state, row.entries, row.changed) == ("done", archive[:15], 15)
    assert entries(clinic).filter(tags=",ruler,").count() == 15
    undo = bulk.undo(row, curator)
    assert (undo.state, undo.entries, undo.total) == ("waiting", [], 15)
    jobs.run_waiting(bulk.GATHER_JOB)
    undo.refresh_from_db()
    assert (undo.state, undo.entries, undo.changed, undo.left) == ("done", archive[:15], 15, 0)
    assert [one for one in state(clinic) if one[0] in archive] == before
    with pytest.raises(Refused):
        bulk.undo(row, curator)


def test_what_changes_before_the_photos_are_gathered_counts_as_it_was_when_it_was_asked_for(
    clinic, curator, colleague, archive, late
):
    entries(clinic).filter(pk__in=archive[:15]).update(review="pending", reviewed_by=None, reviewed_at=None)
    entries(clinic).filter(pk__in=archive[15:]).update(review="rejected", reject_reason="other")
    row = ask(clinic, curator, "accept", Selection(review="pending"))
    # They no longer match, they match only now, and they match again.
    review.decide(clinic=clinic, user=colleague, entry_ids=archive[:2], review="rejected", reason="not_skin")
    review.decide(clinic=clinic, user=colleague, entry_ids=archive[15:18], review="pending")
    for decision in ("accepted", "pending"):
        review.decide(clinic=clinic, user=curator, entry_ids=archive[4:5], review=decision)
    # An import changed facts of one, among them some that its entry has no column for.
    facts = {"taken_on": ["2020-01-31", "2021-01-31"], "columns": [{"a": "b"}, {}], "age": [None, 40]}
    facts |= {"patient": ["A/1", "A/2"], "kind": ["clinical", "dermoscopic"], "disagreement": [0.5, None]}
    EntryChange.objects.create(
        clinic=clinic, entry_id=archive[5], action="imported", by=colleague, fields=facts
    )
    before, audited = state(clinic), EntryChange.objects.count()
    assert gathering.gather(row) == archive[:15]
    assert (state(clinic), EntryChange.objects.count()) == (before, audited)
    jobs.run_waiting(bulk.GATHER_JOB)
    row.refresh_from_db()
    assert (row.total, row.changed, row.same, row.left) == (15, 11, 0, 4)
    untouched = {*archive[:2], *archive[4:6], *archive[15:]}
    assert [one for one in state(clinic) if one[0] in untouched] == [
        one for one in before if one[0] in untouched
    ]


def test_photos_are_gathered_once_however_many_workers_begin(clinic, curator, archive, late, monkeypatch):
    entries(clinic).update(review="pending", reviewed_by=None)
    row = ask(clinic, curator, "accept", Selection(review="pending"))
    slow, begun = BulkChange.objects.get(pk=row.pk), gathering.gather

    def overtaken(row: BulkChange) -> list[int]:
        monkeypatch.setattr(gathering, "gather", begun)
        bulk.run(BulkChange.objects.get(pk=row.pk))
        return begun(row)

    monkeypatch.setattr(gathering, "gather", overtaken)
    bulk.run(slow)
    row.refresh_from_db()
    assert (row.entries, row.done, row.changed) == (archive, COUNT, COUNT) and changes_of(row) == COUNT


def test_what_is_stopped_before_its_photos_are_gathered_does_nothing_until_it_goes_on(
    clinic, curator, archive, late
):
    before, row = state(clinic), ask(clinic, curator, "tag", tags=["ruler"])
    (job,) = jobs.claim(bulk.GATHER_JOB, 1)
    work.cancel(job, curator)
    with pytest.raises(jobs.LeaseLost):
        bulk.run(BulkChange.objects.get(pk=row.pk))
    assert state(clinic) == before
    job.refresh_from_db()
    jobs.retry(job)
    jobs.run_waiting(bulk.GATHER_JOB)
    row.refresh_from_db()
    assert (row.state, row.done) == ("done", COUNT)
