"""Nothing that reaches a reader tells which photo it is, or what it shows."""

import hashlib
import io
import re

import pytest
from PIL import Image

from reader_study import blinding
from skinclinic.files import store
from tests.readings import Link, body_of
from tests.studies import make_study

pytestmark = pytest.mark.django_db

HEADERS_THAT_TELL = ("ETag", "Last-Modified", "Content-Disposition", "X-Accel-Redirect")


@pytest.fixture
def made(clinic, coordinator, settings):
    settings.X_ACCEL_PREFIX = "/private-photos/"
    return make_study(clinic, coordinator, readers=2)


def test_the_bytes_are_new_each_time_and_the_pixels_the_same(photo):
    stored = store.read(photo.file_key)
    sent = []
    for _ in range(3):
        chunks, length = blinding.stream(store.open_file(photo.file_key))
        sent.append(b"".join(chunks))
        assert len(sent[-1]) == length
    assert len({hashlib.sha256(data).hexdigest() for data in [stored, *sent]}) == 4
    assert len({len(data) for data in sent}) > 1
    for data in sent:
        assert Image.open(io.BytesIO(data)).tobytes() == Image.open(io.BytesIO(stored)).tobytes()
        assert data[:4] == b"\xff\xd8\xff\xfe"


def test_what_is_no_jpeg_is_not_sent():
    file = io.BytesIO(b"GIF89a")
    with pytest.raises(blinding.NotAJpeg):
        blinding.stream(file)
    assert file.closed


def test_photos_carry_nothing_that_tells(made):
    for secret in made.secrets:
        link = Link(secret).begin()
        for name, position in (("reading-photo", 1), ("reading-practice-photo", 1)):
            response = link.get(name, position)
            assert not [header for header in HEADERS_THAT_TELL if response.has_header(header)]
            assert response["Cache-Control"] == "no-store, private"
            assert response["Referrer-Policy"] == "no-referrer"
            assert response["Content-Type"] == "image/jpeg"
            assert len(body_of(response)) == int(response["Content-Length"])


def test_every_answer_to_a_reader_is_sealed(made):
    link = Link(made.secrets[0]).begin()
    for response in (
        link.get("reading"), link.get("reading-session"), link.get("reading-practice"), link.get("reading-state"),
        link.answer(1), link.answer(9), link.send(1, b"x"), link.get("reading-photo", 12), link.post("reading-finish"),
        Link("z" * 43).get("reading"), link.post("reading-begin"), link.client.get(link.url("reading-answer", 1)),
    ):  # fmt: skip
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Cache-Control"] == "no-store, private"
        assert not response.has_header("ETag")
        assert not response.cookies


def test_addresses_and_bodies_name_positions_only(made):
    link = Link(made.secrets[0]).begin()
    facts = {
        text
        for image in made.study.images.select_related("photo", "dataset_item__entry")
        for text in (
            image.dataset, image.content_sha256, image.photo.sha256, image.photo.file_key, image.photo.original_name,
            image.dataset_item.entry.external_id,
        )
    }  # fmt: skip
    seen = [link.get("reading"), link.get("reading-session"), link.get("reading-state")]
    seen += [link.answer(position) for position in range(1, 13)]
    seen += [link.get("reading-session"), link.get("reading-state")]
    for response in seen:
        text = response.content.decode()
        assert not [fact for fact in facts if fact and fact in text]
    page = seen[1].content.decode()
    assert set(re.findall(r'"[^"]*/photo/[^"]*"', page)) == set()


def test_orders_do_not_follow_from_the_truth(clinic, coordinator):
    """Two studies with the same photos in the same rows: the orders differ, and differ among readers."""
    made = make_study(clinic, coordinator, readers=6)
    orders = {tuple(reader.readings.get().order) for reader in made.readers}
    assert len(orders) == 6
    assert not any(order == tuple(sorted(order)) for order in orders)
