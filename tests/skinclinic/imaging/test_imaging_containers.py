"""JPEGs as phones write them: without an end, with gain maps, previews and other pictures behind them."""

import functools

import numpy as np
import pytest
from PIL import Image

from skinclinic import imaging
from tests import photo_bytes as make
from tests.cases import each

TRAILER = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1715000000000SEFHk\0\0\0\x01\0\0\0SEFT"
GREY_MAP = make.encoded(make.flat(90, "L"), "JPEG")
APPLE_MAP = make.jpeg_with_segment(
    make.encoded(make.flat((90, 90, 90)), "JPEG"),
    0xE1,
    b"http://ns.adobe.com/xap/1.0/\0<x apdi:AuxiliaryImageType='urn:com:apple:photo:2020:aux:hdrgainmap'/>",
)
ISO_MAP = make.jpeg_with_segment(
    make.encoded(make.flat((90, 90, 90)), "JPEG"), 0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(60)
)
OTHER = make.encoded(make.flat("blue"), "JPEG")


@functools.cache
def photo(**options) -> bytes:
    return make.encoded(make.lesion(330, 250), "JPEG", quality=92, **options)


def code_of(data: bytes) -> str:
    try:
        imaging.accept(data)
    except imaging.PhotoRejected as rejected:
        return rejected.code
    return "accepted"


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(imaging.open_rgb(imaging.accept(data).jpeg))


WAYS = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:0": {"subsampling": "4:2:0"},
    "restarts": {"restart_marker_rows": 2},
    "progressive": {"progressive": True},
}


@each("way", WAYS)
@each("rest", [b"", b"\xff", TRAILER, TRAILER * 500, b"\0" * 100, TRAILER + OTHER])
def test_a_complete_picture_without_an_end_is_taken(way, rest):
    whole = photo(**WAYS[way])
    accepted = imaging.accept(whole[:-2] + rest)
    assert accepted.notes == ("end_missing",)
    assert np.array_equal(np.asarray(imaging.open_rgb(accepted.jpeg)), pixels(whole))


def test_grey_pictures_too():
    whole = make.encoded(make.lesion(330, 250).convert("L"), "JPEG")
    assert imaging.accept(whole[:-2] + TRAILER).notes == ("end_missing",)


@each("way", WAYS)
@each("missing", [4, 10, 40, 200, 1000, 3000])
@each("rest", [b"", b"\0" * 4])
def test_a_cut_picture_without_an_end_is_not(way, missing, rest):
    assert code_of(photo(**WAYS[way])[:-missing] + rest) == "damaged"


def test_a_picture_cut_at_a_restart_is_not():
    whole = photo(restart_marker_rows=2)
    last = max(
        whole.rindex(bytes([0xFF, marker])) for marker in range(0xD0, 0xD8) if bytes([0xFF, marker]) in whole
    )
    assert [code_of(whole[: last + more]) for more in (0, 1, 2)] == ["damaged"] * 3


def test_without_an_end_a_progressive_picture_needs_all_its_scans():
    """After each of them there is a whole picture, only coarser."""
    whole = photo(progressive=True)
    scans = [at for at in range(len(whole)) if whole.startswith(b"\xff\xda", at)]
    assert len(scans) > 5
    for at in scans[1:]:
        tables = whole.rindex(b"\xff\xc4", 0, at)
        assert {code_of(whole[:at]), code_of(whole[:tables]), code_of(whole[:at] + TRAILER)} == {"damaged"}


