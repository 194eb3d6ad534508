"""A worker killed in the middle of one action on many photos: another goes on, and nothing is done twice."""

from skinclinic.archive.models import BulkChange, Entry, EntryChange
from skinclinic.archive.services.bulk import bulk
from skinclinic.engine import jobs
from skinclinic.models import Job
from tests.archive import bulk_archive
from tests.engine import wait_until

COUNT = 6_000


def done(row: BulkChange) -> int:
    return BulkChange.objects.values_list("done", flat=True).get(pk=row.pk)


def test_kill_9_in_the_middle_of_a_relabelling_and_its_undo(engine, clinic, curator):
    bulk_archive.make(clinic, curator, COUNT, label="bcc", subtype="nodular", is_proven=True)
    before = bulk_archive.state(clinic)
    # One of them is killed, another goes on.
    for _worker in range(2):
        engine.start_worker(jobs.BATCH)
    engine.start_reconciler(every=1)
    row = bulk_archive.ask(clinic, curator, "relabel", label="nevus", note="Error in the source")
    killed_in_the_middle(engine, row)
    engine.start_worker(jobs.BATCH)
    finished(row)
    row.refresh_from_db()
    assert (row.state, row.changed, row.same, row.left) == ("done", COUNT, 0, 0)
    assert EntryChange.objects.filter(bulk=row).count() == COUNT
    assert set(Entry.objects.values_list("label", "icd10", "subtype", "is_proven")) == {
        ("nevus", "D22.9", "", False)
    }
    undo = bulk.undo(row, curator)
    killed_in_the_middle(engine, undo)
    finished(undo)
    undo.refresh_from_db()
    assert (undo.state, undo.changed, undo.left) == ("done", COUNT, 0)
    assert bulk_archive.state(clinic) == before


def killed_in_the_middle(engine, row: BulkChange) -> None:
    job = Job.objects.filter(kind=bulk.JOB, subject=row.pk)
    wait_until(lambda: done(row) > 0, 240, "it has begun")
    engine.kill_who_has(job)
    assert done(row) < COUNT, "the kill came too late to prove anything"
    # Its lease ends now.
    job.update(lease_until="2020-01-01T00:00:00Z")


def finished(row: BulkChange) -> None:
    wait_until(lambda: BulkChange.objects.get(pk=row.pk).state == "done", 240, "another worker finishes it")
