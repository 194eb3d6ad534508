"""What the bytes are, from the bytes alone."""

import re


def _(text: str) -> str:
    return text


_UNKNOWN = _("a file of an unknown kind")
_TEXT = _("a text file")
_HTML = _("a web page (HTML)")
_SVG = _("an SVG drawing")
_XML = _("an XML file")
_SCRIPT = _("a program (script)")
_WINDOWS_PROGRAM = _("a program (Windows executable)")
_LINUX_PROGRAM = _("a program (Linux executable)")
CAMERA_RAW = _("a camera raw file")
_VIDEO = _("a video")
_ZIP = _("a ZIP archive or office document")

_SIGNATURES = (
    (b"GIF87a", _("a GIF picture")),
    (b"GIF89a", _("a GIF picture")),
    (b"%PDF-", _("a PDF document")),
    (b"II+\0", _("a BigTIFF picture")),
    (b"MM\0+", _("a BigTIFF picture")),
    (b"IIU\0", CAMERA_RAW),
    (b"IIRO", CAMERA_RAW),
    (b"IIRS", CAMERA_RAW),
    (b"FUJIFILMCCD-RAW", CAMERA_RAW),
    (b"BM", _("a BMP picture")),
    (b"8BPS", _("a Photoshop document")),
    (b"\0\0\1\0", _("an icon file")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _("a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", _("a JPEG 2000 picture")),
    (b"\xff\x0a", _("a JPEG XL picture")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _("a JPEG XL picture")),
    (b"PK\3\4", _ZIP),
    (b"PK\5\6", _ZIP),
    (b"Rar!\x1a\7", _("a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", _("a 7-Zip archive")),
    (b"\x1f\x8b", _("a gzip archive")),
    (b"MZ", _WINDOWS_PROGRAM),
    (b"\x7fELF", _LINUX_PROGRAM),
    (b"\xcf\xfa\xed\xfe", _("a program (macOS executable)")),
    (b"\xce\xfa\xed\xfe", _("a program (macOS executable)")),
    (b"\xca\xfe\xba\xbe", _("a program (Java or macOS)")),
    (b"#!", _SCRIPT),
    (b"{\\rtf", _("an RTF document")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _("an old office document")),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"ID3", _("a sound file")),
    (b"OggS", _("a sound or video file")),
)
_LINUX_HEADER = re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01[\x00-\x13].\x00{7}", re.DOTALL)
_WINDOWS_HEADER = re.compile(rb"MZ(?=.{58}(.{4}))", re.DOTALL)
_HIDDEN = {b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"#!", b"PK\3\4", b"%PDF-", b"GIF87a", b"GIF89a"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_HEIF_BRANDS = {b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
# Formats of cameras that begin as TIFF does and are none, or not one that shows the photo.
_RAW = re.compile(rb"(?:II\*\0|MM\0\*).{4}CR\x02", re.DOTALL)

# How much of a file's beginning is enough to tell its kind.
HEAD_BYTES = 4096
# Endings under which photos of the kinds that are read are found; what a file is, its content says.
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".hif", ".avif", ".tif", ".tiff"}
)


def photo_format(data: bytes) -> str | None:
    """'JPEG', 'PNG', 'WEBP', 'HEIF', 'AVIF' or 'TIFF' if the bytes begin like one, else None.

    The first `HEAD_BYTES` of a file are enough.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*")) and not _RAW.match(data):
        return "TIFF"
    brands = set(_brands(data))
    if brands & _HEIC_BRANDS or (brands & _HEIF_BRANDS and not brands & _AVIF_BRANDS):
        return "HEIF"
    return "AVIF" if brands & _AVIF_BRANDS else None


def kind_of(data: bytes) -> str:
    """English name, with its article, of anything that is not a photo we take: 'a PDF document'.

    The first `HEAD_BYTES` of a file are enough.
    """
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if _RAW.match(data):
        return CAMERA_RAW
    if data[128:132] == b"DICM":
        return _("a DICOM file")
    if data[:4] == b"RIFF":
        return _VIDEO if data[8:12] == b"AVI " else _("a sound file") if data[8:12] == b"WAVE" else _UNKNOWN
    if b"crx " in _brands(data):
        return CAMERA_RAW
    if _brands(data):
        return _VIDEO
    return _kind_of_text(data[:4096])


def hidden_kind(data: bytes) -> str | None:
    """Name of a program, document or text behind the glued-on start of a picture, or None."""
    for start in range(2, 33):
        for signature, name in _SIGNATURES:
            if signature in _HIDDEN and data.startswith(signature, start):
                return name
    for start in (3, 4, 6, 8, 20):
        sample = data[start : start + 4096]
        if len(sample) >= 16 and (name := _kind_of_text(sample)) != _UNKNOWN:
            return name
    return _program_inside(data)


def _program_inside(data: bytes) -> str | None:
    """Name of a program anywhere in the bytes, by more of its header than chance would write."""
    if _LINUX_HEADER.search(data):
        return _LINUX_PROGRAM
    for found in _WINDOWS_HEADER.finditer(data):
        if data.startswith(b"PE\0\0", found.start() + int.from_bytes(found[1], "little")):
            return _WINDOWS_PROGRAM
    return None


def _brands(data: bytes) -> list[bytes]:
    """Major brand first, then the compatible ones, of an ISO base media file."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4]), len(data), 256)
    return [data[8:12]] + [data[start : start + 4] for start in range(16, end - 3, 4)]


def _kind_of_text(start: bytes) -> str:
    text = _as_text(start)
    if text is None:
        return _UNKNOWN
    text = text.lstrip("\ufeff \t\r\n").lower()
    if "<svg" in text:
        return _SVG
    if text.startswith("<!doctype html") or "<html" in text or "<script" in text or "<body" in text:
        return _HTML
    if text.startswith("<?php"):
        return _SCRIPT
    if text.startswith("<?xml"):
        return _XML
    return _TEXT


def _as_text(start: bytes) -> str | None:
    """The bytes as text if nearly all of them print in UTF-8, UTF-16 or the Korean code page."""
    for encoding in ("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "cp949"):
        # A multi-byte character may be cut at the end of the sample.
        for cut in range(4):
            try:
                text = start[: len(start) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            if text and sum(not (c.isprintable() or c in "\ufeff\t\r\n\f") for c in text) <= len(text) // 50:
                return text
    return None
