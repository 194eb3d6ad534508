"""Importing: everything is checked first, nothing is half written, and again changes nothing."""

import csv
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from skinclinic.archive.models import BackgroundDisease, Entry, Import, Source
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing import write as import_write
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.engine import housekeeping, jobs
from skinclinic.models import Job, Lesion, Patient, Photo
from skinclinic.services import decoding
from tests import factories
from tests.archive import import_runs, table_files
from tests.archive.table_files import COLUMNS
from tests.cases import each
from tests.folders import full_after

pytestmark = pytest.mark.django_db
State = Import.State


@pytest.fixture
def begin(clinic, curator, tmp_path):
    def make(photos=None, metadata=None, format="csv", name="Archive A", columns=COLUMNS, **keywords):
        photos = photos or table_files.photos(tmp_path / "photos")
        return imports.begin(
            clinic=clinic, user=curator, name=name, format=format, role="both", photos=str(photos),
            metadata=str(metadata or ""), columns=columns, **keywords,
        )  # fmt: skip

    return make


def checked(row: Import) -> Import:
    import_runs.checked(row)
    return row


def imported(row: Import) -> Import:
    assert checked(row).state == State.READY, row.report
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    return row


def messages(row: Import) -> str:
    return " | ".join(
        f"{problem['column']}: {in_words(problem)} {problem['rows']}" for problem in row.report["errors"]
    )


def nothing_is_written() -> bool:
    return not (Entry.objects.exists() or Photo.objects.exists() or Patient.objects.exists())


def test_a_table_and_its_photos_come_in(begin, tmp_path, clinic, curator):
    row = imported(begin(metadata=table_files.three(tmp_path / "t.csv")))
    assert (row.state, row.written, row.total) == (State.DONE, 3, 3)
    entries = Entry.objects.order_by("external_id")
    assert [entry.label for entry in entries] == ["bcc", "mm", "nevus"]
    assert {entry.patient.code for entry in entries} == {"Archive A/A", "Archive A/B"}
    assert all(entry.review == "pending" and entry.phash is not None for entry in entries)
    assert Lesion.objects.filter(is_archived=True).count() == 3
    assert not imports.folder(row).exists()


def test_the_same_import_again_changes_nothing(begin, tmp_path):
    table = table_files.three(tmp_path / "t.csv")
    imported(begin(metadata=table))
    before = list(Entry.objects.order_by("pk").values())
    row = imported(begin(metadata=table))
    assert row.report["unchanged"] == 3 and row.report["new"] == 0
    assert list(Entry.objects.order_by("pk").values()) == before
    assert (Photo.objects.count(), Patient.objects.count(), Source.objects.count()) == (3, 2, 1)


def test_a_changed_label_is_said_then_written_and_resets_the_review(begin, tmp_path, curator):
    imported(begin(metadata=table_files.three(tmp_path / "t.csv")))
    Entry.objects.update(review="accepted", reviewed_by=curator)
    other = table_files.table(tmp_path / "u.csv", [["0.jpg", "sk", "A"], ["1.jpg", "mm", "A"]])
    row = checked(begin(metadata=other))
    assert (row.report["changed"], row.report["unchanged"]) == (1, 1)
    assert Entry.objects.get(external_id="0.jpg").label == "bcc"
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    entry = Entry.objects.get(external_id="0.jpg")
    assert (entry.label, entry.review) == ("sk", "pending")
    assert entry.changes.first().fields["label"] == ["bcc", "sk"]
    assert Entry.objects.get(external_id="1.jpg").review == "accepted"


@each(
    "encoding, delimiter",
    [("utf-8", ","), ("utf-8-sig", ","), ("cp949", ","), ("utf-8", ";"), ("utf-8-sig", "\t"), ("cp949", ";")],
)
def test_tables_as_people_save_them(begin, tmp_path, encoding, delimiter):
    rows = [["0.jpg", "기저세포암종", "환자가"], ["1.jpg", "사마귀", "환자나"], ["2.jpg", "mm", "B"]]
    table = table_files.table(tmp_path / "t.csv", rows, encoding=encoding, delimiter=delimiter)
    imported(begin(metadata=table))
    assert sorted(Entry.objects.values_list("label", flat=True)) == ["bcc", "mm", "wart"]
    assert Patient.objects.filter(code="Archive A/환자가").exists()


