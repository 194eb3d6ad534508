"""Storing, cropping, filing and deleting photos: one row and two files, or nothing."""

import errno
import io
import itertools
import os
import threading
import time
import unicodedata
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from PIL import ExifTags, Image

from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.files import store as files
from skinclinic.models import BinItem, BinnedRow, Diagnosis, Lesion, Photo, PhotoWord
from skinclinic.services import archived_photos, decoding, old_file_names, photos, search_words
from skinclinic.services.binning import bin
from skinclinic.services.photos import delete_photo, set_box, shown_name, store_photo
from skinclinic.web.come_back import ComeBack
from tests import factories
from tests.cases import each
from tests.folders import full_after, stored_files
from tests.skinclinic.pages import audited


def store(clinic, user, seed=0, name="lesion.jpg", **fields):
    return store_photo(clinic=clinic, user=user, data=factories.jpeg_bytes(seed), name=name, **fields)


def nothing_stored() -> bool:
    return not (Photo.objects.exists() or Lesion.objects.exists() or stored_files())


def taken(moment: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = moment
    file = io.BytesIO()
    Image.open(io.BytesIO(factories.jpeg_bytes())).save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_names_of_files_that_were_stored_before_are_looked_at_once(clinic, clinician):
    rows = [factories.make_photo(clinic, clinician, seed=n) for n in range(3)]
    named = ("Given_Surname_900101.JPG", "IMG_1.jpg", "Jane_Doe_2.png")
    for photo, name in zip(rows, named, strict=True):
        Photo.objects.filter(pk=photo.pk).update(original_name=name)
        photo.original_name = name
        search_words.index_photo(photo)
    bin.put(Photo.objects.get(pk=rows[2].pk), clinician, reason="mistake")
    old_file_names.ask_once()
    old_file_names.ask_once()
    assert jobs.run_waiting(old_file_names.JOB) == 1
    kept = list(Photo.objects.order_by("pk").values_list("original_name", flat=True))
    assert kept == ["name removed.jpg", "IMG_1.jpg"]
    assert not PhotoWord.objects.filter(word__in=("given", "surname")).exists()
    assert "Doe" not in str(list(BinnedRow.objects.values_list("data"))) + str(BinItem.objects.get().told)


def test_photos_of_archives_say_so_and_those_of_before_are_marked_once(clinic, clinician):
    archive = Lesion.objects.create(clinic=clinic, is_archived=True)
    (own, _), (old, _), (archived, _) = (
        store(clinic, clinician, seed, lesion=lesion)
        for seed, lesion in ((1, None), (2, archive), (3, archive))
    )
    assert [Photo.objects.get(pk=one.pk).is_archived for one in (own, old, archived)] == [False, True, True]
    Photo.objects.filter(pk=old.pk).update(is_archived=False)
    archived_photos.ask_once()
    archived_photos.ask_once()
    assert jobs.run_waiting(archived_photos.JOB) == 1
    assert set(Photo.objects.filter(is_archived=True)) == {old, archived}


def test_a_photo_is_one_row_and_two_files_in_a_lesion_of_its_own(clinic, clinician):
    photo, is_new = store(clinic, clinician)
    assert is_new
    assert stored_files() == sorted([photo.file_key, photo.thumbnail_key])
    assert (photo.width, photo.height, photo.source_format) == (320, 256, "JPEG")
    assert photo.uploaded_by == clinician
    lesion = Lesion.objects.get()
    assert (lesion.cover, lesion.photo_count, lesion.patient) == (photo, 1, None)


def test_the_same_file_again_is_found_and_another_clinics_is_not(clinic, clinician, other_clinic, outsider):
    first, _ = store(clinic, clinician)
    again, is_new = store(clinic, clinician, name="another name.jpg")
    assert (again, is_new) == (first, False)
    elsewhere, is_new = store(other_clinic, outsider)
    assert is_new and elsewhere.pk != first.pk


def test_a_refused_file_stores_nothing(clinic, clinician):
    with pytest.raises(imaging.PhotoRejected):
        store_photo(clinic=clinic, user=clinician, data=factories.jpeg_bytes()[:900], name="cut.jpg")
    assert nothing_stored()


@pytest.mark.parametrize("room", [0, 1])
def test_a_full_disk_stores_nothing(room, clinic, clinician):
    """``room``: for nothing, or for the photo and not for its thumbnail."""
    with full_after(room), pytest.raises(files.StorageFull):
        store(clinic, clinician)
    assert nothing_stored()


@pytest.mark.parametrize("which", range(1, 5))
def test_a_disk_that_does_not_keep_what_it_took_stores_nothing(which, clinic, clinician, monkeypatch):
    """``which``: the file or folder that cannot be brought to the disk."""
    # Several threads bring them there: a number is taken once.
    number, real = itertools.count(1), os.fsync

    def fsync(descriptor):
        if next(number) == which:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(files.StorageFull):
        store(clinic, clinician)
    assert nothing_stored()


def test_a_row_that_fails_leaves_no_file(clinic, clinician, monkeypatch):
    monkeypatch.setattr(
        photos, "begin_summary", lambda lesion, photo: (_ for _ in ()).throw(DatabaseError("gone"))
    )
    with pytest.raises(DatabaseError):
        store(clinic, clinician)
    assert nothing_stored()


def test_a_photo_row_that_fails_leaves_no_lesion_and_no_file(clinic, clinician, monkeypatch):
    def fail(self, **kwargs):
        raise DatabaseError("gone")

    monkeypatch.setattr(Photo, "save", fail)
    with pytest.raises(DatabaseError):
        store(clinic, clinician)
    assert nothing_stored()


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_fails_leaves_nothing(clinic, clinician, monkeypatch):
    def fail():
        raise DatabaseError("the server went away at COMMIT")

    monkeypatch.setattr(connection, "_commit", fail)
    with pytest.raises(DatabaseError):
        store(clinic, clinician)
    monkeypatch.undo()
    assert nothing_stored()


@pytest.mark.django_db(transaction=True)
def test_a_lesion_that_is_deleted_meanwhile_leaves_nothing(clinic, clinician, monkeypatch):
    lesion = Lesion.objects.create(clinic=clinic)
    Lesion.objects.filter(pk=lesion.pk).delete()
    with pytest.raises(DatabaseError):
        store(clinic, clinician, lesion=lesion)
    assert nothing_stored()


def when_there_is_room(clinic, user):
    while True:
        try:
            return store(clinic, user)
        except decoding.Busy:
            time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_the_same_file_from_20_threads_is_one_photo(clinic, clinician):
    together, results = threading.Barrier(20), []

    def send():
        try:
            together.wait()
            results.append(when_there_is_room(clinic, clinician))
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [result for result in results if isinstance(result, Exception)]
    assert sorted(is_new for _photo, is_new in results) == [False] * 19 + [True]
    photo = Photo.objects.get()
    assert {found.pk for found, _ in results} == {photo.pk}
    assert Lesion.objects.count() == 1
    assert stored_files() == sorted([photo.file_key, photo.thumbnail_key])


def test_the_capture_time_is_the_cameras_clock_in_local_time(clinic, clinician, settings):
    settings.TIME_ZONE = "Asia/Seoul"
    photo, _ = store_photo(clinic=clinic, user=clinician, data=taken("2024:05:06 14:30:00"), name="a.jpg")
    photo.refresh_from_db()
    assert photo.captured_at == datetime(2024, 5, 6, 5, 30, tzinfo=UTC)


def test_the_zone_of_the_camera_stands_beside_its_clock(clinic, clinician, settings):
    """Half past eleven at night stays that evening, wherever the server stands, and is no other instant."""
    for zone, day in (("Asia/Seoul", 3), ("America/Sao_Paulo", 4), ("UTC", 5)):
        settings.TIME_ZONE = zone
        data = taken(f"2024:05:0{day} 23:30:11+02:00")
        photo, _ = store_photo(clinic=clinic, user=clinician, data=data, name="a.jpg")
        photo.refresh_from_db()
        assert photo.taken == f"2024-05-0{day}T23:30:11+02:00"
        assert timezone.localdate(photo.captured_at).day == day
        photo.captured_offset = None
        assert photo.taken == f"2024-05-0{day}T23:30:11"


@pytest.mark.parametrize("moment", ["0001:01:01 00:00:00", "9999:12:31 23:59:59", "0000:00:00 00:00:00"])
def test_a_nonsense_capture_time_is_left_out(moment, clinic, clinician, settings):
    settings.TIME_ZONE = "Asia/Seoul"
    photo, _ = store_photo(clinic=clinic, user=clinician, data=taken(moment), name="a.jpg")
    photo.refresh_from_db()
    assert photo.captured_at is None


@each(
    "name, shown",
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\photos\\left arm.jpg", "left arm.jpg"),
        (unicodedata.normalize("NFD", "왼쪽 팔.jpg"), "왼쪽 팔.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\r\nSet-Cookie: x\x00\u200f.jpg", "aSet-Cookie: x.jpg"),
        ("\ud800.jpg", ".jpg"),
        ("", ""),
    ],
)
def test_names_are_only_text(name, shown):
    assert shown_name(name) == shown


