"""Any pixel layout and colour profile looks the same once stored as sRGB."""

from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import get_sampling

from skinclinic import imaging
from skinclinic.imaging.profiles import ADOBE_RGB, BT2020, DISPLAY_P3, adobe_rgb_profile, matrix_profile
from tests import photo_bytes as make
from tests.cases import each

SKIN = (200, 150, 120)


def accepted_colour(data: bytes) -> tuple[imaging.AcceptedPhoto, np.ndarray]:
    photo = imaging.accept(data)
    return photo, np.asarray(imaging.open_rgb(photo.jpeg)).reshape(-1, 3).mean(axis=0)


# From linear RGB to XYZ (D65) as published: Adobe RGB (1998) 4.3.5.3; Display P3 and sRGB by IEC 61966-2-1.
ADOBE_TO_XYZ = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
P3_TO_XYZ = [[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0.0, 0.04511, 1.04394]]
XYZ_TO_SRGB = [[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]]


def srgb_decode(level):
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def srgb_encode(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def expected_srgb(colour, to_xyz, decode) -> np.ndarray:
    linear = decode(np.array(colour) / 255)
    return 255 * srgb_encode(np.array(XYZ_TO_SRGB) @ np.array(to_xyz) @ linear)


@each("file_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@each("colour", [SKIN, (120, 80, 60), (240, 210, 190), (128, 128, 128)])
def test_adobe_rgb_and_display_p3(file_format, colour):
    gamuts = {
        adobe_rgb_profile(): expected_srgb(colour, ADOBE_TO_XYZ, lambda level: level ** (563 / 256)),
        matrix_profile(DISPLAY_P3): expected_srgb(colour, P3_TO_XYZ, srgb_decode),
    }
    for profile, expected in gamuts.items():
        data = make.lossless(make.flat(colour), file_format, icc_profile=profile)
        photo, found = accepted_colour(data)
        assert np.abs(found - expected).max() <= 2.5
        assert photo.notes == ("converted_to_srgb",)


def test_the_conversion_is_not_a_small_one():
    adobe = expected_srgb(SKIN, ADOBE_TO_XYZ, lambda level: level ** (563 / 256))
    assert adobe[0] - SKIN[0] > 12


def test_adobe_rgb_that_only_exif_names():
    """Many cameras write no profile, only an interoperability index of R03."""
    details, interoperability = 8 + 2 + 12 + 4, 8 + 2 * (2 + 12 + 4)
    tiff = make.exif_block(
        [(0x8769, 4, 1, details)],
        extra=b"\x01\0\x05\xa0\x04\0\x01\0\0\0" + interoperability.to_bytes(4, "little") + bytes(4)
        + b"\x01\0\x01\0\x02\0\x04\0\0\0R03\0" + bytes(4),
    )  # fmt: skip
    data = make.jpeg_with_segment(make.lossless(make.flat(SKIN), "JPEG"), 0xE1, b"Exif\0\0" + tiff)
    photo, found = accepted_colour(data)
    expected = expected_srgb(SKIN, ADOBE_TO_XYZ, lambda level: level ** (563 / 256))
    assert np.abs(found - expected).max() <= 2.5
    assert photo.notes == ("converted_to_srgb",)
    plain = make.jpeg_with_segment(
        make.lossless(make.flat(SKIN), "JPEG"), 0xE1, b"Exif\0\0" + tiff.replace(b"R03", b"R98")
    )
    assert np.abs(accepted_colour(plain)[1] - SKIN).max() <= 1.5


def test_display_p3_that_only_the_heic_container_names():
    data = make.lossless(make.flat(SKIN), "HEIF", color_primaries=12, transfer_characteristic=13)
    photo, found = accepted_colour(data)
    assert np.abs(found - expected_srgb(SKIN, P3_TO_XYZ, srgb_decode)).max() <= 2.5
    assert photo.notes == ("converted_to_srgb",)


@pytest.mark.parametrize("primaries", [ADOBE_RGB, DISPLAY_P3, BT2020])
def test_white_stays_white_and_black_black(primaries):
    for level in (0, 255):
        data = make.lossless(make.flat((level,) * 3), "PNG", icc_profile=matrix_profile(primaries))
        assert np.abs(accepted_colour(data)[1] - level).max() <= 1


def test_srgb_profile_changes_nothing():
    photo, found = accepted_colour(make.lossless(make.flat(SKIN), "JPEG", icc_profile=make.srgb_profile()))
    assert photo.notes == ()
    assert np.abs(found - SKIN).max() <= 1.5


def test_profile_that_only_calls_itself_srgb_is_applied():
    profile = adobe_rgb_profile().replace("RGB".encode("utf-16-be"), "sRG".encode("utf-16-be"))
    assert imaging.accept(make.lossless(make.flat(SKIN), "PNG", icc_profile=profile)).notes == (
        "converted_to_srgb",
    )


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        bytes(128),
        adobe_rgb_profile()[:300],
        make.linear_grey_profile(),
        bytes(5 * 2**20),
    ],
    ids=["text", "zeros", "cut off", "of another colour space", "5 MB"],
)
def test_unusable_profile_is_ignored_and_said(profile):
    photo, found = accepted_colour(make.lossless(make.flat(SKIN), "JPEG", icc_profile=profile))
    assert photo.notes == ("profile_ignored",)
    assert np.abs(found - SKIN).max() <= 1.5