def test_unknown_labels_are_counted_and_mapped_never_guessed(begin, tmp_path):
    rows = [["0.jpg", "Basalioma", "A"], ["1.jpg", "Psoriasis", "A"], ["2.jpg", "Psoriasis", "B"]]
    row = checked(begin(metadata=table_files.table(tmp_path / "t.csv", rows)))
    assert row.state == State.REFUSED
    assert row.report["unknown_labels"] == {"Psoriasis": 2, "Basalioma": 1}
    assert nothing_is_written()
    imports.set_mapping(row, labels={"Basalioma": "BCC", "Psoriasis": "  Psoriasis  vulgaris "})
    imported(row)
    assert sorted(Entry.objects.values_list("label", flat=True)) == [
        "Psoriasis vulgaris", "Psoriasis vulgaris", "bcc",
    ]  # fmt: skip
    assert BackgroundDisease.objects.get().name == "Psoriasis vulgaris"


def test_names_and_subtypes_come_in_the_clinics_spelling_and_again_changes_nothing(begin, tmp_path, clinic):
    BackgroundDisease.objects.create(clinic=clinic, name="Rosacea")
    rows = [["0.jpg", "x", "Nodular"], ["1.jpg", "bcc", "NODULAR "], ["2.jpg", "bcc", "Rare one"]]
    path = table_files.table(tmp_path / "t.csv", rows, header=["image", "diagnosis", "kind"])
    columns = {"file": "image", "label": "diagnosis", "subtype": "kind"}
    imported(begin(metadata=path, columns=columns, labels={"x": "rosacea"}))
    found = sorted(Entry.objects.values_list("label", "subtype"))
    assert found == [("Rosacea", "Nodular"), ("bcc", "Rare one"), ("bcc", "nodular")]
    again = checked(begin(metadata=path, columns=columns, labels={"x": "rosacea"}))
    assert again.report["unchanged"] == 3
    assert BackgroundDisease.objects.count() == 1


def test_a_label_can_be_left_out(begin, tmp_path):
    row = begin(metadata=table_files.three(tmp_path / "t.csv"), labels={"mm": "-"})
    assert imported(row).report["left_out"] == 1
    assert sorted(Entry.objects.values_list("label", flat=True)) == ["bcc", "nevus"]


BAD_TABLES = {
    "missing file": (["9.jpg", "bcc", "A"], "“9.jpg”: this photo is not there [3]"),
    "doubled id": (["0.jpg", "bcc", "A"], "“0.jpg”: an earlier row has a photo of this name [3]"),
    "formula": (
        ["1.jpg", "bcc", "=HYPERLINK(1)"],
        "“=HYPERLINK(1)”: a formula; save the table with values [3]",
    ),
    "nul": (["1.jpg", "bcc", "A\0B"], "patient: “A�B”: holds a NUL byte [3]"),
    "cells": (["1.jpg", "bcc", "A", "more"], "4 cells, the header has 3 [3]"),
    "no label": (["1.jpg", "", "A"], "diagnosis: is empty [3]"),
    "no file": (["", "bcc", "A"], "image: is empty [3]"),
    "endless cell": (["1.jpg", "bcc", "A" * 30_000], "…”: longer than 20,000 characters [3]"),
    "csv bomb": (["1.jpg", "bcc", "A" * 200_000], "cannot be read"),
    "long code": (["1.jpg", "bcc", "A" * 61], "longer than 60 characters [3]"),
}


@each("kind", BAD_TABLES)
def test_a_bad_row_is_named_and_nothing_is_imported(begin, tmp_path, kind):
    bad, message = BAD_TABLES[kind]
    row = checked(begin(metadata=table_files.table(tmp_path / "t.csv", [["0.jpg", "bcc", "A"], bad])))
    assert row.state == State.REFUSED
    assert message in messages(row)
    assert nothing_is_written()
    with pytest.raises(imports.NotNow):
        imports.request_write(row)


