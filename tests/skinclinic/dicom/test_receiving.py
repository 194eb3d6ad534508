"""Photos that another system sends: into an import that a curator decides on, or refused while it listens."""

import errno
import io
import os
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pydicom
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pydicom.uid import EnhancedSRStorage

from skinclinic.archive.formats.dicom_photos import NO_DIAGNOSIS
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports, left_open, receiving
from skinclinic.dicom import network, objects
from skinclinic.engine import jobs
from skinclinic.files import whole
from skinclinic.models import AuditEvent, Photo
from skinclinic.services import image_archives
from tests import orthanc, servers
from tests.archive.importing.test_dicom_photos import PERSON, of_another_system
from tests.skinclinic.dicom.test_objects import FACTS

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def listening(clinic, *, near="127.0.0.0/8"):
    port = servers.free_port()
    server = receiving.Receiver({"HANOK": clinic}, [ip_network(near)]).start("127.0.0.1", port)
    try:
        yield port
    finally:
        server.shutdown()


def sent(port, *files: bytes, title="HANOK") -> int:
    peer = network.Peer("127.0.0.1", port, title, "MODALITY")
    return network.store(peer, [pydicom.dcmread(io.BytesIO(one)) for one in files])


@pytest.mark.dicom
def test_a_real_archive_sends_photos_into_an_import_and_nothing_into_cases(clinic, curator, tmp_path):
    with (
        listening(clinic) as port,
        orthanc.running(
            tmp_path, DicomModalities={"here": ["HANOK", "127.0.0.1", port]}, SynchronousCMove=True
        ) as there,
    ):
        made = [objects.photo(FACTS).encoded(), of_another_system(1)]
        assert sent(there.dicom, *made, title=orthanc.TITLE) == 2
        held = there.asked("/instances")
        there.asked("/modalities/here/store", "POST", {"Resources": held, "Synchronous": True})
    row = Import.objects.get()
    assert (row.clinic, row.format, row.state) == (clinic, "dicom", "checking")
    jobs.run_waiting(imports.CHECK_JOB)
    row.refresh_from_db()
    assert row.report["unknown_labels"] == {NO_DIAGNOSIS: 1} and row.report["new"] == 1
    assert not Photo.objects.exists() and not Entry.objects.exists()
    assert AuditEvent.objects.filter(action="import.received", clinic_key=clinic.pk).exists()
    imports.set_mapping(row, labels={NO_DIAGNOSIS: "nevus"})
    imports.request_check(row)
    jobs.run_waiting(imports.CHECK_JOB)
    row.refresh_from_db()
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    assert sorted(Entry.objects.values_list("label", flat=True)) == ["bcc", "nevus"]


def test_what_was_taken_is_checked_also_where_nobody_heard_that_all_had_come(clinic, monkeypatch):
    """The database was away when the connection ended; a receiver that is killed hears nothing either."""

    def away(row):
        raise OperationalError("the server closed the connection unexpectedly")

    with monkeypatch.context() as broken, listening(clinic) as port:
        broken.setattr(imports, "request_check", away)
        assert sent(port, of_another_system(1)) == 1
    row = Import.objects.get()
    nothing = receiving._begun(clinic, "Nothing came", "HANOK")
    left_open.check_what_was_left()
    row.refresh_from_db()
    assert row.state == "uploaded" and Import.objects.count() == 2, "more may come"
    for one in (row, nothing):
        os.utime(one.photos, (whole.now_in(Path(one.photos)) - left_open.QUIET_SECONDS - 60,) * 2)
    left_open.check_what_was_left()
    assert Import.objects.get() == row and jobs.run_waiting(imports.CHECK_JOB) == 1
    row.refresh_from_db()
    assert row.report["new"] == 1
    left_open.check_what_was_left()
    assert jobs.run_waiting(imports.CHECK_JOB) == 0


