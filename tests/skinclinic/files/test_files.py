"""Stored files are whole or not there at all, and notes let a crash be cleaned up."""

import errno
import json
import os
import time

import pytest

from skinclinic.engine import housekeeping
from skinclinic.files import notes as file_notes
from skinclinic.files import store as files
from skinclinic.files import whole
from skinclinic.web.come_back import ComeBack
from tests import factories
from tests.folders import stored_files


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_saved_bytes_come_back_and_lie_below_the_photos_folder(settings):
    key = files.save("clinic-1", b"bytes")
    assert files.read(key) == b"bytes"
    assert files.path_of(key).is_relative_to(settings.PHOTOS_DIR)
    assert stored_files() == [key]


@pytest.mark.parametrize(
    "key", ["../secret_key", "/etc/passwd", "clinic-1/../../secret_key", "clinic-1/../.."]
)
def test_a_key_never_leaves_the_photos_folder(key):
    with pytest.raises(ValueError):
        files.path_of(key)


def test_a_link_out_of_the_folder_is_not_followed(settings, tmp_path):
    (tmp_path / "secret").write_text("secret")
    settings.PHOTOS_DIR.mkdir(parents=True)
    (settings.PHOTOS_DIR / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError):
        files.read("link")


@pytest.mark.parametrize("step", ["open", "fsync", "rename", "mkdir"])
def test_a_full_disk_leaves_nothing(step, monkeypatch):
    from pathlib import Path

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, step, full)
    with pytest.raises(files.StorageFull):
        files.save("clinic-1", b"bytes")
    monkeypatch.undo()
    assert stored_files() == []


def test_a_disk_that_fills_while_writing_leaves_nothing(monkeypatch):
    class Filling:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.file.close()

        def write(self, data):
            self.file.write(data[:3])
            self.file.flush()
            full()

    from pathlib import Path

    ordinary = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode: Filling(ordinary(self, mode)))
    with pytest.raises(files.StorageFull):
        files.save("clinic-1", b"bytes")
    monkeypatch.undo()
    assert stored_files() == []


def test_deleting_twice_and_a_begun_file():
    key = files.save("clinic-1", b"bytes")
    whole.new_draft(files.path_of(key)).write_bytes(b"by")
    files.delete(key)
    files.delete(key)
    assert stored_files() == []


def test_a_file_that_cannot_be_deleted_is_logged_and_does_not_fail(monkeypatch, caplog):
    from pathlib import Path

    key = files.save("clinic-1", b"bytes")

    def refuse(self, missing_ok=False):
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "unlink", refuse)
    files.delete(key)
    assert "cannot delete" in caplog.text


def age(folder, seconds):
    for note in folder.iterdir():
        os.utime(note, (time.time() - seconds,) * 2)


def crash_leaving(settings, *keys):
    """Leave the note and files behind as a process killed in mid-upload would."""
    folder = settings.PHOTOS_DIR / "notes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crashed.json").write_text(json.dumps(keys))
    return folder


def test_the_note_is_there_during_and_gone_after(settings):
    with file_notes.noted("clinic-1/aa/x.jpg"):
        (note,) = (settings.PHOTOS_DIR / "notes").iterdir()
        assert json.loads(note.read_text()) == ["clinic-1/aa/x.jpg"]
    assert not note.exists()
    with pytest.raises(RuntimeError), file_notes.noted("clinic-1/aa/x.jpg"):
        raise RuntimeError
    assert list((settings.PHOTOS_DIR / "notes").iterdir()) == []


def test_no_room_for_the_note_is_a_full_disk(monkeypatch):
    from pathlib import Path

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(files.StorageFull), file_notes.noted("clinic-1/aa/x.jpg"):
        pass


def test_files_of_a_crashed_upload_are_swept_after_an_hour(settings, db):
    key, begun = files.save("clinic-1", b"orphan"), files.new_key("clinic-1")
    whole.new_draft(files.path_of(begun)).write_bytes(b"half")
    folder = crash_leaving(settings, key, begun)

    housekeeping.sweep()
    assert files.read(key) == b"orphan", "an upload may still be on its way"

    age(folder, 3700)
    housekeeping.sweep()
    assert stored_files() == []
    assert list(folder.iterdir()) == []


def test_files_that_a_photo_names_survive_the_sweep(settings, photo):
    folder = crash_leaving(settings, photo.file_key, photo.thumbnail_key)
    age(folder, 3700)
    housekeeping.sweep()
    assert sorted(stored_files()) == sorted([photo.file_key, photo.thumbnail_key])
    assert list(folder.iterdir()) == []


def test_a_worker_with_a_wrong_clock_deletes_no_upload_on_its_way(settings, db, monkeypatch):
    key = files.save("clinic-1", b"on its way")
    crash_leaving(settings, key)
    draft = whole.new_draft(settings.PHOTOS_DIR / "clinic-1" / "aa" / "model")
    draft.write_bytes(b"on its way, too")
    two_days_ahead = time.time() + 2 * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: two_days_ahead)
    housekeeping.sweep()
    whole.sweep([draft])
    assert files.read(key) == b"on its way" and draft.exists()


def test_whoever_confirms_a_note_in_time_keeps_the_files_and_whoever_is_late_hears_it(settings, db):
    key = files.new_key("clinic-1")
    with file_notes.noted(key) as note:
        files.write(key, b"slow")
        folder = settings.PHOTOS_DIR / "notes"
        age(folder, 3700)
        note.confirm(key)
        housekeeping.sweep()
        assert files.read(key) == b"slow", "its row is about to be committed"
        age(folder, 3700)
        housekeeping.sweep()
        assert stored_files() == []
        with pytest.raises(file_notes.NoteGone):
            note.confirm(key)
    with file_notes.noted(key) as note, pytest.raises(file_notes.NoteGone):
        note.confirm(key)


def test_a_photo_whose_files_are_swept_while_they_are_written_is_sent_again_and_no_disk_is_called_full(
    settings, clinic, clinician, monkeypatch
):
    threads = whole.ThreadPoolExecutor

    def swept_first(many):
        monkeypatch.setattr(whole, "ThreadPoolExecutor", threads)
        age(settings.PHOTOS_DIR / "notes", 7200)
        housekeeping.sweep()
        return threads(many)

    monkeypatch.setattr(whole, "ThreadPoolExecutor", swept_first)
    with pytest.raises(ComeBack) as told:
        factories.make_photo(clinic, clinician)
    assert told.value.code == "took_too_long" and stored_files() == []
    factories.make_photo(clinic, clinician)


def test_a_note_confirmed_while_the_broom_has_it_in_hand_is_given_back(settings, db, monkeypatch):
    from pathlib import Path

    key = files.save("clinic-1", b"slow")
    folder = crash_leaving(settings, key)
    age(folder, 3700)
    rename = Path.rename

    def confirmed_first(self, target):
        os.utime(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", confirmed_first)
    housekeeping.sweep()
    assert files.read(key) == b"slow" and [note.suffix for note in folder.iterdir()] == [".json"]
    monkeypatch.undo()
    # A broom that was killed with the note in hand.
    (folder / "crashed.json").rename(folder / "crashed.taken")
    age(folder, 3700)
    housekeeping.sweep()
    assert stored_files() == [] and list(folder.iterdir()) == []


def test_a_note_cut_short_by_the_crash_is_swept(settings, db):
    folder = crash_leaving(settings)
    (folder / "crashed.json").write_text('["clinic-1/')
    age(folder, 3700)
    housekeeping.sweep()
    assert list(folder.iterdir()) == []
