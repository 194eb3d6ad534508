"""A worker killed in the middle of an import: every row has exactly one entry, no file is left over
that is not noted for the clean-up."""

import json
import os

from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs
from skinclinic.models import Job, Lesion, Patient, Photo
from tests.archive import table_files
from tests.engine import wait_until

PHOTOS = 120


def state(row: Import) -> str:
    return Import.objects.values_list("state", flat=True).get(pk=row.pk)


def test_kill_9_in_the_middle_of_an_import(engine, clinic, curator, tmp_path, settings):
    photos = table_files.photos(tmp_path / "photos", PHOTOS)
    rows = [[f"{number}.jpg", "bcc", f"P{number // 4}"] for number in range(PHOTOS)]
    row = imports.begin(
        clinic=clinic, user=curator, name="Killed", format="csv", role="both", photos=str(photos),
        metadata=str(table_files.table(tmp_path / "t.csv", rows)), columns=table_files.COLUMNS,
    )  # fmt: skip
    # One of them is killed, the other goes on.
    for _worker in range(2):
        engine.start_worker(jobs.BATCH)
    engine.start_reconciler(every=1)
    imports.request_check(row)
    wait_until(lambda: state(row) == "ready", 240, "the check is done")
    imports.request_write(row)
    wait_until(lambda: Entry.objects.count() >= 10, 240, "some photos are written")
    engine.kill_who_has(Job.objects.filter(kind=imports.WRITE_JOB))
    assert Entry.objects.count() < PHOTOS, "the kill came too late to prove anything"

    # Its lease ends now.
    Job.objects.filter(kind=imports.WRITE_JOB).update(lease_until="2020-01-01T00:00:00Z")
    wait_until(lambda: state(row) == "done", 240, "another worker finishes the import")
    assert sorted(Entry.objects.values_list("external_id", flat=True)) == sorted(
        name for name, *_rest in rows
    )
    assert (Photo.objects.count(), Patient.objects.count()) == (PHOTOS, PHOTOS // 4)
    assert Lesion.objects.count() == PHOTOS and not Lesion.objects.filter(photos=None).exists()
    assert Import.objects.get(pk=row.pk).written == PHOTOS
    kept = {key for photo in Photo.objects.all() for key in (photo.file_key, photo.thumbnail_key)}
    there = {
        os.path.relpath(os.path.join(folder, name), settings.PHOTOS_DIR)
        for folder, _inside, names in os.walk(settings.PHOTOS_DIR)
        for name in names
        if name.endswith(".jpg")
    }
    # The photos that were being stored may have left their files, noted for the clean-up.
    noted = {
        key for note in (settings.PHOTOS_DIR / "notes").glob("*.json") for key in json.loads(note.read_text())
    }
    assert kept <= there and there - kept <= noted
