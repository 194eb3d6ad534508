"""The two facts kept from EXIF before all of it is dropped: which way is up, and when it was taken."""

from datetime import datetime

from PIL import ExifTags, Image

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read(image: Image.Image) -> tuple[Image.Transpose | None, datetime | None]:
    """(what turns the picture upright or None, capture time or None).

    The time is naive, as the camera's clock showed it. Broken EXIF counts as none: the pixels matter more.
    """
    try:
        exif = image.getexif()
        turn = _TRANSPOSE.get(exif.get(ExifTags.Base.Orientation))
        details = exif.get_ifd(ExifTags.IFD.Exif)
        dates = details.get(ExifTags.Base.DateTimeOriginal), details.get(ExifTags.Base.DateTimeDigitized)
    except Exception:  # Pillow's EXIF reader raises almost anything on broken data
        return None, None
    return turn, next((date for date in map(_parse, dates) if date), None)


def _parse(value) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
