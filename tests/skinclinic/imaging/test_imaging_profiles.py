"""Colour profiles that 8 bits or a decoder would lose: linear ones, those of HDR, of grey, and broken ones."""

import struct
import zlib

import numpy as np
from PIL import Image

from skinclinic import imaging
from skinclinic.imaging.profiles import BT2020, D65, DISPLAY_P3, SRGB, Primaries, colourants, matrix_profile
from tests import charts
from tests import photo_bytes as make
from tests.cases import each

CLOSE = 5
LINEAR = charts.light(charts.PATCHES)
P3 = charts.srgb_curve(LINEAR @ charts.TO_P3.T)
WIDE = LINEAR @ charts.TO_2020.T
P3_PROFILE = matrix_profile(DISPLAY_P3)
STEPS = np.linspace(0, 1, 1024)


def iccp(profile: bytes, name: bytes = b"icc") -> bytes:
    return make.chunk(b"iCCP", name + b"\0\0" + zlib.compress(profile))


def in_tiff(codes: np.ndarray, depth: int = 8, order: str = "<", **tags) -> bytes:
    pixels = charts.laid_out(codes, 2**depth - 1).astype(f"{order}u{depth // 8}")
    data = pixels.tobytes()
    shape = {
        256: (4, [pixels.shape[1]]), 257: (4, [pixels.shape[0]]), 258: (3, [depth] * 3), 259: (3, [1]),
        262: (3, [2]), 273: (4, [8]), 277: (3, [3]), 278: (4, [pixels.shape[0]]), 279: (4, [len(data)]),
    }  # fmt: skip
    return make.tiff(shape | {int(name[1:]): value for name, value in tags.items()}, data, order)


def in_jpeg(codes: np.ndarray, **options) -> bytes:
    return make.lossless(Image.fromarray(charts.laid_out(codes, 255)), "JPEG", **options)


def display(curve: bytes, primaries: Primaries = BT2020, **more: bytes) -> bytes:
    """A profile of three primaries and one curve."""
    points = [
        b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in column))
        for column in colourants(primaries).T
    ]
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    tags = dict(zip(names, (*points, curve, curve, curve), strict=True))
    return make.icc(b"RGB ", tags | {name.encode(): value for name, value in more.items()})


def table(light: np.ndarray) -> bytes:
    return b"curv" + struct.pack(">II", 0, len(light)) + (light * 65535).round().astype(">u2").tobytes()


@each("primaries, codes", [(SRGB, LINEAR), (BT2020, WIDE)])
@each("curve", [b"curv" + bytes(8), b"curv\0\0\0\0\0\0\0\1\1\0\0\0"])
def test_dark_steps_of_a_linear_profile_are_kept(primaries, codes, curve):
    profile = display(curve, primaries)
    assert charts.farthest(charts.in_png(codes, iccp(profile), depth=16)) <= 2
    for order in "<>":
        data = in_tiff(codes, 16, order, t34675=(7, profile))
        assert charts.farthest(data) <= 2
        assert imaging.accept(data).notes == ("converted_to_srgb",)


def test_dark_steps_of_linear_grey_are_kept():
    levels = np.repeat((LINEAR.mean(axis=1, keepdims=True)), 3, axis=1)
    rows = charts.laid_out(levels, 65535)[..., 0]
    data = make.png(
        rows.shape[1], rows.shape[0], b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows),
        depth=16, colour=0, extra=iccp(make.linear_grey_profile()),
    )  # fmt: skip
    assert charts.farthest(data, 255 * charts.srgb_curve(levels)) <= 2


