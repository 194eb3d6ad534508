"""The import pages: upload, check, map, start, pause, discard, errors as a table."""

import io
import os
import tempfile
import time
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from skinclinic.archive.models import Entry, Import, SavedMapping
from skinclinic.archive.services.importing import imports as service
from skinclinic.archive.services.importing import room
from skinclinic.engine import jobs
from skinclinic.files import left_uploads
from tests import factories
from tests.cases import each


def archive(count: int = 3) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for seed in range(count):
            made.writestr(f"{seed}.jpg", factories.jpeg_bytes(seed))
    return file.getvalue()


def upload(client, table: str, format: str = "csv", **fields) -> Import:
    answer = client.post(
        reverse("import-new"),
        {
            "name": "Field archive", "format": format, "role": "both",
            "archive": SimpleUploadedFile("a.zip", archive()),
            "table": SimpleUploadedFile("t.csv", table.encode()),
        } | fields,
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    return Import.objects.latest("pk")


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


TABLE = "file,label\n0.jpg,bcc\n1.jpg,rosacea\n2.jpg,mystery\n"


def mapped(client, table: str = TABLE) -> Import:
    row = upload(client, table)
    fields = {"column-file": "file", "column-label": "label"}
    client.post(reverse("import-map", args=[row.pk]), fields)
    jobs.run_waiting(service.CHECK_JOB)
    row.refresh_from_db()
    return row


def fields(page) -> dict[str, str]:
    """{word: the name of its field}"""
    return {one["word"]: one["name"] for one in page.context["words"]}


def test_an_upload_is_mapped_checked_and_written(client):
    row = mapped(client)
    assert row.state == "refused" and row.report["unknown_labels"] == {"rosacea": 1, "mystery": 1}
    page = client.get(reverse("import", args=[row.pk]))
    assert "mystery" in page.content.decode()
    field = fields(page)
    client.post(
        reverse("import-map", args=[row.pk]),
        {
            field["rosacea"]: "Rosacea",
            field["mystery"]: "-",
            "column-file": "file",
            "column-label": "label",
            "save_as": "ours",
        },
    )
    jobs.run_waiting(service.CHECK_JOB)
    client.post(reverse("import-act", args=[row.pk]), {"action": "start"})
    jobs.run_waiting(service.WRITE_JOB)
    row.refresh_from_db()
    assert row.state == "done" and not service.folder(row).exists()
    assert sorted(Entry.objects.values_list("label", flat=True)) == ["Rosacea", "bcc"]
    assert SavedMapping.objects.get().name == "ours"
    assert client.get(reverse("import", args=[row.pk])).status_code == 200
    assert client.get(reverse("imports")).status_code == 200


def test_files_are_on_the_disk_before_their_sender_is_told(client, monkeypatch):
    """As photos are: a power cut leaves no import of empty files."""
    flushed, fsync = set(), os.fsync

    def noted(descriptor):
        flushed.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    row = upload(client, TABLE)
    assert {row.photos, row.metadata, str(service.folder(row))} <= flushed


def test_errors_come_as_a_table_with_formulas_defused(client):
    row = mapped(client, "file,label\n0.jpg,bcc\ngone.jpg,bcc\n2.jpg,=1+1\n")
    text = client.get(reverse("import-errors", args=[row.pk])).content.decode("utf-8-sig")
    assert "gone.jpg" in text and "formula" in text and not Entry.objects.exists()
    assert not any(line.startswith("=") for line in text.splitlines())


def test_discarding_removes_the_files(client):
    row = upload(client, TABLE)
    assert service.folder(row).exists()
    client.post(reverse("import-act", args=[row.pk]), {"action": "discard"})
    assert not service.folder(row).exists() and not Import.objects.exists()


def test_it_pauses_and_the_status_reloads_the_page(client):
    row = upload(client, TABLE)
    Import.objects.filter(pk=row.pk).update(state="running", total=3, written=1)
    assert "HX-Refresh" not in client.get(reverse("work", args=["import", row.pk]))
    client.post(reverse("import-act", args=[row.pk]), {"action": "pause"})
    assert client.get(reverse("work", args=["import", row.pk]))["HX-Refresh"] == "true"
    row.refresh_from_db()
    assert row.state == "paused"


@pytest.mark.parametrize("waiting", ["../elsewhere", "/etc", "link"])
def test_only_what_lies_in_the_clinics_inbox_is_taken(client, clinic, home, waiting):
    inbox = home / "inbox" / clinic.slug
    inbox.mkdir(parents=True)
    (home / "inbox" / "elsewhere").mkdir()
    (inbox / "link").symlink_to("/etc")
    answer = client.post(
        reverse("import-new"), {"name": "x", "format": "folder", "role": "both", "waiting": waiting}
    )
    assert answer.status_code == 422 and not Import.objects.exists()


def test_missing_files_are_said(client):
    answer = client.post(reverse("import-new"), {"name": "x", "format": "csv", "role": "both"})
    assert answer.status_code == 422 and answer.context["form"].errors.keys() == {"archive", "table"}


def test_only_curators_begin(client_for, clinician):
    assert client_for(clinician).get(reverse("import-new")).status_code == 403


def test_a_saved_mapping_is_used_on_the_page(client):
    SavedMapping.objects.create(
        clinic=upload(client, TABLE).clinic, name="ours", format="csv",
        columns={"file": "file", "label": "label"}, labels={"mystery": "-", "rosacea": "Rosacea"},
    )  # fmt: skip
    row = Import.objects.get()
    pk = SavedMapping.objects.get().pk
    client.post(reverse("import-map", args=[row.pk]), {"use_saved": "1", "saved": pk})
    jobs.run_waiting(service.CHECK_JOB)
    row.refresh_from_db()
    assert row.state == "ready" and row.report["labels"] == {"bcc": 1, "Rosacea": 1}
    client.post(reverse("import-map", args=[row.pk]), {"use_saved": "1", "saved": "999999"})
    row.refresh_from_db()
    assert row.state == "ready"


def test_a_meaning_that_was_typed_and_not_chosen_is_taken_by_its_name(client):
    row = mapped(client)
    names = fields(client.get(reverse("import", args=[row.pk])))
    typed = {"rosacea": "기저세포암종", "mystery": ""}
    body = {names[word]: "" for word in typed} | {
        f"{names[word]}_typed": text for word, text in typed.items()
    }
    client.post(reverse("import-map", args=[row.pk]), body)
    row.refresh_from_db()
    assert row.labels == {"rosacea": "bcc", "mystery": ""}


def test_the_check_says_how_many_photos_are_done(client):
    row = mapped(client)
    Import.objects.filter(pk=row.pk).update(state="checking", report={"checked": 40, "of": 160})
    page = client.get(reverse("work", args=["import", row.pk])).content.decode()
    assert "40 of 160 photos" in page and 'value="25"' in page


def test_the_command_leaves_no_job_for_a_worker_to_take(clinic, tmp_path):
    from django.core.management import call_command

    from skinclinic.models import Job
    from tests.archive import table_files

    table = table_files.table(tmp_path / "t.csv", [["0.jpg", "bcc"]], ["file", "label"])
    mapping = tmp_path / "m.json"
    mapping.write_text('{"columns": {"file": "file", "label": "label"}}')
    photos = table_files.photos(tmp_path / "photos", 1)
    call_command("import_dataset", "A", photos=photos, metadata=table, map=mapping)
    assert Import.objects.get().state == "done"
    states = Job.objects.filter(kind__in=(service.CHECK_JOB, service.WRITE_JOB)).values_list(
        "state", flat=True
    )
    assert list(states) == ["done", "done"]


UPLOADS = {
    "no zip at all": (b"", b"file,label\n"),
    "empty table": (b"PK\x05\x06" + bytes(18), b""),
    "text as zip": (b"hello", b"file,label\n0.jpg,bcc\n"),
    "photo as table": (b"hello", factories.jpeg_bytes(0)),
    "spreadsheet as table": (b"hello", b"PK\x03\x04"),
    "NUL in the header": (b"hello", b"file,la\0bel\n0.jpg,bcc\n"),
    "endless line": (b"hello", b"x" * 1_500_000),
    "unclosed header": (b"hello", b'"file,label\n' * 50),
}


@each("kind", UPLOADS)
def test_uploads_that_cannot_be_read_are_refused_in_words_on_their_page(client, kind):
    photos, table = UPLOADS[kind]
    answer = client.post(
        reverse("import-new"),
        {"name": "X", "format": "csv", "role": "both", "archive": SimpleUploadedFile("../../a.zip", photos),
         "table": SimpleUploadedFile("/etc/t.csv", table)},
    )  # fmt: skip
    if answer.status_code == 422:
        assert answer.context["form"].errors
        return
    row = Import.objects.get()
    assert client.get(reverse("import", args=[row.pk])).status_code == 200
    client.post(reverse("import-map", args=[row.pk]), {"column-file": "file", "column-label": "label"})
    jobs.run_waiting(service.CHECK_JOB)
    row.refresh_from_db()
    assert row.state == "refused" and row.report["refused"]["message"]
    assert "notice-error" in client.get(reverse("import", args=[row.pk])).content.decode()
    table = client.get(reverse("import-errors", args=[row.pk])).content.decode("utf-8-sig")
    assert len(table.splitlines()) >= 2


def test_a_field_of_a_word_is_not_moved_by_another_check(client):
    row = mapped(client)
    Import.objects.filter(pk=row.pk).update(report={"errors": [], "unknown_labels": {"one": 1, "two": 1}})
    page = client.get(reverse("import", args=[row.pk]))
    names = fields(page)
    Import.objects.filter(pk=row.pk).update(
        report={"errors": [], "unknown_labels": {"two": 1, "one": 1, "three": 1}}
    )
    client.post(reverse("import-map", args=[row.pk]), {names["one"]: "bcc", names["two"]: "mm"})
    row.refresh_from_db()
    assert row.labels == {"one": "bcc", "two": "mm"}


def test_a_web_process_that_is_killed_while_it_takes_files_in_leaves_nothing_that_can_be_written(
    client, clinic, home, settings, monkeypatch
):
    """Neither half of an import, which a folder of the inbox without its table would be, nor half of a ZIP for ever."""
    (inbox := home / "inbox" / clinic.slug / "field").mkdir(parents=True)
    (inbox / "0.jpg").write_bytes(factories.jpeg_bytes())

    class Killed(BaseException):
        """No line of the process is run after it."""

    def dies(folder):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("skinclinic.files.whole.flush", dies)
        for sent in ({}, {"archive": "", "waiting": "field"}):
            with pytest.raises(Killed):
                upload(client, TABLE, **sent)
    rows = list(Import.objects.all())
    assert [service.folder(row).exists() for row in rows] == [True, True]
    for row in rows:
        page = client.post(reverse("import-act", args=[row.pk]), {"action": "check"}, follow=True)
        assert "have not come" in page.content.decode()
    room.tell_of_half_come()
    assert set(Import.objects.values_list("state", flat=True)) == {"uploaded"}, "as if still on the way"
    Import.objects.update(created_at=timezone.now() - timedelta(hours=2))
    room.tell_of_half_come()
    for row in rows:
        row.refresh_from_db()
        assert row.state == "failed" and not service.folder(row).exists()
        assert "stopped while it took in" in client.get(reverse("import", args=[row.pk])).content.decode()
    assert not jobs.run_waiting(service.CHECK_JOB) and not Entry.objects.exists()
    # What the request's body lay in.
    (passing := home / "tmp").mkdir()
    old, new, other = (passing / name for name in ("tmpa.upload.zip", "tmpb.upload.zip", "tmpc"))
    for path in (old, new, other):
        path.write_bytes(b"x")
    for path in (old, other):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    monkeypatch.setattr(tempfile, "tempdir", str(passing))
    left_uploads.sweep()
    assert [path.exists() for path in (old, new, other)] == [False, True, True]