def test_grey_profile():
    """Half of the light is level 188 in sRGB."""
    photo, found = accepted_colour(
        make.encoded(make.flat(128, "L"), "PNG", icc_profile=make.linear_grey_profile())
    )
    assert photo.notes == ("converted_to_srgb",)
    assert np.abs(found - 188).max() <= 1.5


def test_grey_jpeg_with_a_colour_profile():
    photo, found = accepted_colour(
        make.lossless(make.flat(128, "L"), "JPEG", icc_profile=make.srgb_profile())
    )
    assert photo.notes == () and np.abs(found - 128).max() <= 1


def test_cmyk_without_profile():
    plain = make.lesion()
    photo = imaging.accept(make.lossless(plain.convert("CMYK"), "JPEG"))
    difference = np.abs(np.subtract(imaging.open_rgb(photo.jpeg), plain, dtype=int))
    assert difference.mean() < 3 and photo.notes == ("inks_without_profile",)


@pytest.mark.parametrize("icc, notes", [(None, ("colours_not_named",)), (make.srgb_profile(), ())])
def test_a_camera_that_says_only_what_the_colours_are_not(icc, notes):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 65535
    options = {"icc_profile": icc} if icc else {}
    data = make.encoded(make.lesion(), "JPEG", exif=exif, **options)
    assert imaging.accept(data).notes == imaging.check(data) == notes


def test_cmyk_with_profile():
    """Half black ink has lightness 50, which is level 119 in sRGB; the plain formula would give 127."""
    data = make.encoded(make.flat((0, 0, 0, 128), "CMYK"), "JPEG", icc_profile=make.black_only_cmyk_profile())
    photo, found = accepted_colour(data)
    assert photo.notes == ("converted_to_srgb",)
    assert np.abs(found - 119).max() <= 2


def test_grey_palette_and_one_bit():
    grey = make.lesion().convert("L")
    for mode in ("L", "P"):
        photo = imaging.accept(make.encoded(grey.convert(mode), "PNG"))
        difference = np.subtract(np.asarray(imaging.open_rgb(photo.jpeg))[..., 1], grey, dtype=int)
        assert np.abs(difference).mean() < 2
    assert np.abs(accepted_colour(make.encoded(make.flat(1, "1"), "PNG"))[1] - 255).max() <= 1


def test_sixteen_bit_grey_keeps_its_steps():
    levels = np.repeat(np.linspace(0, 65535, 256).round().astype(np.uint16)[None], 80, axis=0)
    photo = imaging.accept(make.encoded(Image.fromarray(levels), "PNG"))
    found = np.asarray(imaging.open_rgb(photo.jpeg))[40, :, 1].astype(int)
    assert np.abs(found - np.arange(256)).max() <= 3


def test_sixteen_bit_colour():
    row = b"\0" + np.array([level * 257 for level in SKIN], ">u2").tobytes() * 80
    _, found = accepted_colour(make.png(80, 80, row * 80, depth=16, colour=2))
    assert np.abs(found - SKIN).max() <= 1.5


def test_ten_bit_heic():
    file = BytesIO()
    wide = np.full((80, 80, 3), [level * 257 for level in SKIN], np.uint16)
    pillow_heif.encode("RGB;16", (80, 80), wide.tobytes(), file, quality=-1, chroma=444)
    assert pillow_heif.open_heif(file).info["bit_depth"] == 10
    _, found = accepted_colour(file.getvalue())
    assert np.abs(found - SKIN).max() <= 2


@pytest.mark.parametrize(
    "image",
    [
        make.flat((100, 60, 40, 128), "RGBA"),
        make.flat((100, 60, 40, 128), "RGBA").quantize(4),
    ],
    ids=["alpha", "palette"],
)
@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_half_transparent_is_put_on_white(image, file_format):
    photo, found = accepted_colour(make.lossless(image, file_format))
    expected = np.array([100, 60, 40]) * 128 / 255 + 255 * 127 / 255
    assert np.abs(found - expected).max() <= 2.5
    assert photo.notes == ("alpha_flattened",)


def test_transparent_grey():
    photo, found = accepted_colour(make.encoded(make.flat((100, 0), "LA"), "PNG"))
    assert photo.notes == ("alpha_flattened",) and found.min() >= 254


def test_single_transparent_colour():
    data = make.encoded(make.flat((100, 60, 40)), "PNG", transparency=(100, 60, 40))
    photo, found = accepted_colour(data)
    assert photo.notes == ("alpha_flattened",) and found.min() >= 254


def test_opaque_alpha_is_no_news():
    photo, found = accepted_colour(make.encoded(make.flat((*SKIN, 255), "RGBA"), "PNG"))
    assert photo.notes == () and np.abs(found - SKIN).max() <= 1.5


def stored_sampling(data: bytes) -> int:
    return get_sampling(Image.open(BytesIO(imaging.accept(data).jpeg)))


@each("sampling, code", [("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)])
@each("file_format", ["JPEG", "HEIF"])
def test_chroma_detail_is_kept_as_the_source_had_it(file_format, sampling, code):
    assert stored_sampling(make.encoded(make.lesion(), file_format, subsampling=sampling)) == code


def test_chroma_detail_of_lossless_files_is_kept():
    assert stored_sampling(make.encoded(make.lesion(), "PNG")) == 0
