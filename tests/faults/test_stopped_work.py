"""Work that a person stops while a worker process is at it: the worker goes on to other work, and it is taken up
again where it was."""

from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs, work
from skinclinic.models import Job, Photo
from tests.archive import table_files
from tests.engine import wait_until

PHOTOS = 120


def test_an_import_that_is_stopped_in_the_middle_goes_on_where_it_was(engine, clinic, curator, tmp_path):
    photos = table_files.photos(tmp_path / "photos", PHOTOS)
    rows = [[f"{number}.jpg", "bcc", f"P{number // 4}"] for number in range(PHOTOS)]
    row = imports.begin(
        clinic=clinic, user=curator, name="Stopped", format="csv", role="both", photos=str(photos),
        metadata=str(table_files.table(tmp_path / "t.csv", rows)), columns=table_files.COLUMNS,
    )  # fmt: skip
    state = lambda: Import.objects.values_list("state", flat=True).get(pk=row.pk)  # noqa: E731
    engine.start_worker(jobs.BATCH)
    engine.start_reconciler(every=1)
    imports.request_check(row)
    wait_until(lambda: state() == "ready", 240, "the check is done")
    imports.request_write(row)
    wait_until(lambda: Entry.objects.count() >= 10, 240, "some photos are written")
    assert work.cancel(Job.objects.get(kind=imports.WRITE_JOB), curator)
    assert state() == "paused"

    # The same worker is free for other work, and has left this alone.
    other = imports.begin(
        clinic=clinic, user=curator, name="Other", format="csv", role="both", photos=str(photos),
        metadata=str(table_files.table(tmp_path / "u.csv", rows[:2])), columns=table_files.COLUMNS,
    )  # fmt: skip
    imports.request_check(other)
    wait_until(lambda: Import.objects.get(pk=other.pk).state == "ready", 240, "another import is checked")
    written = Entry.objects.count()
    assert 10 <= written < PHOTOS, "it was stopped too late to prove anything"
    assert state() == "paused" and str(curator) in Import.objects.get(pk=row.pk).error

    imports.request_write(row)
    wait_until(lambda: state() == "done", 240, "the import goes on to its end")
    assert Entry.objects.count() == Photo.objects.count() == PHOTOS
