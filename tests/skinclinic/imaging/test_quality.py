"""Photo quality: good photos pass in silence, bad ones get the right warning."""

import csv
import json
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from skinclinic import imaging
from skinclinic.imaging import quality
from tests.cases import each

# Ten skin tones from the lightest to the darkest (Monk scale).
SKIN_TONES = [
    "f6ede4",
    "f3e7db",
    "f7ead0",
    "eadaba",
    "d7bd96",
    "a07e56",
    "825c43",
    "604134",
    "3a312a",
    "292420",
]
TYPES_I_TO_VI = [
    (225, 190, 172),
    (214, 172, 146),
    (198, 150, 118),
    (160, 112, 82),
    (112, 74, 54),
    (76, 52, 42),
]


def skin(tone=(205, 160, 135), side: int = 400, seed: int = 0) -> Image.Image:
    """Skin of one tone with texture and a darker spot."""
    random = np.random.default_rng(seed)
    shade = cv2.GaussianBlur(random.normal(0, 1, (side, side)).astype(np.float32), (0, 0), side / 200)
    light = 1 + 0.07 * shade / shade.std()
    rows, columns = np.mgrid[:side, :side]
    light[(rows - side / 2) ** 2 + (columns - side / 2) ** 2 < (side / 8) ** 2] *= 0.55
    pixels = np.array(tone, np.float32) * light[..., None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def textured(colour, spread: float = 20.0) -> Image.Image:
    random = np.random.default_rng(1)
    shade = cv2.GaussianBlur(random.normal(0, 1, (300, 300)).astype(np.float32), (0, 0), 1.5)
    pixels = np.array(colour, np.float32) + spread * (shade / shade.std())[..., None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def page_of_text() -> Image.Image:
    page = Image.new("RGB", (400, 400), (248, 248, 246))
    draw = ImageDraw.Draw(page)
    for line in range(10, 390, 16):
        draw.text(
            (12, line), "The patient presents with a pigmented lesion of the left forearm", fill=(20, 20, 20)
        )
    return page


def warnings(image: Image.Image) -> tuple[str, ...]:
    return quality.assess(image).warnings


@each("tone", TYPES_I_TO_VI)
def test_good_photos_of_every_skin_type_pass(tone):
    assert warnings(skin(tone)) == ()


@each("tone", SKIN_TONES)
def test_every_skin_tone_is_skin(tone):
    pixels = np.full((64, 64, 3), [int(tone[place : place + 2], 16) for place in (0, 2, 4)], np.uint8)
    assert quality.skin_fraction(pixels) == 1.0


@pytest.mark.parametrize(
    "image",
    [textured((150, 180, 215)), textured((90, 125, 50)), page_of_text(), textured((128, 128, 128))],
    ids=["blue wall", "grass", "page of text", "grey cloth"],
)
def test_what_is_not_skin(image):
    assert "little_skin" in warnings(image)
    assert quality.assess(image).skin_fraction < 0.1


def test_part_of_the_picture_is_skin():
    half = textured((150, 180, 215))
    half.paste(skin(side=300).crop((0, 0, 150, 300)), (0, 0))
    assert quality.assess(half).skin_fraction == pytest.approx(0.5, abs=0.03)


def test_too_dark_is_not_called_blurred_as_well():
    dark = skin().point(lambda level: level // 5)
    assert warnings(dark) == ("too_dark",)


def test_too_bright():
    assert "too_bright" in warnings(skin().point(lambda level: min(255, level * 2)))


def test_blurred():
    image = skin()
    assert warnings(image.filter(ImageFilter.GaussianBlur(image.width * 0.02))) == ("blurred",)


def test_blur_is_judged_at_one_scale():
    """The same scene from a larger sensor is as sharp or as blurred."""
    image = skin(side=600)
    for sharp in (True, False):
        seen = image if sharp else image.filter(ImageFilter.GaussianBlur(12))
        small, large = (
            quality.assess(seen),
            quality.assess(seen.resize((1200, 1200), Image.Resampling.BICUBIC)),
        )
        assert large.sharpness == pytest.approx(small.sharpness, rel=0.1)
        assert ("blurred" in large.warnings) is ("blurred" in small.warnings) is not sharp


def test_too_small():
    assert "too_small" in warnings(skin(side=quality.TOO_SMALL - 1))
    assert "too_small" not in warnings(skin(side=quality.TOO_SMALL))


def test_several_warnings_at_once():
    found = warnings(Image.new("RGB", (40, 40), (0, 0, 40)))
    assert set(found) == {"too_dark", "blurred", "too_small", "little_skin"}


def test_numbers():
    found = quality.assess(Image.new("RGB", (300, 200), (200, 150, 120)))
    assert found.brightness == pytest.approx(0.299 * 200 + 0.587 * 150 + 0.114 * 120, abs=1)
    assert (found.sharpness, found.side_px, found.skin_fraction) == (0.0, 200, 1.0)


def test_json():
    found = quality.assess(skin())
    assert quality.Quality(**{**json.loads(json.dumps(found.to_json())), "warnings": ()}) == found


@pytest.fixture(scope="module")
def real_crops(real_photos) -> list[np.ndarray]:
    """Every sixth real photo, through the intake, cut to its default box."""
    with open(real_photos / "metadata.csv", newline="") as file:
        names = sorted(row["file_name"] for row in csv.DictReader(file))[::6]
    crops = []
    for name in names:
        photo = imaging.accept((real_photos / "images" / name).read_bytes())
        box = imaging.largest_centred_square(photo.width, photo.height)
        crops.append(np.asarray(imaging.crop(imaging.open_rgb(photo.jpeg), box)))
    return crops


def shares(crops) -> dict[str, float]:
    """Share of the pictures that get each warning."""
    counted = Counter(code for crop in crops for code in warnings(Image.fromarray(crop)))
    return {code: count / len(crops) for code, count in counted.items()}


def test_real_photos_are_hardly_ever_warned_about(real_crops):
    assert all(share <= 0.03 for share in shares(real_crops).values())


def test_spoilt_real_photos_are(real_crops):
    crops = [crop[::2, ::2] for crop in real_crops]
    dark = [(crop * 0.2).astype(np.uint8) for crop in crops]
    blurred = [cv2.GaussianBlur(crop, (0, 0), crop.shape[0] * 0.02) for crop in crops]
    blue = [crop[..., ::-1].copy() for crop in crops]
    assert shares(dark)["too_dark"] >= 0.95
    assert shares(blurred)["blurred"] >= 0.95
    assert shares(blue)["little_skin"] >= 0.75
