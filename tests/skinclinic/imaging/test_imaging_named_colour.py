"""Colours that a file names instead of describing them: HDR, and what a PNG says of itself."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from skinclinic import imaging
from skinclinic.imaging.profiles import ADOBE_RGB, BT2020, DISPLAY_P3, SRGB, adobe_rgb_profile, matrix_profile
from tests import charts
from tests import photo_bytes as make
from tests.cases import each

CLOSE = 5
LINEAR = charts.light(charts.PATCHES)
PLAIN = charts.PATCHES / 255
P3 = charts.srgb_curve(LINEAR @ charts.TO_P3.T)
WIDE = LINEAR @ charts.TO_2020.T


def iccp(profile: bytes) -> bytes:
    image = Image.new("RGB", (64, 64))
    png = make.encoded(image, "PNG", icc_profile=profile)
    at = png.index(b"iCCP") - 4
    return png[at : at + 12 + int.from_bytes(png[at : at + 4])]


SRGB_CHUNK = make.chunk(b"sRGB", b"\0")
HDR = {16: charts.pq, 18: charts.hlg}


@each("transfer", HDR)
@each("container", [charts.in_heic, charts.in_avif])
def test_hdr_below_the_white_of_paper_looks_as_it_did(transfer, container):
    data = container(HDR[transfer](WIDE), 9, transfer)
    assert charts.farthest(data) <= CLOSE
    assert imaging.accept(data).notes == ("hdr_to_srgb",)


@each("transfer", HDR)
@each("depth", [8, 16])
def test_hdr_png(transfer, depth):
    data = charts.in_png(HDR[transfer](WIDE), make.cicp(9, transfer), depth=depth)
    assert charts.farthest(data) <= CLOSE
    assert imaging.accept(data).notes == ("hdr_to_srgb",)


@each("bits", [8, 12])
def test_hdr_avif_of_other_depths(bits):
    assert charts.farthest(charts.in_avif(charts.pq(WIDE), 9, 16, bits)) <= CLOSE


def test_hdr_in_the_primaries_of_display_p3():
    assert charts.farthest(charts.in_heic(charts.pq(LINEAR @ charts.TO_P3.T), 12, 16)) <= CLOSE


def test_what_is_brighter_than_paper_is_brought_into_range():
    """A reflection of 1000 cd/m² and its glow beside skin: the skin stays, the glow does not become the reflection."""
    brighter = WIDE.copy()
    brighter[GREY := 13], brighter[14] = 1000 / charts.WHITE, 1.1
    photo, found = charts.seen(charts.in_png(charts.pq(brighter), make.cicp(9, 16), depth=16))
    assert photo.notes == ("hdr_to_srgb",)
    kept = [number for number in range(len(charts.PATCHES)) if number not in (GREY, 14)]
    assert np.abs(found[kept] - charts.PATCHES[kept]).max() <= CLOSE
    assert 250 <= found[14].mean() < found[GREY].mean() <= 255
    assert np.ptp(found[GREY]) <= 1


def test_the_hue_of_a_bright_colour_stays():
    red = np.array([2.0, 0.5, 0.4])
    codes = np.tile(charts.pq(charts.TO_2020 @ red), (len(charts.PATCHES), 1))
    found = charts.light(charts.seen(charts.in_png(codes, make.cicp(9, 16), depth=16))[1][0])
    assert found / found[0] == pytest.approx(red / red[0], abs=0.02)


def test_a_profile_that_names_hdr_counts_as_naming_it():
    """ICC profiles of version 4.4 carry the code points; their curves alone would say grey."""
    profile = make.icc(b"RGB ", {b"cicp": b"cicp" + bytes(4) + bytes([9, 16, 0, 1])})
    data = charts.in_png(charts.pq(WIDE), iccp(profile))
    assert charts.farthest(data) <= CLOSE
    assert imaging.accept(data).notes == ("hdr_to_srgb",)


GAMMA_P3 = (LINEAR @ charts.TO_P3.T).clip(0, 1)
NAMED = {
    "P3 by cICP": (P3, [make.cicp(12, 13)]),
    "BT.2020 with the curve of sRGB": (charts.srgb_curve(WIDE), [make.cicp(9, 13)]),
    "BT.709 by cICP": (PLAIN, [make.cicp(1, 1)]),
    "linear by cICP": (LINEAR, [make.cicp(1, 8)]),
    "gamma 2.2 by cICP": (LINEAR ** (1 / 2.2), [make.cicp(1, 4)]),
    "narrow range": ((PLAIN * 219 + 16) / 255, [make.cicp(1, 13, full_range=0)]),
    "linear by gAMA": (LINEAR, [make.gama(1.0)]),
    "gamma 1.8": (LINEAR ** (1 / 1.8), [make.gama(1 / 1.8)]),
    "gamma 2.2 and P3": (GAMMA_P3 ** (1 / 2.2), [make.gama(0.45455), make.chrm(DISPLAY_P3)]),
    "primaries alone": (P3, [make.chrm(DISPLAY_P3)]),
    "what sRGB says of itself": (PLAIN, [make.gama(0.45455), make.chrm(SRGB)]),
    "its gamma alone": (PLAIN, [make.gama(0.45455)]),
}


@each("name", NAMED)
@each("depth", [8, 16])
def test_a_png_that_names_its_colours(name, depth):
    codes, chunks = NAMED[name]
    assert charts.farthest(charts.in_png(codes, *chunks, depth=depth)) <= (CLOSE if depth == 16 else 7)
    if depth == 16:
        assert charts.farthest(charts.in_png(codes, *chunks, depth=depth)) <= 3


@each("name", ["BT.709 by cICP", "what sRGB says of itself", "its gamma alone"])
def test_srgb_by_another_name_changes_nothing(name):
    codes, chunks = NAMED[name]
    assert imaging.accept(charts.in_png(codes, *chunks)).notes == ()


def test_the_first_of_the_standard_counts():
    """cICP before iCCP before sRGB before gAMA and cHRM."""
    wrong = [make.gama(1.0), make.chrm(BT2020)]
    p3 = iccp(matrix_profile(DISPLAY_P3))
    assert charts.farthest(charts.in_png(PLAIN, SRGB_CHUNK, *wrong)) <= CLOSE
    assert charts.farthest(charts.in_png(P3, p3, *wrong)) <= CLOSE
    assert charts.farthest(charts.in_png(P3, p3, SRGB_CHUNK)) <= CLOSE
    assert charts.farthest(charts.in_png(P3, make.cicp(12, 13), iccp(adobe_rgb_profile()), *wrong)) <= CLOSE


def test_srgb_in_the_file_wins_over_adobe_rgb_in_its_exif():
    exif = make.exif_block([(0x8769, 4, 1, 26)], extra=b"\1\0" + b"\x01\xa0\x03\0\1\0\0\0\2\0\0\0" + bytes(4))
    assert charts.farthest(charts.in_png(PLAIN, SRGB_CHUNK, make.chunk(b"eXIf", exif))) <= CLOSE
    assert charts.farthest(charts.in_png(PLAIN, make.chunk(b"eXIf", exif))) > CLOSE


@each(
    "chunks",
    [
        [make.cicp(3, 13)],
        [make.cicp(9, 9)],
        [make.chunk(b"cICP", b"\x09\x10\x09\x01")],
        [make.chunk(b"cICP", b"\x09")],
        [make.gama(0)],
        [make.chunk(b"gAMA", b"\xff\xff\xff\xff")],
        [make.chrm(((0.3, 0.3), (0.3, 0.3), (0.3, 0.3)))],
        [make.chrm(((0.64, 0.33), (0.3, 0), (0.15, 0.06)))],
        [make.chrm(SRGB, white=(0.9, 0.05))],
        [make.chunk(b"cHRM", b"short")],
    ],
)
def test_what_names_no_colours_is_said(chunks):
    data = charts.in_png(PLAIN, *chunks)
    assert imaging.accept(data).notes == ("profile_ignored",)
    assert charts.farthest(data) <= CLOSE


def test_colours_behind_the_pixels_do_not_count():
    png = charts.in_png(PLAIN)
    end = png.index(b"IEND") - 4
    assert charts.farthest(png[:end] + make.gama(1.0) + png[end:]) <= CLOSE


def half_lit(mode: str, depth: int = 8, **options) -> bytes:
    """A linear picture of half the light of white, which is level 188 in sRGB."""
    if depth == 16:
        rows = (b"\0" + np.full(80, 32768, ">u2").tobytes()) * 80
        return make.png(80, 80, rows, depth=16, colour=0, extra=make.gama(1.0))
    grey = make.flat((128,) * 3)
    grey = grey.quantize(4) if mode == "P" else grey.convert("L").convert(mode)
    png = make.encoded(grey, "PNG", **options)
    return png[:33] + make.gama(1.0) + png[33:]


@each("mode, depth", [("L", 8), ("P", 8), ("LA", 8), ("RGBA", 8), ("L", 16)])
def test_grey_palette_and_alpha_have_colours_too(mode, depth):
    photo = imaging.accept(half_lit(mode, depth))
    assert photo.notes == ("converted_to_srgb",)
    assert np.abs(np.asarray(imaging.open_rgb(photo.jpeg)).astype(int) - 188).max() <= 2


def test_dark_steps_of_sixteen_bits_are_kept():
    """Linear light of a thousandth of white is level 3; in 8 bits there would be nothing."""
    row = b"\0" + np.array([66] * 3, ">u2").tobytes() * 80
    photo = imaging.accept(make.png(80, 80, row * 80, depth=16, extra=make.gama(1.0)))
    assert np.abs(np.asarray(imaging.open_rgb(photo.jpeg)).astype(int) - 3).max() <= 1


def by_lcms(codes: np.ndarray, profile: bytes) -> np.ndarray:
    image = Image.fromarray(charts.laid_out(codes, 255))
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)), srgb)
    return np.asarray(converted)[8 :: charts.SIDE, 8 :: charts.SIDE].reshape(-1, 3)


@each(
    "profile, chunks",
    [
        (matrix_profile(DISPLAY_P3), [make.cicp(12, 13)]),
        (matrix_profile(BT2020), [make.cicp(9, 13)]),
        (matrix_profile(DISPLAY_P3, 2.2), [make.gama(1 / 2.2), make.chrm(DISPLAY_P3)]),
        (matrix_profile(ADOBE_RGB, 1.0), [make.gama(1.0), make.chrm(ADOBE_RGB)]),
    ],
)
def test_as_littlecms_would(profile, chunks):
    assert charts.farthest(charts.in_png(PLAIN, *chunks), by_lcms(PLAIN, profile)) <= 3


def test_a_wide_avif_without_a_box_for_its_colours_is_read_from_its_stream():
    avif = charts.in_avif(PLAIN, 1, 13)
    assert charts.farthest(avif.replace(b"colrnclx", b"freenclx")) <= CLOSE


@each("primaries, transfer", [(12, 13), (9, 13), (9, 1)])
def test_wide_colours_by_the_code_points_of_heic_and_avif(primaries, transfer):
    codes = P3 if primaries == 12 else charts.srgb_curve(WIDE)
    for data in (charts.in_heic(codes, primaries, transfer), charts.in_avif(codes, primaries, transfer)):
        assert charts.farthest(data) <= CLOSE
        assert imaging.accept(data).notes == ("converted_to_srgb",)


def test_a_deep_heic_that_names_no_colours_is_said():
    data = charts.in_heic(charts.pq(WIDE), 9, 16).replace(b"colrnclx", b"freenclx")
    assert imaging.accept(data).notes == ("profile_ignored",)