def pq_light(level: np.ndarray) -> np.ndarray:
    power = level ** (1 / 78.84375)
    return (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def hlg_light(level: np.ndarray) -> np.ndarray:
    return np.where(level <= 0.5, level**2 / 3, (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def named(name: bytes) -> bytes:
    return b"desc" + struct.pack(">II", 0, len(name) + 1) + name + bytes(79)


HDR_PROFILES = {
    "the curve of PQ": (charts.pq, display(table(pq_light(STEPS)))),
    "the curve of HLG": (charts.hlg, display(table(hlg_light(STEPS)))),
    "the name of PQ": (charts.pq, make.icc(b"RGB ", {b"desc": named(b"Rec2020 Gamut with PQ Transfer")})),
    "the name of HLG": (charts.hlg, make.icc(b"RGB ", {b"desc": named(b"Rec. 2100 HLG")})),
}


@each("way", HDR_PROFILES)
def test_a_profile_that_is_hdr_by_name_or_curve(way):
    curve, profile = HDR_PROFILES[way]
    for data in (
        in_jpeg(curve(WIDE), icc_profile=profile),
        charts.in_png(curve(WIDE), iccp(profile), depth=16),
    ):
        assert imaging.accept(data).notes == ("hdr_to_srgb",)
        assert charts.farthest(data) <= CLOSE + 2


def test_a_png_may_name_hdr_by_the_name_of_its_profile():
    data = charts.in_png(charts.pq(WIDE), iccp(make.srgb_profile(), b"ITUR_2100_PQ_FULL"), depth=16)
    assert charts.farthest(data) <= CLOSE


@each("exponent", [1.0, 1.8, 2.2, 2.6, 3.0])
def test_ordinary_curves_are_no_hdr(exponent):
    profile = display(table(STEPS**exponent), SRGB)
    data = in_jpeg(LINEAR ** (1 / exponent), icc_profile=profile)
    assert imaging.accept(data).notes == ("converted_to_srgb",)
    assert exponent < 1.5 or charts.farthest(data) <= CLOSE


def parts(*numbered: tuple[int, int, bytes]) -> bytes:
    jpeg = in_jpeg(P3)
    for number, count, part in reversed(numbered):
        jpeg = make.jpeg_with_segment(jpeg, 0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + part)
    return jpeg


LOST = {
    "a part of a JPEG's": parts((1, 2, P3_PROFILE[:200])),
    "a PNG's that does not unpack": charts.in_png(P3, make.chunk(b"iCCP", b"icc\0\0garbage")),
    "a TIFF's outside the file": in_tiff(P3, t34675=(7, P3_PROFILE)).replace(
        struct.pack("<HHI", 34675, 7, len(P3_PROFILE)), struct.pack("<HHI", 34675, 7, 10**8)
    ),
}


@each("way", LOST)
def test_a_profile_that_is_lost_is_said(way):
    assert imaging.accept(LOST[way]).notes == ("profile_ignored",)


def test_parts_of_a_profile_in_any_order():
    data = parts((2, 2, P3_PROFILE[200:]), (1, 2, P3_PROFILE[:200]))
    assert charts.farthest(data) <= CLOSE
    assert imaging.accept(data).notes == ("converted_to_srgb",)


def test_what_stands_beside_a_broken_profile_counts():
    data = charts.in_png(P3, make.chunk(b"iCCP", b"icc\0\0garbage"), make.chrm(DISPLAY_P3))
    assert charts.farthest(data) <= CLOSE


@each("chunks, codes", [((iccp(P3_PROFILE),), P3), ((make.gama(1.0),), LINEAR)])
@each("depth", [8, 16])
def test_code_points_that_say_nothing_leave_it_to_the_rest(chunks, codes, depth):
    assert charts.farthest(charts.in_png(codes, make.cicp(2, 2), *chunks, depth=depth)) <= CLOSE


@each("kind", ["LA", "WEBP", "1"])
def test_a_grey_profile_of_a_format_that_knows_no_grey(kind):
    """Level 128 of a straight line is level 188 of sRGB."""
    profile = make.linear_grey_profile()
    if kind == "LA":
        pixel = struct.pack(">HH", 32896, 65535)
        data = make.png(80, 80, (b"\0" + pixel * 80) * 80, depth=16, colour=4, extra=iccp(profile))
    elif kind == "WEBP":
        data = make.lossless(make.flat((128,) * 3), "WEBP", icc_profile=profile)
    else:
        data = make.encoded(Image.new("1", (80, 80), 1), "PNG", icc_profile=profile)
    photo = imaging.accept(data)
    assert photo.notes == ("converted_to_srgb",)
    expected = 255 if kind == "1" else 188
    assert np.abs(np.asarray(imaging.open_rgb(photo.jpeg)).astype(int) - expected).max() <= 1


def fractions(*values: float) -> bytes:
    return b"".join(struct.pack("<II", round(value * 100_000), 100_000) for value in values)


def told(codes: np.ndarray, **tags: bytes) -> bytes:
    """A TIFF with these tags of fractions."""
    data = in_tiff(codes, **{name: (1, list(value)) for name, value in tags.items()})
    for name, value in tags.items():
        old, new = (int(name[1:]), 1, len(value)), (int(name[1:]), 5, len(value) // 8)
        data = data.replace(struct.pack("<HHI", *old), struct.pack("<HHI", *new))
    return data


P3_POINTS = fractions(*(value for point in DISPLAY_P3 for value in point))


def test_a_tiff_that_gives_its_primaries():
    data = told(P3, t318=fractions(*D65), t319=P3_POINTS)
    assert charts.farthest(data) <= CLOSE
    assert imaging.accept(data).notes == ("converted_to_srgb",)


@each("exponent", [1.0, 2.2])
def test_a_tiff_that_gives_its_curve(exponent):
    curve = (np.linspace(0, 1, 256) ** exponent * 65535).round().astype(int).tolist()
    assert charts.farthest(in_tiff(LINEAR ** (1 / exponent), 16, t301=(3, curve))) <= CLOSE


@each("tags", [{"t319": fractions(0.3, 0.3, 0.3, 0.3, 0.3, 0.3)}, {"t318": fractions(0.3)}])
def test_what_names_no_colours_in_a_tiff_is_said(tags):
    assert imaging.accept(told(P3, **tags)).notes == ("profile_ignored",)


@each("tags", [{"t262": (3, [0])}, {"t284": (3, [2])}])
def test_deep_pictures_that_would_come_out_wrong_are_refused_in_words(tags):
    data = in_tiff(P3, 16, **tags)
    try:
        imaging.accept(data)
    except imaging.PhotoRejected as rejected:
        assert rejected.code == "unsupported_inside"
    else:
        raise AssertionError("accepted")


@each("extra", [b"", make.gama(1.0)])
def test_a_transparent_colour_of_sixteen_bits(extra):
    key = np.array([60000, 1, 60000], ">u2")
    pixels = charts.laid_out(np.full((18, 3), 1.0), 65535)
    pixels[:64, :64], pixels[64:128, :64] = key, key + np.array([1, 0, 0], ">u2")
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = extra + make.chunk(b"tRNS", key.tobytes())
    photo, found = charts.seen(make.png(384, 192, rows, depth=16, extra=chunks))
    assert "alpha_flattened" in photo.notes
    assert np.abs(found[0] - 255).max() <= 1
    assert found[6][1] < 10
