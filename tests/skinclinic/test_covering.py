"""Covering a photo for good, and several lesions in one picture: files, rows, archive and studies follow."""

import csv
import os
import threading
import time

import numpy as np
import pytest
from django.db import DatabaseError, connection

from skinclinic import imaging
from skinclinic.archive.models import DatasetItem, Entry, EntryChange
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.curating.entries import which_known
from skinclinic.archive.services.datasets import against, datasets, freezing
from skinclinic.archive.services.exporting import export, tables
from skinclinic.files import notes
from skinclinic.files import store as files
from skinclinic.models import AuditEvent, Lesion, Photo, PhotoCover
from skinclinic.services import covering
from skinclinic.services.covering import ChangedMeanwhile, cover
from skinclinic.services.photos import delete_photo, store_photo
from skinclinic.services.refused import Refused
from skinclinic.services.squares import add_square
from tests import factories
from tests.folders import full_after, stored_files

AREA = [{"x": 40, "y": 30, "width": 64, "height": 48}]

pytestmark = pytest.mark.django_db(transaction=True)


def grey(photo) -> bool:
    stored = np.asarray(imaging.open_rgb(files.read(photo.file_key))).astype(int)
    return abs(stored[40:70, 50:95] - 128).max() <= 4


def test_the_stored_photo_is_replaced_and_the_original_is_gone(photo, clinician):
    before = files.read(photo.file_key)
    old = [photo.file_key, photo.thumbnail_key]
    assert cover(photo, AREA, clinician, seen=covering.stand(photo)) == [photo]
    photo.refresh_from_db()
    assert stored_files() == sorted([photo.file_key, photo.thumbnail_key])
    assert not set(old) & set(stored_files()) and grey(photo)
    line = photo.covers.get()
    assert (line.by, len(line.areas), line.content_sha256) == (clinician, 1, imaging.sha256(before))
    told = AuditEvent.objects.get(action="photo.cover")
    assert (told.subject_key, told.user_key, told.facts) == (photo.pk, clinician.pk, {"areas": 1})
    # The same upload, and a copy of what was stored, are known again; neither comes back.
    for data in (factories.jpeg_bytes(0), before):
        again, is_new = store_photo(clinic=photo.clinic, user=clinician, data=data, name="again.jpg")
        assert (again, is_new) == (photo, False)
    assert which_known(photo.clinic, [line.content_sha256]) == {line.content_sha256}


def test_nothing_is_half_covered(photo, clinician, monkeypatch):
    before = stored_files()
    stale = covering.stand(photo)
    for areas in ([], [{"x": 300, "y": 0, "width": 64, "height": 20}]):
        with pytest.raises(imaging.CoverRejected):
            cover(photo, areas, clinician)
    with full_after(3), pytest.raises(files.StorageFull):
        cover(photo, AREA, clinician)
    with monkeypatch.context() as patch:
        patch.setattr(
            PhotoCover.objects, "bulk_create", lambda rows: (_ for _ in ()).throw(DatabaseError("gone"))
        )
        with pytest.raises(DatabaseError):
            cover(photo, AREA, clinician)
    assert stored_files() == before and not PhotoCover.objects.exists()
    photo.refresh_from_db()
    other = Photo.objects.get(pk=photo.pk)
    cover(photo, AREA, clinician)
    # Who had it open before, and who was at it at the same moment, is told.
    for row, seen in ((photo, stale), (other, "")):
        with pytest.raises(ChangedMeanwhile):
            cover(row, AREA, clinician, seen=seen)
    assert PhotoCover.objects.count() == 1


@pytest.mark.parametrize("moment", ["before the commit", "after it"])
def test_a_crash_leaves_one_whole_photo_and_no_orphan_for_ever(photo, clinician, monkeypatch, moment):
    """``store.delete`` never comes, as when the process dies; the note stays, and the broom reads it."""
    with monkeypatch.context() as patch:
        patch.setattr(files, "delete", lambda *keys: None)
        patch.setattr(notes.Path, "unlink", lambda *a, **k: None)
        if moment == "before the commit":
            patch.setattr(
                covering, "photos_changed", lambda ids: (_ for _ in ()).throw(DatabaseError("gone"))
            )
            with pytest.raises(DatabaseError):
                cover(photo, AREA, clinician)
        else:
            cover(photo, AREA, clinician)
    photo.refresh_from_db()
    assert len(stored_files()) == 4
    for note in (files.settings.PHOTOS_DIR / "notes").glob("*.json"):
        os.utime(note, (time.time() - 7200,) * 2)
    notes.delete_left_behind()
    assert stored_files() == sorted([photo.file_key, photo.thumbnail_key])
    assert grey(photo) == (moment == "after it")