def test_a_long_name_keeps_its_ending():
    shown = shown_name("가" * 300 + ".jpeg")
    assert len(shown) == 200
    assert shown.endswith("….jpeg")


def test_a_name_full_of_tricks_is_stored_as_text(clinic, clinician):
    photo, _ = store(clinic, clinician, name="../<script>\x00.jpg")
    photo.refresh_from_db()
    assert photo.original_name == "<script>.jpg"
    assert "script" not in photo.file_key


def test_a_box_is_kept_or_refused(photo):
    set_box(photo, {"x": "10", "y": "20", "size": "64"})
    photo.refresh_from_db()
    assert photo.box == imaging.Box(10, 20, 64)
    with pytest.raises(imaging.BoxRejected):
        set_box(photo, imaging.Box(300, 0, 64))
    photo.refresh_from_db()
    assert photo.box == imaging.Box(10, 20, 64)


@pytest.mark.django_db(transaction=True)
def test_deleting_takes_files_and_an_unfiled_lesion(photo):
    delete_photo(photo)
    assert nothing_stored() and audited("photo.remove")


@pytest.mark.django_db(transaction=True)
def test_deleting_keeps_a_lesion_of_a_patient_or_with_a_diagnosis(clinic, clinician):
    filed, _ = store(clinic, clinician, 1)
    filed.lesion.patient = factories.make_patient(clinic)
    filed.lesion.save()
    diagnosed, _ = store(clinic, clinician, 2)
    Diagnosis.objects.create(clinic=clinic, lesion=diagnosed.lesion, kind="impression", disease="bcc")
    delete_photo(filed)
    delete_photo(diagnosed)
    assert Lesion.objects.filter(photo_count=0, state=Lesion.State.EMPTY).count() == 2
    assert stored_files() == []


