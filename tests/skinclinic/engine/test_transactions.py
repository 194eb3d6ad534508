"""The watch that fails every test in which the product does something slow inside a transaction sees all of it."""

import socket
from io import BytesIO

import numpy as np
import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.mail import send_mail
from django.db import transaction
from django.test import RequestFactory

from classifier.models import ModelVersion
from classifier.services.evaluation import leakage
from skinclinic import imaging
from skinclinic.archive import near_duplicates
from skinclinic.files import store
from skinclinic.services import decoding
from tests import factories
from tests.transactions import watch

pytestmark = pytest.mark.django_db
PHOTO = factories.jpeg_bytes()
UPLOAD = TemporaryUploadedFile("a.jpg", "image/jpeg", 0, None)


def connect() -> None:
    with socket.socket() as any_socket:
        any_socket.connect_ex(("127.0.0.1", 1))


SLOW = {
    "decoding": lambda: imaging.open_rgb(PHOTO),
    "encoding": lambda: imaging.encode_jpeg(imaging.open_rgb(PHOTO)),
    "decoding elsewhere": lambda: decoding.check(PHOTO),
    "accepting": lambda: imaging.accept(PHOTO),
    "hashing": lambda: imaging.sha256(PHOTO),
    "writing": lambda: store.save("clinic-1", b"x"),
    "reading": lambda: store.path_of("notes.txt").read_bytes(),
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