def test_what_cannot_be_read_is_refused_while_the_sender_listens(clinic):
    with listening(clinic) as port:
        for bad in (
            of_another_system(1, BurnedInAnnotation="YES"),
            of_another_system(2, Rows=9000, Columns=9000),
        ):
            with pytest.raises(network.NotStored) as refused:
                sent(port, of_another_system(3), bad)
            assert (refused.value.code, refused.value.stored) == ("refused", 1)
        with pytest.raises(network.NotStored) as refused:
            sent(port, of_another_system(4, SOPClassUID=EnhancedSRStorage))
        assert refused.value.code == "kind_refused"
    # Of each connection what was taken stays.
    assert Import.objects.count() == 2


def test_who_calls_nobody_or_from_elsewhere_is_turned_away(clinic):
    with listening(clinic) as port:
        with pytest.raises(network.NotStored) as refused:
            sent(port, of_another_system(1), title="NOBODY")
        assert refused.value.code == "rejected"
        network.echo(network.Peer("127.0.0.1", port, "HANOK", "A"))
    with listening(clinic, near="10.0.0.0/8") as port, pytest.raises(network.NotStored):
        sent(port, of_another_system(1))
    assert not Import.objects.exists()


def test_a_clinic_without_room_says_so_to_the_sender(clinic, settings):
    settings.CLINIC_IMPORTS_GB = 1e-9
    with listening(clinic) as port, pytest.raises(network.NotStored) as refused:
        sent(port, of_another_system(1))
    assert refused.value.code == "refused" and not Import.objects.exists()


def test_a_full_disk_is_said_to_the_sender_without_the_servers_paths(clinic, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(receiving.whole, "whole_file", full)
    said = []
    monkeypatch.setattr(receiving, "_status", lambda code, text: said.append((code, text)) or code)
    with listening(clinic) as port, pytest.raises(network.NotStored):
        sent(port, of_another_system(1))
    assert said == [(receiving.NO_ROOM, "No space left on device")]


@pytest.mark.dicom
def test_the_photos_of_a_patient_are_fetched_from_a_real_archive(
    clinic, admin_user, tmp_path, settings, capsys
):
    settings.IMAGE_ARCHIVE_NETWORKS = ["127.0.0.0/8"]
    with orthanc.running(tmp_path) as there:
        made = [
            objects.photo(FACTS).encoded(),
            of_another_system(1),
            of_another_system(2, BurnedInAnnotation="YES"),
        ]
        sent(there.dicom, *made, title=orthanc.TITLE)
        image_archives.add(clinic, admin_user, {"name": "Web", "way": "web", "url": there.web})
        call_command("dicom_fetch", "Web", PERSON[2])
        assert "1.2.3.2: burnt in annotation" in capsys.readouterr().err
        call_command("dicom_fetch", "Web", "nobody")
        assert "Nothing was taken" in capsys.readouterr().out
        with pytest.raises(CommandError, match="whole id"):
            call_command("dicom_fetch", "Web", "*")
        with pytest.raises(CommandError, match="There are: Web"):
            call_command("dicom_fetch", "Other", "nobody")
    row = Import.objects.get()
    jobs.run_waiting(imports.CHECK_JOB)
    row.refresh_from_db()
    assert row.report["new"] == 1 and row.report["labels"] == {"bcc": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"title": ["HANOK"], "networks": ["10.0.0.0/8"]}, "is not AETITLE=CLINIC"),
        ({"title": ["A" * 17 + "=x"], "networks": ["10.0.0.0/8"]}, "1 to 16 characters"),
        ({"title": ["HANOK=nowhere"], "networks": ["10.0.0.0/8"]}, "Say which clinic"),
        ({"title": ["HANOK={slug}"], "networks": ["10.0.0.300"]}, "--from"),
        ({"title": ["HANOK={slug}"], "networks": ["10.0.0.0/8"], "address": "192.0.2.1"}, "Cannot listen"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_words(options, words, clinic):
    options["title"] = [text.format(slug=clinic.slug) for text in options["title"]]
    with pytest.raises(CommandError, match=words):
        call_command("dicom_receive", **options)