def test_archive_and_datasets_follow(photo, clinician, curator):
    other = factories.make_photo(photo.clinic, clinician, seed=5)
    entries = [factories.make_entry(one, curator, review="accepted") for one in (photo, other)]
    frozen = datasets.create(photo.clinic, curator, "Frozen")
    draft = datasets.create(photo.clinic, curator, "Draft")
    for version in (frozen, draft):
        datasets.add(version, Entry.objects.all())
    frozen = freezing.freeze(frozen, curator)
    held = frozen.items.get(entry=entries[0]).content_sha256
    assert len(covering.effects(photo)) == 1 and "Frozen v1" in covering.effects(photo)[0]
    cover(photo, AREA, curator)
    entry = photo.archive_entry
    entry.refresh_from_db()
    now = imaging.sha256(files.read(photo.file_key))
    assert (entry.content_sha256, entry.phash) == (now, imaging.perceptual_hash(files.read(photo.file_key)))
    assert EntryChange.objects.filter(entry=entry).first().action == EntryChange.Action.COVERED
    assert draft.items.get(entry=entry).content_sha256 == now
    assert not against.rows(draft, against.COVERED).exists()
    # What was frozen stands as it was, is told, and cannot be used whole any more.
    assert frozen.items.get(entry=entry).content_sha256 == held
    assert list(against.rows(frozen, against.COVERED)) == [frozen.items.get(entry=entry)]
    with pytest.raises(Refused, match="covered for good"):
        export.check(frozen)
    anew = datasets.new_version(frozen.dataset, curator)
    assert anew.items.get(entry=entry).content_sha256 == now
    assert freezing.freeze(anew, curator, verify=True).is_frozen


def test_an_open_study_keeps_a_photo_from_being_covered(photo, clinician):
    from reader_study.models import Study, StudyImage

    study = Study.objects.create(
        clinic=photo.clinic, name="Open", created_by=clinician, state=Study.State.OPEN
    )
    StudyImage.objects.create(study=study, number=1, name="001", dataset="d", photo=photo, truth="bcc")
    with pytest.raises(Refused, match="Close the study first"):
        cover(photo, AREA, clinician)
    Study.objects.update(state=Study.State.CLOSED)
    assert any("closed studies" in text and "Open" in text for text in covering.effects(photo))
    cover(photo, AREA, clinician)


def test_several_lesions_in_one_picture(photo, clinician, curator):
    patient = factories.make_patient(photo.clinic)
    Lesion.objects.filter(pk=photo.lesion_id).update(patient=patient, site="nose")
    photo.refresh_from_db()
    second, is_new = add_square(photo, {"x": 0, "y": 0, "size": 100}, clinician)
    assert is_new and second.lesion != photo.lesion
    assert (second.lesion.patient, second.lesion.site, second.box.size) == (patient, "", 100)
    again, is_new = add_square(photo, {"x": 0, "y": 0, "size": 100}, clinician)
    assert (again, is_new) == (second, False)
    third, _new = add_square(second, {"x": 100, "y": 100, "size": 64}, clinician)
    assert covering.same_picture(third) == [photo, second, third]
    with pytest.raises(imaging.BoxRejected):
        add_square(photo, {"x": 300, "y": 0, "size": 100}, clinician)
    # The same file is one upload still, and is known by the photo that it made.
    assert store_photo(clinic=photo.clinic, user=clinician, data=factories.jpeg_bytes(0), name="a") == (
        photo,
        False,
    )
    # One picture is no pair of photos that look alike, and stays on one side of a dataset.
    for one in (photo, second):
        factories.make_entry(one, curator, review="accepted")
    assert list(duplicates.find_pairs(photo.clinic)) == []
    assert photo.archive_entry.content_sha256 == second.archive_entry.content_sha256
    version = datasets.create(photo.clinic, curator, "Two lesions")
    datasets.add(version, Entry.objects.all())
    text = b"".join(dict(tables.tables(version, thumbnails=False, texts=False))["photos.csv"]).decode()
    assert [line["square"] for line in csv.DictReader(text.splitlines())] == ["32 0 256", "0 0 100"]
    # A cover reaches all of them.
    assert cover(second, AREA, clinician) == [photo, second, third]
    for one in (photo, second, third):
        one.refresh_from_db()
        assert grey(one) and one.covers.count() == 1
    assert len(stored_files()) == 6
    late, _new = add_square(photo, {"x": 50, "y": 50, "size": 64}, clinician)
    assert late.covers.count() == 1
    # Deleting one leaves the others; the upload is still known.
    photo.archive_entry.delete()
    delete_photo(photo)
    assert grey(second) and len(stored_files()) == 6
    found, is_new = store_photo(clinic=second.clinic, user=clinician, data=factories.jpeg_bytes(0), name="a")
    assert (found, is_new) == (second, False)


def test_a_square_on_a_photo_that_was_covered_meanwhile(photo, clinician):
    stale = Photo.objects.get(pk=photo.pk)
    cover(photo, AREA, clinician)
    with pytest.raises(ChangedMeanwhile):
        add_square(stale, {"x": 0, "y": 0, "size": 100}, clinician)
    assert len(stored_files()) == 2 and DatasetItem.objects.count() == 0


def test_imported_photos_show_one_lesion(photo, clinician):
    Lesion.objects.update(is_archived=True)
    photo.refresh_from_db()
    with pytest.raises(Refused, match="imported"):
        add_square(photo, {"x": 0, "y": 0, "size": 100}, clinician)


def test_two_at_the_same_moment(photo, clinician):
    """One covers, the other is told; the same square twice is one lesion; nothing else is left."""
    start, found = threading.Barrier(2), []

    def run(act):
        row = Photo.objects.get(pk=photo.pk)
        try:
            start.wait(10)
            found.append(act(row))
        except ChangedMeanwhile:
            found.append(None)
        finally:
            connection.close()

    def together(act):
        found.clear()
        threads = [threading.Thread(target=run, args=(act,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    together(lambda row: cover(row, AREA, clinician))
    assert len([one for one in found if one]) == PhotoCover.objects.count() == 1
    together(lambda row: add_square(row, {"x": 0, "y": 0, "size": 100}, clinician)[0].pk)
    assert len(set(found)) == 1 and Photo.objects.count() == Lesion.objects.count() == 2
    assert len(stored_files()) == 4
