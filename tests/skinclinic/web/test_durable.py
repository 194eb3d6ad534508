"""Power that fails: what was answered is on the disk."""

import errno
import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from tests import factories


@pytest.mark.django_db(transaction=True)
def test_an_accepted_photo_is_on_the_disk_before_its_sender_is_told(client, clinician, monkeypatch):
    """SQLite's log of writes; PostgreSQL sees to its own."""
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda number: flushed.append(os.readlink(f"/proc/self/fd/{number}")))
    is_sqlite, log = connection.vendor == "sqlite", f"{connection.settings_dict['NAME']}-wal"
    signed = {"Authorization": f"Bearer {factories.make_token(clinician)}"}
    assert client.get(reverse("login")).status_code == 200 and log not in flushed
    photo = SimpleUploadedFile("lesion.jpg", factories.jpeg_bytes(1), "image/jpeg")
    answer = client.post("/api/v1/photos/", {"file": photo}, headers=signed)
    assert answer.status_code == 201, answer.content
    assert (log in flushed) == is_sqlite
    # After the files of the photo, which the row names.
    assert not is_sqlite or flushed.index(log) > max(
        n for n, path in enumerate(flushed) if path.endswith(".jpg")
    )


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_does_not_come_to_the_disk_is_not_said_to_be_there(client, clinician, monkeypatch):
    def failing(number):
        if os.readlink(f"/proc/self/fd/{number}").endswith("-wal"):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    client.raise_request_exception = False
    signed = {"Authorization": f"Bearer {factories.make_token(clinician)}"}
    photo = SimpleUploadedFile("lesion.jpg", factories.jpeg_bytes(1), "image/jpeg")
    answer = client.post("/api/v1/photos/", {"file": photo}, headers=signed)
    # PostgreSQL brings its log there itself.
    assert answer.status_code == (503 if connection.vendor == "sqlite" else 201), answer.content
