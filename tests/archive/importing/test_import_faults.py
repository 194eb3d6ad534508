"""What goes wrong between the check and the last photo: said, nothing half stored, taken up again."""

import json
import os
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from skinclinic.archive.models import Entry, Import, Source
from skinclinic.archive.services.curating import from_clinic
from skinclinic.archive.services.importing import check as import_check
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing import write as import_write
from skinclinic.engine import jobs
from skinclinic.files import whole
from skinclinic.files.whole import DRAFT
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services.photos import store_photo
from tests import factories
from tests.archive import import_runs, table_files
from tests.cases import each
from tests.folders import full_after

pytestmark = pytest.mark.django_db
ROWS = [["0.jpg", "bcc", "A", "L"], ["1.jpg", "mm", "A", "L"], ["2.jpg", "nevus", "B", ""]]
COLUMNS = table_files.COLUMNS | {"lesion": "lesion"}


@pytest.fixture
def photos(tmp_path):
    return table_files.photos(tmp_path / "photos")


@pytest.fixture
def ready(clinic, curator, photos, tmp_path):
    def make(name="Archive A") -> Import:
        table = table_files.table(
            tmp_path / "t.csv", ROWS, header=["image", "diagnosis", "patient", "lesion"]
        )
        row = imports.begin(
            clinic=clinic, user=curator, name=name, format="csv", role="both", photos=str(photos),
            metadata=str(table), columns=COLUMNS,
        )  # fmt: skip
        import_runs.checked(row)
        assert row.state == "ready", row.report
        return row

    return make


def write(row: Import) -> Import:
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    return row


def counts() -> tuple[int, int, int, int]:
    return tuple(model.objects.count() for model in (Entry, Photo, Lesion, Patient))


def files_on_disk(settings) -> int:
    return sum(len(names) for _folder, _inside, names in os.walk(settings.PHOTOS_DIR))


def changed(path):
    path.write_bytes(factories.jpeg_bytes(77, 160, 128))


def truncated(path):
    path.write_bytes(path.read_bytes()[:500])


def gone(path):
    path.unlink()


def a_link(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("damage", [changed, truncated, gone, a_link])
def test_a_photo_that_is_not_the_checked_one_is_not_written(ready, photos, damage, settings):
    row = ready()
    whole = (photos / "1.jpg").read_bytes()
    damage(photos / "1.jpg")
    write(row)
    assert row.state == "failed" and "“1.jpg”" in row.error and "check the import again" in row.error
    assert str(photos) not in row.error
    assert counts() == (1, 1, 1, 1) and files_on_disk(settings) == 2
    (photos / "1.jpg").unlink(missing_ok=True)
    (photos / "1.jpg").write_bytes(whole)
    assert write(row).state == "done" and counts() == (3, 3, 2, 2)


def test_what_was_read_and_not_stored_is_left_for_the_next_time(ready, monkeypatch, settings):
    """Paused in the middle of a group: nothing more is stored, and nothing is lost."""
    row, real = ready(), import_write._Writer.take

    def take_then_pause(self, *arguments):
        new = real(self, *arguments)
        imports.pause(Import.objects.get(pk=row.pk))
        return new

    monkeypatch.setattr(import_write._Writer, "take", take_then_pause)
    assert write(row).state == "paused" and counts() == (0, 0, 0, 0) and files_on_disk(settings) == 0
    monkeypatch.setattr(import_write._Writer, "take", real)
    assert write(row).state == "done" and counts() == (3, 3, 2, 2)


@pytest.mark.parametrize("at_once", [1, 2, 16])
def test_rows_follow_the_files_of_their_group(at_once, ready, monkeypatch):
    """A row never names what a power cut could still take."""
    row, flushed, real = ready(), [], whole.write_together

    def flush(files):
        real(files)
        flushed.append((len(files), Entry.objects.count()))

    monkeypatch.setattr(import_write, "AT_ONCE", at_once)
    monkeypatch.setattr(whole, "write_together", flush)
    assert write(row).state == "done"
    assert flushed == {1: [(2, 0), (2, 1), (2, 2)], 2: [(4, 0), (2, 2)], 16: [(6, 0)]}[at_once]


def test_the_whole_folder_is_gone(ready, photos):
    row = ready()
    photos.rename(photos.with_name("elsewhere"))
    write(row)
    assert row.state == "failed" and "“photos” is neither a folder nor a file" in row.error
    assert counts() == (0, 0, 0, 0)


def test_what_was_checked_is_gone(ready):
    row = ready()
    imports.remove_files(row)
    write(row)
    assert row.state == "failed" and "Check the import again" in row.error and not Entry.objects.exists()


def test_the_disk_is_full_while_it_is_checked(clinic, curator, ready, monkeypatch):
    row = ready()

    def full(*_arguments):
        raise OSError(28, "No space left on device", "/secret/path")

    monkeypatch.setattr(import_check, "check", full)
    import_runs.checked(row)
    assert row.state == "failed" and "No space left on device" in row.error and "secret" not in row.error
    # What an earlier check found does not count any more.
    with pytest.raises(imports.NotNow, match="Check it first"):
        imports.request_write(row)
    assert not list(imports.folder(row).glob(f"{DRAFT}*"))


@pytest.mark.parametrize("place", range(6))
def test_the_disk_is_full_at_any_file(ready, place, settings):
    row = ready()
    with full_after(place):
        write(row)
    stored = place // 2
    assert (
        row.state == "failed"
        and f"Photo {stored + 1} was not stored" in row.error
        and "secret" not in row.error
    )
    assert counts()[:2] == (stored, stored) and files_on_disk(settings) == 2 * stored
    assert (
        not Lesion.objects.filter(photos=None).exists() and not Patient.objects.filter(lesions=None).exists()
    )
    assert write(row).state == "done" and counts() == (3, 3, 2, 2)


def test_a_photo_uploaded_by_the_clinic_meanwhile_stays_the_clinics(
    ready, photos, clinic, curator, monkeypatch
):
    """The first of two photos of a lesion: the lesion made for it is taken back, the second gets its own."""
    row, real = ready(), import_write.is_known
    own, _new = store_photo(clinic=clinic, user=curator, data=(photos / "0.jpg").read_bytes(), name="own.jpg")
    asked = set()

    def too_early(clinic, sha256):
        if sha256 in asked:
            return real(clinic, sha256)
        asked.add(sha256)
        return False

    monkeypatch.setattr(import_write, "is_known", too_early)
    write(row)
    monkeypatch.setattr(import_write, "is_known", real)
    assert row.state == "done" and Entry.objects.count() == 2 and not Entry.objects.filter(photo=own).exists()
    assert not Lesion.objects.filter(photos=None).exists()


def test_a_patient_of_the_clinic_who_has_the_code_of_an_imported_one(ready, clinic, curator):
    own = factories.make_patient(clinic, code="Archive A/A")
    write(ready())
    assert not own.lesions.exists()
    assert Entry.objects.filter(patient__is_archived=True).count() == 3


def test_two_sources_whose_names_and_codes_run_together(clinic, curator, tmp_path):
    for number, (name, code) in enumerate([("A", "B/C"), ("A/B", "C")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "0.jpg").write_bytes(factories.jpeg_bytes(number, 160, 128))
        table = table_files.table(tmp_path / f"{number}.csv", [["0.jpg", "bcc", code]])
        (tmp_path / "map.json").write_text(json.dumps({"columns": table_files.COLUMNS}))
        call_command("import_dataset", name, photos=folder, metadata=table, map=tmp_path / "map.json")
    assert Patient.objects.count() == 2


def test_an_import_cannot_pour_into_the_clinics_own_source(clinic, curator, photos):
    own = from_clinic.own_source(clinic, curator)
    with pytest.raises(CommandError, match="the clinic's own photos"):
        call_command("import_dataset", own.name, photos=photos, format="folder")
    assert not Import.objects.exists()


def test_the_source_cannot_vanish_under_an_import(ready):
    from django.db.models import ProtectedError

    row = ready()
    with pytest.raises(ProtectedError):
        Source.objects.get(pk=row.source_id).delete()


def test_one_import_twice_over_writes_each_photo_once(ready):
    first, second = ready(), ready()
    write(first)
    assert write(second).state == "done" and counts() == (3, 3, 2, 2)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_files_at_once(ready):
    rows = [ready("Archive A"), ready("Archive A"), ready("Archive B")]
    for row in rows:
        imports.request_write(row)
    errors = []

    def run(row):
        try:
            imports.run_write(Import.objects.select_related("clinic", "source", "created_by").get(pk=row.pk))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[row]) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert {Import.objects.get(pk=row.pk).state for row in rows} == {"done"}
    assert counts()[:2] == (3, 3)
    assert not Lesion.objects.filter(photos=None).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [imports.request_write, imports.pause, imports.request_check])
