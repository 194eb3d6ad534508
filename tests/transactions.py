"""The rule of every test: nothing slow inside a transaction.

A transaction of SQLite holds the only lock for writing, one of PostgreSQL the rows it has touched; whoever decodes,
reads a file, hashes it or a password, waits for a request's body, a mail server, the network or the storage of the
photos, runs a model, draws a PDF or compares photos in there lets everybody else wait as well. While a test runs, such
work is noted whenever the product has a transaction open, and the test fails with the place. Transactions that were
open when the test began are the test's own.

``conftest.py`` names it as a plugin; that is all it needs.
"""

import functools
import os
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.files.uploadedfile import UploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.core.mail import EmailMessage
from django.db import connections
from django.http import HttpRequest
from PIL import Image, ImageFile

from classifier.analysing import nearest
from classifier.runtimes.base import Runtime
from classifier.services.evaluation import leakage
from skinclinic import imaging
from skinclinic.archive import near_duplicates as near
from skinclinic.archive.formats import photo_sets
from skinclinic.files import in_bucket, store
from skinclinic.imaging import alignment, limited

# A patient's code is hashed at once, a file is not.
SHORT = 4096
NETWORK = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen")
BENEATH = Path(__file__).resolve().parents[1]
PRODUCT = tuple(f"{BENEATH}/{app}/" for app in ("skinclinic", "classifier", "reader_study"))
# Of the door of photos what asks the disk or the bucket, whichever there is; ``is_file`` asks no bucket in there.
DOOR = (
    "put", "read", "read_as_it_lies", "open_file", "size_of", "sizes", "missing", "is_whole_jpeg", "is_there", "delete",
    "scan", "bucket_time",
)  # fmt: skip
# Its connections are kept open, and some of what it does is done by threads of its own: nothing else tells of it.
BUCKET = (
    "write_together", "read", "open", "size_of", "is_file", "sizes", "ends", "remove", "is_there", "scan", "now",
    "apart", "is_open_to_strangers",
)  # fmt: skip


class Watch:
    """What was done inside transactions of the product while a test ran."""

    def __init__(self):
        self.is_on = False
        self.own: set[int] = set()
        self.found: list[str] = []
        self.noting = threading.local()

    def note(self, what: str) -> None:
        """Remember slow work if this thread is in a transaction of the product."""
        if not self.is_on or getattr(self.noting, "now", False):
            return
        self.noting.now = True
        try:
            blocks = [block for connection in connections.all() for block in connection.atomic_blocks]
            if any(not block._from_testcase and id(block) not in self.own for block in blocks):
                self.found.append(f"{what}\n{_where()}")
        finally:
            self.noting.now = False

    def begin(self) -> None:
        self.own = {id(block) for connection in connections.all() for block in connection.atomic_blocks}
        self.found, self.is_on = [], True

    def end(self) -> list[str]:
        self.is_on = False
        return list(dict.fromkeys(self.found))


watch = Watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a test during which the product did something slow inside a transaction."""
    _install()
    for module, install in LATER.items():
        if module in sys.modules:
            install()
    watch.begin()
    try:
        result = yield
    finally:
        found = watch.end()
    if found:
        pytest.fail("slow work inside a transaction:\n\n" + "\n\n".join(found), pytrace=False)
    return result


def _where() -> str:
    """The lines of the product, and of the test, that led here."""
    lines = [
        f"  {Path(frame.filename).relative_to(BENEATH)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_stack()
        if frame.filename.startswith(str(BENEATH))
        and "/.venv/" not in frame.filename
        and frame.filename != __file__
    ]
    return "\n".join(lines[-12:])


@functools.cache
def _install() -> None:
    """Put the watch before everything slow, once."""
    sys.addaudithook(_audit)
    _before(ImageFile.ImageFile, "load", "a photo is decoded")
    _before(Image.Image, "save", "a photo is encoded")
    _before(limited.Decoders, "ask", "a photo is decoded elsewhere")
    for photos in (photo_sets.PhotoSet, *photo_sets.PhotoSet.__subclasses__()):
        _before(photos, "read", "a photo of an import is read")
    _before(leakage.TrainingSide, "__init__", "what a model was trained on is read")
    _before(leakage.TrainingSide, "leaks", "photos that a model has seen are searched")
    _before(near, "pairs", "photos that look alike are searched")
    _before(nearest, "search", "photos that look alike are searched")
    _before(alignment, "align_grey", "a photo is laid over another")
    _before(Runtime, "in_parts", "a network is run")
    _before(Runtime, "feature_maps", "a network is run")
    _before(MD5PasswordHasher, "encode", "a password is hashed")
    for name in DOOR:
        _before(store, name, "the storage of the photos is asked")
    for name in BUCKET:
        _before(in_bucket.Bucket, name, "the bucket is asked")
    _before(EmailMessage, "send", "a mail is sent")
    _before(HttpRequest, "read", "a request's body is read")
    _before(WSGIRequest, "_load_post_and_files", "a request's body is read")
    _before(UploadedFile, "chunks", "an uploaded file is read")
    body = HttpRequest.body.fget

    def read_body(request):
        if not hasattr(request, "_body"):
            watch.note("a request's body is read")
        return body(request)

    HttpRequest.body = property(read_body)
    sha256 = imaging.sha256

    def hashed(data: bytes) -> str:
        if len(data) > SHORT:
            watch.note("a file is hashed")
        return sha256(data)

    imaging.sha256 = hashed
    sleep = time.sleep

    def slept(seconds: float) -> None:
        # Libraries and tests have reasons of their own.
        if sys._getframe(1).f_code.co_filename.startswith(PRODUCT):
            watch.note("it waits")
        sleep(seconds)

    time.sleep = slept


@functools.cache
def _for_pdf() -> None:
    from reportlab.pdfgen.canvas import Canvas

    _before(Canvas, "save", "a PDF is drawn")


@functools.cache
def _for_networks() -> None:
    from classifier.networks import outside

    _before(outside, "whole", "a network is made")


# The same for what is loaded only where it is needed.
LATER = {"reportlab.pdfgen.canvas": _for_pdf, "classifier.networks.outside": _for_networks}


def _before(owner, name: str, what: str) -> None:
    slow = getattr(owner, name)

    @functools.wraps(slow)
    def noted(*arguments, **options):
        watch.note(what)
        return slow(*arguments, **options)

    setattr(owner, name, noted)


def _audit(event: str, arguments: tuple) -> None:
    """Hear of every file that is opened below a folder of data, and of the network."""
    if not watch.is_on:
        return
    if event == "open" and isinstance(arguments[0], str | bytes) and _is_data(os.fsdecode(arguments[0])):
        watch.note(f"the file {os.fsdecode(arguments[0])} is opened")
    elif event in NETWORK:
        watch.note(event)


def _is_data(path: str) -> bool:
    """Below a folder of data, and no folder itself: that is opened only to bring a new name to the disk."""
    of_data = path.startswith((str(settings.SKINCLINIC_HOME), tempfile.gettempdir()))
    return of_data and not path.startswith(str(BENEATH)) and not Path(path).is_dir()