def test_a_deletion_that_fails_keeps_the_files(photo, monkeypatch):
    monkeypatch.setattr(Lesion, "delete", lambda self: (_ for _ in ()).throw(DatabaseError("gone")))
    with pytest.raises(DatabaseError):
        delete_photo(photo)
    assert len(stored_files()) == 2


@pytest.mark.django_db(transaction=True)
def test_after_a_deletion_the_lesion_shows_its_other_photo(clinic, clinician, model_version):
    first, _ = store(clinic, clinician, 1)
    done = factories.make_analysis(first, clinician)
    second, _ = store(clinic, clinician, 2, lesion=first.lesion)
    lesion = Lesion.objects.get()
    assert (lesion.cover, lesion.photo_count, lesion.answer_photo) == (second, 2, first)
    delete_photo(second)
    lesion.refresh_from_db()
    assert (lesion.cover, lesion.photo_count, lesion.state) == (first, 1, Lesion.State.DONE)
    assert lesion.top_disease == max(done.scores, key=done.scores.get)


def test_the_thumbnail_of_a_drawing_says_so(clinic, clinician):
    drawing = factories.make_photo(clinic, clinician, seed=1)
    image = imaging.open_rgb(files.read(drawing.thumbnail_key))
    assert image.getpixel((3, image.height - 3)) == pytest.approx((26, 26, 26), abs=12)
    photo, _new = store_photo(clinic=clinic, user=clinician, data=factories.jpeg_bytes(2), name="real.jpg")
    image = imaging.open_rgb(files.read(photo.thumbnail_key))
    assert min(image.getpixel((3, image.height - 3))) > 60


def test_an_upload_whose_note_was_swept_meanwhile_stores_no_row(clinic, clinician, settings):
    def swept(photo):
        """As if the transaction had taken more than an hour, and a broom had passed."""
        for note in (settings.PHOTOS_DIR / "notes").iterdir():
            note.unlink()

    with pytest.raises(ComeBack) as told:
        store(clinic, clinician, together_with=swept)
    assert "Send it again" in str(told.value)
    assert nothing_stored()
    assert store(clinic, clinician)[1]