def test_two_people_press_the_same_button_at_once(ready, act):
    row = ready()
    if act is imports.pause:
        imports.request_write(row)
    done = []

    def press():
        try:
            act(Import.objects.get(pk=row.pk))
            done.append("yes")
        except imports.NotNow as refused:
            done.append(str(refused))
        finally:
            connection.close()

    threads = [Thread(target=press) for _person in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count("yes") == 1 and len(done) == 4


MAPS = {
    "a list": "[]", "a word": '"x"', "a number": "1", "nothing": "", "cut off": '{"columns":',
    "columns a list": '{"columns": []}', "labels a number": '{"labels": {"a": 1}}',
    "labels null": '{"labels": null}', "unknown field": '{"columns": {"colour": "x"}}',
    "half a character": '{"labels": {"a": "\\ud800"}}', "NUL": '{"labels": {"a\\u0000": "bcc"}}',
    "10,000 deep": "[" * 10_000, "not UTF-8": b"\xff\xfe\xff",
}  # fmt: skip


@each("kind", MAPS)
def test_a_map_of_another_shape_is_refused(clinic, photos, tmp_path, kind):
    data = MAPS[kind]
    (tmp_path / "map.json").write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(CommandError, match="map.json"):
        call_command("import_dataset", "X", photos=photos, format="folder", map=tmp_path / "map.json")
    assert not Import.objects.exists()


@each("options", [{"name": ""}, {"name": "y" * 121}, {"name": "a\0b"}, {"name": "a\ud800b"}, {"url": "no address"},
     {"url": "javascript:alert(1)"}, {"licence": "y" * 121}, {"period": "a\0b"}, {"photos": "/gone"},
     {"photos": "y" * 5000}, {"photos": "a\0b"}, {"format": "csv"}, {"user": "nobody"},
     {"clinic": "none"}])  # fmt: skip
def test_an_option_that_makes_no_sense_is_refused(clinic, photos, options):
    from pathlib import Path

    options = {"name": "X", "photos": photos, "format": "folder"} | options
    with pytest.raises(CommandError):
        call_command("import_dataset", options.pop("name"), photos=Path(options.pop("photos")), **options)
    assert not Import.objects.exists() and not Source.objects.exists()