def test_a_picture_without_an_end_is_judged_alike_where_cut_ones_are_tolerated(monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    assert code_of(photo()[:-2] + TRAILER) == "accepted"
    assert code_of(photo()[:-500]) == "damaged"


@each("cut", range(400, 12_000, 611))
def test_no_cut_is_taken_for_whole(cut):
    """Wherever a file stops, it is refused or shows what the whole one shows."""
    whole = photo()
    if cut < len(whole) and code_of(whole[:cut]) == "accepted":
        assert np.array_equal(pixels(whole[:cut]), pixels(whole))


@each(
    "kind, behind",
    [(0x050000, GREY_MAP), (0, GREY_MAP), (0, APPLE_MAP), (0, ISO_MAP), (0x050000, ISO_MAP)],
)
def test_a_gain_map_is_no_second_picture(kind, behind):
    accepted = imaging.accept(make.jpeg_and_others(photo(), (kind, behind)))
    assert accepted.notes == ("gain_map_removed",)
    assert np.array_equal(np.asarray(imaging.open_rgb(accepted.jpeg)), pixels(photo()))


@pytest.mark.parametrize(
    "marker, body",
    [
        (0xE1, b'http://ns.adobe.com/xap/1.0/\0<rdf hdrgm:Version="1.0"/>'),
        (0xE1, b'http://ns.adobe.com/xap/1.0/\0<rdf Item:Semantic="GainMap"/>'),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)),
    ],
)
def test_a_photo_that_names_its_gain_map_needs_no_index(marker, body):
    data = make.jpeg_with_segment(photo(), marker, body) + OTHER
    assert imaging.accept(data).notes == ("gain_map_removed",)
    assert imaging.accept(make.jpeg_with_segment(photo(), marker, body) + b"PK\3\4rest").notes == (
        "tail_removed",
    )


def test_a_preview_of_the_same_photo_is_nothing_to_speak_of():
    assert imaging.accept(make.jpeg_and_others(photo(), (0x010002, OTHER))).notes == ()


def test_another_picture_is():
    assert imaging.accept(make.jpeg_and_others(photo(), (0x020002, OTHER))).notes == ("first_frame_only",)
    assert imaging.accept(make.jpeg_and_others(photo(), (0, OTHER))).notes == ("first_frame_only",)
    both = make.jpeg_and_others(photo(), (0x050000, GREY_MAP), (0x020001, OTHER))
    assert imaging.accept(both).notes == ("first_frame_only",)


def test_what_stands_behind_all_pictures_is_said_too():
    data = make.jpeg_and_others(photo(), (0x050000, GREY_MAP)) + TRAILER
    assert imaging.accept(data).notes == ("gain_map_removed", "tail_removed")


@each("cut", range(0, 90, 3))
def test_a_broken_index_does_not_cost_the_photo(cut):
    data = bytearray(make.jpeg_and_others(photo(), (0x050000, GREY_MAP)))
    at = data.index(b"MPF\0") + 4 + cut
    data[at : at + 4] = b"\xff\xfe\xfd\xfc"[: max(0, data.index(b"\xff\xe0") - at)] or data[at : at + 4]
    assert np.array_equal(pixels(bytes(data)), pixels(photo()))


def test_a_jpeg_of_its_own_makes_nothing_of_a_picture_in_its_exif():
    exif = make.exif_block([(0x0112, 3, 1, 1)], extra=OTHER)
    data = make.jpeg_with_segment(photo(), 0xE1, b"Exif\0\0" + exif)
    assert imaging.accept(data).notes == ()


@each("way", WAYS)
@each("share", [0.3, 0.6, 0.9, 0.98])
@each("rest", [b"", b"\0" * 100, TRAILER])
def test_an_end_behind_half_a_picture_makes_it_no_whole_one(way, share, rest):
    whole = photo(**WAYS[way])
    assert code_of(whole[: int(len(whole) * share)] + b"\xff\xd9" + rest) == "damaged"


@each("mode, level", [("RGB", (128, 128, 128)), ("L", 128), ("CMYK", (127, 127, 127, 127))])
@each("progressive", [False, True])
def test_a_photo_that_ends_in_middle_grey_is_whole(mode, level, progressive):
    grey = make.flat(level, mode, (100, 90))
    assert code_of(make.encoded(grey, "JPEG", progressive=progressive)) == "accepted"


@each("marker, bits", [(0xC3, 8), (0xF7, 8), (0xC5, 8), (0xC1, 12)])
def test_what_no_decoder_here_reads_is_called_so(marker, bits):
    data = bytearray(photo())
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, bits
    assert code_of(bytes(data)) == "unsupported_inside"


@each("share", [0.1, 0.5, 0.99])
def test_a_png_whose_packed_rows_end_early_is_not_whole(share):
    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(make.lesion(330, 250)))
    assert code_of(make.png(330, 250, rows)) == "accepted"
    assert code_of(make.png(330, 250, rows[: int(len(rows) * share)])) == "damaged"


@each("mode", ["RGB", "L", "1", "P", "RGBA"])
def test_a_png_that_ends_in_black_is_whole(mode):
    assert code_of(make.encoded(Image.new(mode, (301, 203)), "PNG")) == "accepted"