BAD_VALUES = {
    "age": ("140", "“140”: not an age in years from 0 to 120"),
    "sex": ("robot", "“robot”: none of female, male, other"),
    "skin_type": ("VII", "“VII”: not a Fitzpatrick skin type from I to VI"),
    "is_proven": ("perhaps", "“perhaps”: neither yes nor no"),
    "taken_on": ("2020-02-31", "“2020-02-31”: not a date written as YYYY-MM-DD"),
    "kind": ("selfie", "“selfie”: none of clinical, overview, dermoscopic"),
    "confirmed_by": ("guess", "“guess”: no way of confirmation of the ISIC vocabulary"),
}


@each("field", BAD_VALUES)
def test_an_unknown_code_is_named(begin, tmp_path, field):
    value, message = BAD_VALUES[field]
    table = table_files.table(
        tmp_path / "t.csv",
        [["0.jpg", "bcc", value], ["1.jpg", "bcc", value]],
        header=["image", "diagnosis", "x"],
    )
    row = checked(begin(metadata=table, columns={"file": "image", "label": "diagnosis", field: "x"}))
    assert messages(row) == f"x: {message} [2, 3]"
    assert nothing_is_written()


BAD_WHOLES = {
    "empty": (b"", "is empty"),
    "only a header": (b"image,diagnosis,patient\n", "no row to import"),
    "missing column": (b"image,patient\n0.jpg,A\n", "missing: diagnosis"),
    "doubled column": (b"image,diagnosis,patient,patient\n", "stand there twice: patient"),
    "utf-16 that does not go on so": (b"\xff\xfe" + b"\0\xd8" * 3, "Save it as CSV"),
    "spreadsheet": (b"PK\x03\x04" + bytes(40), "Save it as CSV"),
    "neither encoding": (b"image,diagnosis,patient\n0.jpg,bcc,\xff\xff\xfe\n", "neither UTF-8 nor CP949"),
}


@each("kind", BAD_WHOLES)
def test_a_table_that_cannot_be_used_is_refused_as_a_whole(begin, tmp_path, kind):
    data, message = BAD_WHOLES[kind]
    (tmp_path / "t.csv").write_bytes(data)
    row = checked(begin(metadata=tmp_path / "t.csv"))
    assert row.state == State.REFUSED and message in in_words(row.report["refused"])
    assert nothing_is_written()


def test_a_table_of_more_than_a_million_rows_is_refused(begin, tmp_path, monkeypatch):
    monkeypatch.setattr("skinclinic.archive.formats.tables.MOST_ROWS", 2)
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    assert "more than 2 rows" in in_words(row.report["refused"])


def test_photos_without_a_row_are_listed_and_left_out(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos", 5)
    row = imported(begin(photos, table_files.three(tmp_path / "t.csv")))
    assert row.report["files_without_row"] == ["3.jpg", "4.jpg"]
    assert Entry.objects.count() == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"no photo at all", "not a"),
        (factories.jpeg_bytes(0)[:2000], "damaged"),
        (b"GIF89a" + bytes(50), "GIF"),
        (factories.jpeg_bytes(0, 32, 32), "small"),
    ],
)
def test_an_unreadable_photo_is_named(begin, tmp_path, data, message):
    photos = table_files.photos(tmp_path / "photos")
    (photos / "1.jpg").write_bytes(data)
    row = checked(begin(photos, table_files.three(tmp_path / "t.csv")))
    assert row.state == State.REFUSED
    assert "“1.jpg”" in messages(row) and "[3]" in messages(row)
    assert message in messages(row).casefold() or message in messages(row)
    assert nothing_is_written()


