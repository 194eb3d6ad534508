"""Stored photos: reading them back, writing JPEG without metadata, making thumbnails."""

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from PIL.JpegImagePlugin import JpegImageFile

JPEG_QUALITY = 95
THUMBNAIL_SIDE = 320
SCREEN_SIDE = 1600
_SCREEN_QUALITY = 85
_SMALL_BYTES = 400_000
_THUMBNAIL_QUALITY = 85


def open_rgb(jpeg_bytes: bytes) -> Image.Image:
    """A stored photo as a fully decoded RGB image. For bytes that `accept` wrote; others raise OSError."""
    try:
        image = JpegImageFile(BytesIO(jpeg_bytes))
        image.load()
    except SyntaxError as error:
        raise OSError("not a stored photo") from error
    return image if image.mode == "RGB" else image.convert("RGB")


@cache
def quantisation() -> dict[int, list[int]]:
    """The tables of a photo as it is stored."""
    return JpegImageFile(BytesIO(encode_jpeg(Image.new("RGB", (16, 16))))).quantization


def encode_jpeg(image: Image.Image, *, quality: int = JPEG_QUALITY, subsampling: str = "4:4:4") -> bytes:
    """JPEG bytes of an RGB image without any metadata. `subsampling`: '4:4:4', '4:2:2' or '4:2:0'."""
    buffer = BytesIO()
    # Pillow carries a comment over from `info` unless it is told otherwise.
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling, comment=b"")
    return buffer.getvalue()


def for_screen(jpeg_bytes: bytes, side: int = SCREEN_SIDE) -> bytes:
    """A stored photo as JPEG bytes for a screen: its long side at most `side` pixels, decoded no larger than needed.
    One that is small already comes back as it is. For bytes that `accept` wrote; others raise OSError."""
    try:
        image = JpegImageFile(BytesIO(jpeg_bytes))
        if max(image.size) <= side and len(jpeg_bytes) <= _SMALL_BYTES:
            return jpeg_bytes
        image.draft("RGB", (side, side))
        image.load()
    except SyntaxError as error:
        raise OSError("not a stored photo") from error
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    rgb.thumbnail((side, side), Image.Resampling.LANCZOS)
    return encode_jpeg(rgb, quality=_SCREEN_QUALITY, subsampling="4:2:0")


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """JPEG bytes of the image scaled so that its long side is `side` pixels; never enlarged."""
    longest = max(image.size)
    if longest > side:
        width, height = (max(1, round(length * side / longest)) for length in image.size)
        # Whole-number reduction first: fifteen times quicker than filtering all pixels, and as smooth.
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return encode_jpeg(image, quality=_THUMBNAIL_QUALITY, subsampling="4:2:0")


def mark_synthetic(jpeg_bytes: bytes) -> bytes:
    """The thumbnail of a drawing with a band that says so, wherever it shows."""
    image = open_rgb(jpeg_bytes)
    band = max(12, image.height // 8)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, image.height - band, image.width, image.height), fill="#1a1a1a")
    pen.text(
        (image.width / 2, image.height - band / 2),
        "SYNTHETIC",
        fill="white",
        anchor="mm",
        font=ImageFont.load_default(band * 0.7),
    )
    return encode_jpeg(image, quality=_THUMBNAIL_QUALITY, subsampling="4:2:0")
