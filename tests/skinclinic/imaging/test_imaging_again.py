"""A photo that was stored and exported comes back byte for byte; nothing else skips the encoder."""

import io

import pytest
from PIL import Image

from skinclinic import imaging
from tests.factories import jpeg_bytes


@pytest.fixture
def stored() -> bytes:
    return imaging.accept(jpeg_bytes(4)).jpeg


def test_a_stored_photo_is_kept_as_it_is(stored):
    again = imaging.accept(stored)
    assert again.jpeg == stored
    assert again.notes == ()


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_whatever_its_chroma_sampling(sampling):
    image = Image.open(io.BytesIO(jpeg_bytes(5)))
    data = imaging.encode_jpeg(image, subsampling=sampling)
    assert imaging.accept(data).jpeg == data


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(segment(0xFE, b"Kim Minjun, 1980"), id="comment"),
        pytest.param(segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0"), id="exif"),
        pytest.param(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\x10\x10" + b"x" * 768), id="jfif thumbnail"),
        pytest.param(segment(0xEC, b"Ducky<script>"), id="app12"),
        pytest.param(b"\xff\xff\xff", id="fill bytes"),
    ],
)
def test_anything_beside_the_picture_is_taken_out(stored, extra):
    again = imaging.accept(stored[:2] + extra + stored[2:])
    assert b"Kim" not in again.jpeg and b"script" not in again.jpeg
    assert again.jpeg != stored[:2] + extra + stored[2:]


def test_a_tail_is_cut_off(stored):
    assert imaging.accept(stored + b"PK\3\4").jpeg.endswith(b"\xff\xd9")


def test_bytes_between_segments_do_not_pass(stored):
    """Decoders skip to the next marker; what they skip must not be stored."""
    frame = stored.index(b"\xff\xc0")
    hidden = stored[:frame] + b"<script>" + stored[frame:]
    assert b"<script>" not in imaging.accept(hidden).jpeg


def test_bytes_behind_the_last_block_do_not_pass(stored):
    hidden = stored[:-2] + b"<script>" * 400 + stored[-2:]
    assert b"<script>" not in imaging.accept(hidden).jpeg


def test_another_quality_is_encoded_as_every_upload():
    other = io.BytesIO()
    Image.open(io.BytesIO(jpeg_bytes(4))).save(other, "JPEG", quality=90)
    assert imaging.accept(other.getvalue()).jpeg != other.getvalue()


def test_the_perceptual_hash_is_signed_and_stays_when_the_photo_is_scaled(stored):
    image = imaging.open_rgb(stored)
    half = imaging.encode_jpeg(image.resize((image.width // 2, image.height // 2)))
    one, two = imaging.perceptual_hash(stored), imaging.perceptual_hash(half)
    assert -(2**63) <= one < 2**63
    assert ((one ^ two) & (2**64 - 1)).bit_count() <= 6


def test_the_perceptual_hash_of_no_photo_is_an_error():
    with pytest.raises(OSError):
        imaging.perceptual_hash(b"no photo")