def test_a_photo_that_is_too_large_is_not_read(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos")
    with (photos / "1.jpg").open("ab") as file:
        file.truncate(26 * 2**20)
    row = checked(begin(photos, table_files.three(tmp_path / "t.csv")))
    assert "“1.jpg”: larger than 25 MB [3]" in messages(row)


def test_the_same_file_under_two_names_comes_in_once(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos")
    (photos / "2.jpg").write_bytes((photos / "0.jpg").read_bytes())
    rows = [["0.jpg", "bcc", "A"], ["1.jpg", "mm", "A"], ["2.jpg", "bcc", "B"]]
    row = imported(begin(photos, table_files.table(tmp_path / "t.csv", rows)))
    assert row.report["doubled"] == [[2, 4]]
    assert Entry.objects.count() == 2


def test_a_file_another_source_holds_is_said_and_not_stored_twice(begin, tmp_path):
    imported(begin(metadata=table_files.three(tmp_path / "t.csv")))
    row = imported(begin(metadata=tmp_path / "t.csv", name="Archive B"))
    assert (row.report["known"], row.report["new"]) == (3, 0)
    assert Entry.objects.count() == Photo.objects.count() == 3


def test_a_file_of_the_clinic_stays_the_clinics(begin, tmp_path, clinic, curator):
    photos = table_files.photos(tmp_path / "photos")
    from skinclinic.services.photos import store_photo

    own, _new = store_photo(clinic=clinic, user=curator, data=(photos / "0.jpg").read_bytes(), name="own.jpg")
    row = imported(begin(photos, table_files.three(tmp_path / "t.csv")))
    assert row.report["known"] == 1
    assert not Entry.objects.filter(photo=own).exists()
    assert Lesion.objects.filter(photos=None).count() == 0


BAD_ZIPS = {
    "escape": ({"../../0.jpg": b"x"}, "leads out of the ZIP"),
    "absolute": ({"/etc/0.jpg": b"x"}, "leads out of the ZIP"),
    "backslash": ({"..\\0.jpg": b"x"}, "leads out of the ZIP"),
    "nested": ({"more.zip": b"x"}, "is an archive inside the ZIP"),
    "ratio": ({"0.jpg": bytes(60 * 2**20)}, "-fold when unpacked"),
}


@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_a_hostile_zip_is_refused_before_it_is_unpacked(begin, tmp_path, kind):
    files, message = BAD_ZIPS[kind]
    photos = table_files.zipped(tmp_path / "p.zip", files)
    row = checked(begin(photos, table_files.three(tmp_path / "t.csv")))
    assert message in in_words(row.report["refused"])
    assert nothing_is_written()


def test_a_link_in_a_zip_is_refused(begin, tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as file:
        info = zipfile.ZipInfo("0.jpg")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    row = checked(begin(tmp_path / "p.zip", table_files.three(tmp_path / "t.csv")))
    assert "is a link" in in_words(row.report["refused"])


def test_a_zip_of_too_many_files_is_refused(begin, tmp_path, monkeypatch):
    monkeypatch.setattr("skinclinic.archive.formats.photo_sets.MOST_FILES", 2)
    files = {f"{number}.jpg": b"x" for number in range(3)}
    row = checked(begin(table_files.zipped(tmp_path / "p.zip", files), table_files.three(tmp_path / "t.csv")))
    assert "more than 2 files" in in_words(row.report["refused"])


@pytest.mark.parametrize("cut", [0.2, 0.9])
def test_a_zip_that_is_cut_off_is_refused(begin, tmp_path, cut):
    path = table_files.zipped(tmp_path / "p.zip", {"0.jpg": factories.jpeg_bytes(0)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    row = checked(begin(path, table_files.three(tmp_path / "t.csv")))
    assert "cannot be read" in in_words(row.report["refused"])


def test_a_file_damaged_inside_a_zip_is_named(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos")
    path = table_files.zipped(
        tmp_path / "p.zip", {f"{number}.jpg": (photos / f"{number}.jpg").read_bytes() for number in range(3)}
    )
    data = bytearray(path.read_bytes())
    data[200:230] = bytes(30)
    path.write_bytes(data)
    row = checked(begin(path, table_files.three(tmp_path / "t.csv")))
    assert row.state == State.REFUSED and "0.jpg" in messages(row)


def test_photos_come_out_of_a_zip(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos")
    files = {f"set/{number}.jpg": (photos / f"{number}.jpg").read_bytes() for number in range(3)}
    imported(begin(table_files.zipped(tmp_path / "p.zip", files), table_files.three(tmp_path / "t.csv")))
    assert Entry.objects.count() == 3


def test_a_link_in_a_folder_is_not_followed(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos", 2)
    (tmp_path / "outside.jpg").write_bytes(factories.jpeg_bytes(5))
    (photos / "2.jpg").symlink_to(tmp_path / "outside.jpg")
    row = checked(begin(photos, table_files.three(tmp_path / "t.csv")))
    assert "“2.jpg”: this photo is not there" in messages(row)


def test_one_folder_a_disease(begin, tmp_path):
    for number, folder in enumerate(["bcc", "Melanoma, NOS", "Psoriasis"]):
        (tmp_path / "set" / folder).mkdir(parents=True)
        (tmp_path / "set" / folder / "a.jpg").write_bytes(factories.jpeg_bytes(number))
    row = checked(begin(tmp_path / "set", format="folder"))
    assert row.report["unknown_labels"] == {"Psoriasis": 1}
    imports.set_mapping(row, labels={"Psoriasis": "Psoriasis"})
    imported(row)
    assert sorted(Entry.objects.values_list("label", flat=True)) == ["Psoriasis", "bcc", "mm"]


def test_med_node(begin, tmp_path):
    for number, folder in enumerate(["melanoma", "naevus"]):
        (tmp_path / "set" / folder).mkdir(parents=True)
        (tmp_path / "set" / folder / f"{number}.jpg").write_bytes(factories.jpeg_bytes(number))
    imported(begin(tmp_path / "set", format="med-node"))
    assert sorted(Entry.objects.values_list("label", flat=True)) == ["mm", "nevus"]


ISIC_HEADER = [
    "isic_id", "patient_id", "lesion_id", "age_approx", "sex", "anatom_site_general", "diagnosis",
    "diagnosis_confirm_type", "fitzpatrick_skin_type", "image_type",
]  # fmt: skip


def test_isic_metadata(begin, tmp_path):
    photos = table_files.photos(tmp_path / "photos")
    for number in range(3):
        (photos / f"{number}.jpg").rename(photos / f"ISIC_000000{number}.jpg")
    rows = [
        ["ISIC_0000000", "IP_1", "IL_1", "55.0", "male", "posterior torso",
         "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma in situ", "histopathology", "II",
         "clinical: close-up"],
        ["ISIC_0000001", "IP_1", "IL_2", "", "", "", "Benign:Nevus", "single image expert consensus", "",
         "dermoscopic"],
        ["ISIC_0000002", "", "", "40", "female", "palms/soles", "Verruca", "", "", ""],
    ]  # fmt: skip
    imported(begin(photos, table_files.table(tmp_path / "t.csv", rows, header=ISIC_HEADER), format="isic"))
    first, second, third = Entry.objects.order_by("external_id").select_related("photo__lesion", "patient")
    assert (first.label, first.age, first.is_proven, first.patient.skin_type) == ("iec", 55, True, 2)
    assert first.photo.lesion.site == "back"
    assert (second.label, second.is_proven, second.photo.kind) == ("nevus", False, "dermoscopic")
    assert (third.label, third.patient, third.photo.lesion.site) == ("wart", None, "palm_or_sole")


def test_isic_metadata_with_a_column_for_each_level(begin, tmp_path):
    header = ["isic_id", "diagnosis_1", "diagnosis_2", "diagnosis_3"]
    rows = [["0", "Malignant", "Epidermal", "Basal cell carcinoma"], ["1", "Benign", "Nevus", ""]]
    imported(begin(metadata=table_files.table(tmp_path / "t.csv", rows, header=header), format="isic"))
    assert list(Entry.objects.order_by("external_id").values_list("label", flat=True)) == ["bcc", "nevus"]


def test_pause_and_resume(begin, tmp_path, monkeypatch):
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    imports.request_write(row)
    from skinclinic.archive.services.importing import write as import_write

    real = import_write._Writer.store

    def store_then_pause(self, group):
        real(self, group)
        imports.pause(Import.objects.get(pk=row.pk))

    monkeypatch.setattr(import_write, "AT_ONCE", 1)
    monkeypatch.setattr(import_write._Writer, "store", store_then_pause)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    assert (row.state, Entry.objects.count()) == (State.PAUSED, 1)
    monkeypatch.undo()
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    assert (row.state, row.written, Entry.objects.count()) == (State.DONE, 3, 3)


def test_an_error_in_the_middle_is_noted_and_the_import_taken_up_again(begin, tmp_path):
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    imports.request_write(row)
    with full_after(3):
        jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    assert row.state == State.FAILED and "disk is full" in row.error
    assert Entry.objects.count() == Photo.objects.count() == 1
    assert Lesion.objects.count() == 1
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    assert (row.state, Entry.objects.count(), Photo.objects.count()) == (State.DONE, 3, 3)


def test_a_double_click_starts_one_run(begin, tmp_path):
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    imports.request_write(row)
    with pytest.raises(imports.NotNow):
        imports.request_write(Import.objects.get(pk=row.pk))


@pytest.mark.parametrize("state", [State.CHECKING, State.RUNNING, State.DONE])
def test_what_is_at_work_or_done_is_not_checked_again(begin, tmp_path, state):
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    Import.objects.filter(pk=row.pk).update(state=state)
    with pytest.raises(imports.NotNow, match=str(State(state).label)):
        imports.request_check(row)
    row.refresh_from_db()
    assert row.state == state


@pytest.mark.parametrize("ask", [imports.request_check, imports.request_write])
def test_an_import_that_is_at_work_has_a_job(begin, tmp_path, monkeypatch, ask):
    """A database that is locked just then leaves a page from which one can ask again, not one that waits for ever."""
    row = begin(metadata=table_files.three(tmp_path / "t.csv"))
    if ask is imports.request_write:
        checked(row)
    before = row.state

    def locked(*_args, **_keywords):
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "enqueue", locked)
        with pytest.raises(OperationalError):
            ask(row)
    assert Import.objects.get().state == before
    ask(Import.objects.get())
    assert Job.objects.filter(state="queued").count() == 1


@pytest.mark.parametrize("kind", [imports.CHECK_JOB, imports.WRITE_JOB])
def test_a_worker_goes_on_with_what_a_killed_command_had_begun(begin, tmp_path, kind):
    row = begin(metadata=table_files.three(tmp_path / "t.csv"))
    if kind == imports.WRITE_JOB:
        checked(row)
    at_work = imports.here(kind, row)
    at_work.__enter__()
    row.refresh_from_db()
    assert row.state in (State.CHECKING, State.RUNNING) and jobs.run_waiting(kind) == 0
    Job.objects.filter(kind=kind).update(lease_until="2020-01-01T00:00:00Z")
    jobs.run_waiting(kind)
    row.refresh_from_db()
    assert row.state == (State.READY if kind == imports.CHECK_JOB else State.DONE)
    at_work.__exit__(None, None, None)


def test_a_photo_that_cannot_be_given_a_row_leaves_no_file(begin, tmp_path, monkeypatch, settings):
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    imports.request_write(row)

    def broken(**_fields):
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(import_write, "create_entry", broken)
        for _attempt in range(jobs.MAX_ATTEMPTS):
            assert jobs.run_waiting(imports.WRITE_JOB) == 1 and nothing_is_written()
            Job.objects.update(not_before=None)
    row.refresh_from_db()
    assert row.state == State.FAILED and nothing_is_written()
    assert list(settings.PHOTOS_DIR.rglob("*.jpg")) == [] and list(settings.PHOTOS_DIR.rglob("*.json")) == []
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    assert Import.objects.get().state == State.DONE


def test_a_file_uploaded_while_the_import_decodes_it_stays_the_clinics(
    begin, tmp_path, monkeypatch, settings, clinic, curator
):
    from skinclinic.services.photos import store_photo

    photos = table_files.photos(tmp_path / "photos")
    row = checked(begin(photos=photos, metadata=table_files.three(tmp_path / "t.csv")))
    accept, uploaded = decoding.accept, []

    def while_somebody_uploads(data, **how):
        found = accept(data, **how)
        if not uploaded:
            uploaded.append(True)
            uploaded.append(store_photo(clinic=clinic, user=curator, data=data, name="own.jpg")[0])
        return found

    imports.request_write(row)
    monkeypatch.setattr(decoding, "accept", while_somebody_uploads)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    own = uploaded[1]
    assert row.state == State.DONE
    assert not Entry.objects.filter(photo=own).exists() and not own.lesion.is_archived
    assert Photo.objects.count() == Entry.objects.count() + 1 == row.total
    assert len(list(settings.PHOTOS_DIR.rglob("*.jpg"))) == 2 * row.total


def test_the_files_of_an_import_that_nobody_starts_go_after_a_month(begin, tmp_path, clinic, curator):
    table = table_files.three(tmp_path / "t.csv")
    old, young, written = (begin(metadata=table) for _n in range(3))
    for row in (old, young, written):
        kept = imports.folder(row)
        kept.mkdir(parents=True)
        (kept / "table.csv").write_bytes(table.read_bytes())
        Import.objects.filter(pk=row.pk).update(
            metadata=str(kept / "table.csv"), created_at=timezone.now() - timedelta(days=31)
        )
    Import.objects.filter(pk=young.pk).update(created_at=timezone.now())
    Import.objects.filter(pk=written.pk).update(state=State.PAUSED, written=1)
    housekeeping.sweep()
    assert [imports.folder(row).exists() for row in (old, young, written)] == [False, True, True]
    old.refresh_from_db()
    assert old.state == State.FAILED and "not started within 30 days" in old.error
    assert old.metadata == ""


def test_discarding_leaves_nothing(begin, tmp_path):
    row = checked(begin(metadata=table_files.three(tmp_path / "t.csv")))
    folder = imports.folder(row)
    imports.discard(row)
    assert not folder.exists()
    assert not Import.objects.exists() and not Source.objects.exists()


def run(*arguments, **options):
    call_command("import_dataset", *arguments, **options)


def test_the_command_with_a_map_a_dry_run_and_again(clinic, curator, tmp_path, capsys):
    photos = table_files.photos(tmp_path / "photos")
    rows = [["0.jpg", "Basalioma", "A"], ["1.jpg", "mm", "A"]]
    table = table_files.table(tmp_path / "t.csv", rows)
    (tmp_path / "map.json").write_text(json.dumps({"columns": COLUMNS, "labels": {"basalioma": "BCC"}}))
    options = {"photos": photos, "metadata": table, "map": tmp_path / "map.json", "user": curator.username}
    run("Command archive", **options, dry_run=True)
    assert "new 2" in capsys.readouterr().out
    assert nothing_is_written() and not Source.objects.exists()
    run("Command archive", **options, licence="CC BY 4.0")
    assert "2 rows written" in capsys.readouterr().out
    assert Source.objects.get().licence == "CC BY 4.0"
    run("Command archive", **options)
    assert "unchanged 2" in capsys.readouterr().out
    assert Entry.objects.count() == 2


def test_the_command_says_what_is_wrong_and_imports_nothing(clinic, tmp_path, capsys):
    table = table_files.table(tmp_path / "t.csv", [["0.jpg", "Basalioma", "A"], ["9.jpg", "mm", "A"]])
    (tmp_path / "map.json").write_text(json.dumps({"columns": COLUMNS}))
    with pytest.raises(CommandError, match="Nothing was imported"):
        run("X", photos=table_files.photos(tmp_path / "photos"), metadata=table, map=tmp_path / "map.json")
    said = capsys.readouterr().err
    assert "unknown label “Basalioma”: 1 rows" in said and "9.jpg" in said
    assert nothing_is_written() and not Import.objects.exists()


@pytest.mark.parametrize("text", ["[]", "{", '{"columns": []}', '{"labels": {"a": 1}}'])
def test_a_bad_map_is_refused(clinic, tmp_path, text):
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(CommandError, match="map.json"):
        run(
            "X", photos=table_files.photos(tmp_path / "p"), metadata=table_files.three(tmp_path / "t.csv"),
            map=tmp_path / "map.json",
        )  # fmt: skip


def test_which_clinic_must_be_said_when_there_are_two(clinic, other_clinic, tmp_path):
    with pytest.raises(CommandError, match="--clinic"):
        run("X", photos=table_files.photos(tmp_path / "p"), format="folder")


def test_the_real_photos_come_in_with_what_their_table_says(clinic, curator, real_photos):
    options = {
        "photos": real_photos / "images", "metadata": real_photos / "metadata.csv", "format": "pad-ufes-20",
        "user": curator.username,
    }  # fmt: skip
    run("PAD-UFES-20", **options)
    with (real_photos / "metadata.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert Entry.objects.count() == len(rows)
    assert Patient.objects.count() == len({row["patient_id"] for row in rows})
    assert Lesion.objects.count() == len({(row["patient_id"], row["lesion_id"]) for row in rows})
    assert Entry.objects.filter(is_proven=True).count() == sum(row["biopsed"] == "True" for row in rows)
    assert Entry.objects.filter(label="ak").count() == sum(row["diagnostic"] == "ACK" for row in rows)
    before = list(Entry.objects.order_by("pk").values())
    run("PAD-UFES-20", **options)
    assert list(Entry.objects.order_by("pk").values()) == before
