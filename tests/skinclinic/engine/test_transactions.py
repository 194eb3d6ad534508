"""The watch that fails every test in which the product does something slow inside a transaction sees all of it."""

import contextlib
import os
import socket
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.mail import send_mail
from django.db import transaction
from django.test import RequestFactory
from reportlab.pdfgen.canvas import Canvas

from classifier.analysing import nearest
from classifier.models import ModelVersion
from classifier.runtimes.base import Raw, Runtime
from classifier.services.evaluation import leakage
from skinclinic import imaging
from skinclinic.archive import near_duplicates
from skinclinic.files import in_bucket, store
from skinclinic.imaging import alignment
from skinclinic.services import decoding
from tests import factories
from tests.transactions import PRODUCT, watch

pytestmark = pytest.mark.django_db
PHOTO = factories.jpeg_bytes()
UPLOAD = TemporaryUploadedFile("a.jpg", "image/jpeg", 0, None)


def connect() -> None:
    with socket.socket() as any_socket:
        any_socket.connect_ex(("127.0.0.1", 1))


ECHO = SimpleNamespace(max_batch=1, compute=lambda part: Raw(part, part, part))


def lay_over() -> None:
    with contextlib.suppress(alignment.CannotAlign):
        alignment.align_grey(np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8))


SLOW = {
    "decoding": lambda: imaging.open_rgb(PHOTO),
    "encoding": lambda: imaging.encode_jpeg(imaging.open_rgb(PHOTO)),
    "decoding elsewhere": lambda: decoding.check(PHOTO),
    "accepting": lambda: imaging.accept(PHOTO),
    "hashing": lambda: imaging.sha256(PHOTO),
    "writing": lambda: store.save("clinic-1", b"x"),
    "reading": lambda: store.path_of("notes.txt").read_bytes(),
    "reading by a name in bytes": lambda: os.close(
        os.open(os.fsencode(store.path_of("notes.txt")), os.O_RDONLY)
    ),
    "asking for many files": lambda: store.missing(["clinic-1/a.jpg"]),
    "deleting": lambda: store.delete("clinic-1/a.jpg"),
    # Whatever it has: its connections are there already, and other threads use them.
    "a bucket": lambda: in_bucket.Bucket.sizes(None, []),
    "a password": lambda: make_password("x"),
    "a network": lambda: Runtime.in_parts(ECHO, np.zeros((1, 3))),
    "a PDF": lambda: Canvas(BytesIO()).save(),
    "waiting": lambda: exec(compile("import time; time.sleep(0)", f"{PRODUCT[0]}any.py", "exec")),
    "another photo over it": lay_over,
    "neighbours": lambda: nearest.search(np.empty(0, np.float32), lambda places: 0.0),
    "an upload": lambda: list(UPLOAD.chunks()),
    "a body": lambda: RequestFactory().post("/", b"{}", "application/json").body,
    "a form": lambda: RequestFactory().post("/", {"a": "b"}).POST,
    "a stream": lambda: RequestFactory().post("/", b"{}", "application/json").read(),
    "mail": lambda: send_mail("a", "b", "c@example.org", ["d@example.org"]),
    "network": connect,
    "leaks": lambda: leakage.find(ModelVersion(name="of elsewhere", manifest={}), []),
    "photos alike": lambda: near_duplicates.pairs(np.zeros(2, np.int64), 6),
}


@pytest.fixture(autouse=True)
def a_file(home):
    (home / "photos").mkdir()
    (home / "photos" / "notes.txt").write_text("x")


@pytest.mark.parametrize("what", SLOW)
def test_it_sees(what):
    SLOW[what]()
    assert watch.found == [], "outside of a transaction it may take its time"
    with transaction.atomic():
        SLOW[what]()
    found, watch.found = watch.found, []
    assert found and "test_transactions.py" in found[0]


def test_rows_and_short_texts_are_no_matter(clinic, clinician):
    with transaction.atomic():
        factories.make_patient(clinic)
        imaging.sha256(b"the code of a patient")
        BytesIO(PHOTO).read()
    assert watch.found == []


@pytest.mark.django_db(transaction=True)
def test_it_sees_the_outermost_transaction_as_well():
    imaging.open_rgb(PHOTO)
    assert watch.found == []
    with transaction.atomic():
        imaging.open_rgb(PHOTO)
    found, watch.found = watch.found, []
    assert found
