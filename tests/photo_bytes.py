"""Photo files for tests, good and bad, built byte by byte where no encoder would write them."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SECRETS = (b"SN-4711-0815", b"Secret Owner", b"S3CR3T-NOTE", b"\x25GPS-HERE\x25")


def lesion(width: int = 160, height: int = 120, seed: int = 0) -> Image.Image:
    """Skin-coloured picture with a dark spot off its centre and fine grain."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    pixels = np.full((height, width, 3), (205, 160, 135), np.float32)
    spot = (rows - height * 0.4) ** 2 + (columns - width * 0.3) ** 2 < (min(width, height) / 6) ** 2
    pixels[spot] = (110, 70, 55)
    pixels += random.normal(0, 6, (height, width, 1))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def flat(colour, mode: str = "RGB", size: tuple[int, int] = (80, 80)) -> Image.Image:
    return Image.new(mode, size, colour)


def encoded(image: Image.Image, file_format: str, **options) -> bytes:
    """The image as JPEG, PNG, WEBP, HEIF or anything else Pillow writes."""
    file = BytesIO()
    if file_format == "HEIF":
        pillow_heif.from_pillow(image).save(file, **options)
    else:
        image.save(file, file_format, **options)
    return file.getvalue()


def lossless(image: Image.Image, file_format: str, **options) -> bytes:
    """Encoded with as little loss as the format allows."""
    best = {
        "JPEG": {"quality": 100, "subsampling": "4:4:4"},
        "WEBP": {"lossless": True, "exact": True},
        "HEIF": {"quality": -1, "chroma": 444},
    }
    return encoded(image, file_format, **best.get(file_format, {}), **options)


def telling_exif(orientation: int = 1, taken: str = "2024:03:02 10:11:12") -> Image.Exif:
    """EXIF with a place, a serial number, an owner, a note and a capture date."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = SECRETS[1].decode()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = taken
    details[ExifTags.Base.BodySerialNumber] = SECRETS[0].decode()
    details[ExifTags.Base.MakerNote] = SECRETS[2]
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    place[ExifTags.GPS.GPSProcessingMethod] = SECRETS[3]
    return exif


def exif_block(entries: list[tuple[int, int, int, int]], extra: bytes = b"") -> bytes:
    """A little-endian TIFF block of one directory: (tag, type, count, value or offset) each."""
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + bytes(4) + extra


def jpeg_with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment right after its start."""
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def jpeg_saying(width: int, height: int) -> bytes:
    """A small JPEG whose frame header claims another size."""
    jpeg = bytearray(encoded(lesion(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2, extra: bytes = b""
) -> bytes:
    """A PNG from raw rows (each with its filter byte); `extra` chunks go before the image data."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG_SIGNATURE + header + extra + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def png_bomb(side: int) -> bytes:
    """A black one-bit PNG of side × side pixels: 9 kB for 9000."""
    return png(side, side, bytes(side * (side // 8 + 1)), depth=1, colour=0)


def png_with(extra: bytes) -> bytes:
    """A small good PNG with further chunks."""
    good = encoded(lesion(), "PNG")
    return good[:33] + extra + good[33:]


def zeros_packed(megabytes: int) -> bytes:
    packer = zlib.compressobj(6)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def webp_saying(width: int, height: int) -> bytes:
    """A small extended WebP whose canvas claims another size."""
    webp = bytearray(encoded(lesion(), "WEBP", exif=telling_exif()))
    webp[24:30] = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return bytes(webp)


def heic_saying(width: int, height: int, **options) -> bytes:
    """A HEIC of 160 × 128 pixels whose size property claims another size."""
    heic = encoded(lesion(160, 128), "HEIF", **options)
    return heic.replace(b"ispe" + bytes(4) + struct.pack(">II", 160, 128), _ispe(width, height))


def heic_tiles_saying(width: int, height: int) -> bytes:
    """A HEIC of 160 × 128 pixels from 64-pixel tiles that claim another size."""
    heic = encoded(lesion(160, 128), "HEIF", tile_size=64)
    return heic.replace(_ispe(64, 64), _ispe(width, height))


def heic_cut_out_of(width: int, height: int) -> bytes:
    """A HEIC that claims a huge picture and shows 100 × 100 pixels of it (clean aperture)."""
    heic = heic_saying(width, height)
    start = heic.index(b"ipma") - 4
    aperture = struct.pack(">I4s8I", 40, b"clap", 100, 1, 100, 1, 0, 1, 0, 1)
    offset = struct.pack(">I", heic.index(b"mdat") + 4)
    heic = heic[:start] + aperture + heic[start:]
    for name in (b"ipco", b"iprp", b"meta"):
        at = heic.index(name) - 4
        heic = heic[:at] + struct.pack(">I", int.from_bytes(heic[at : at + 4]) + 40) + heic[at + 4 :]
    heic = heic.replace(offset, struct.pack(">I", int.from_bytes(offset) + 40), 1)
    # The fifth property, essential, instead of the fourth (bit depth).
    at = heic.index(b"ipma")
    return heic[:at] + heic[at:].replace(b"\x81\x02\x03\x04", b"\x81\x02\x03\x85", 1)


def _ispe(width: int, height: int) -> bytes:
    return b"ispe" + bytes(4) + struct.pack(">II", width, height)


def icc(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """A version 2 ICC profile from its tags."""
    title = b"desc" + struct.pack(">II", 0, 5) + b"test\0" + bytes(79)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"desc": title, b"wtpt": white, b"cprt": b"text\0\0\0\0none\0", **tags}
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(value))
        body += value
    header = struct.pack(
        ">I4xI4s4s4s12x4s", 128 + len(table) + len(body), 0x02400000, kind, space, pcs, b"acsp"
    )
    return header.ljust(68, b"\0") + white[8:] + bytes(48) + table + body


def linear_grey_profile() -> bytes:
    """A grey profile whose tone curve is a straight line."""
    return icc(b"GRAY", {b"kTRC": b"curv" + struct.pack(">II", 0, 0)})


def black_only_cmyk_profile() -> bytes:
    """A CMYK profile in which only black ink shows: lightness falls evenly from 100 to 0."""
    ramp = bytes(range(256))
    corners = b"".join(bytes([0 if corner & 1 else 255, 128, 128]) for corner in range(16))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + struct.pack(">IBBBx", 0, 4, 3, 2) + matrix + ramp * 4 + corners + ramp * 3
    return icc(b"CMYK", {b"A2B0": table}, pcs=b"Lab ", kind=b"prtr")


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def cicp(primaries: int, transfer: int, full_range: int = 1) -> bytes:
    """The chunk by which a PNG names its colours (ITU-T H.273)."""
    return chunk(b"cICP", bytes([primaries, transfer, 0, full_range]))


def gama(exponent: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(exponent * 100_000)))


def chrm(primaries, white=(0.3127, 0.3290)) -> bytes:
    points = [value for point in (white, *primaries) for value in point]
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in points)))


def with_colours(container: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF or HEIC whose `nclx` property names other colours."""
    at = container.index(b"colrnclx") + 8
    return container[:at] + struct.pack(">HH", primaries, transfer) + container[at + 4 :]


def avif_saying(width: int, height: int) -> bytes:
    """An AVIF of 160 × 128 pixels whose container claims another size."""
    avif = encoded(lesion(160, 128), "AVIF")
    return avif.replace(_ispe(160, 128), _ispe(width, height))


def tiff(tags: dict[int, tuple[int, list[int] | bytes]], pixels: bytes, order: str = "<") -> bytes:
    """A TIFF of one directory; `pixels` begin at byte 8. Types: 1, 3 and 4 as numbers, anything else as bytes."""
    data = (b"II*\0" if order == "<" else b"MM\0*") + bytes(4) + pixels + b"\0" * (len(pixels) % 2)
    directory, behind = struct.pack(order + "H", len(tags)), b""
    end = len(data) + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = values if isinstance(values, bytes) else struct.pack(
            f"{order}{len(values)}{ {1: 'B', 3: 'H', 4: 'I'}[kind] }", *values
        )  # fmt: skip
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place, behind = (
                struct.pack(order + "I", end + len(behind)),
                behind + packed + b"\0" * (len(packed) % 2),
            )
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + place
    at = struct.pack(order + "I", len(data))
    return data[:4] + at + data[8:] + directory + bytes(4) + behind


def plain_tiff(image: Image.Image, **changes) -> bytes:
    """An uncompressed RGB TIFF in one strip; `changes` by the names below replace tags (None takes one out)."""
    names = {
        "width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262, "starts": 273,
        "orientation": 274, "samples": 277, "rows": 278, "sizes": 279, "planes": 284, "kind": 254,
        "tile_width": 322, "tile_height": 323, "tiles": 324, "tile_sizes": 325, "format": 339, "dng": 50706,
    }  # fmt: skip
    pixels = image.tobytes()
    tags = {
        256: (4, [image.width]), 257: (4, [image.height]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]),
        273: (4, [8]), 277: (3, [3]), 278: (4, [image.height]), 279: (4, [len(pixels)]),
    }  # fmt: skip
    for name, values in changes.items():
        if values is None:
            del tags[names[name]]
        else:
            tags[names[name]] = (4, values)
    return tiff(tags, pixels)


def jpeg_and_others(first: bytes, *others: tuple[int, bytes]) -> bytes:
    """A JPEG with further ones behind it, listed in its index (CIPA DC-007) with the type of each."""
    count = 1 + len(others)
    length = 4 + 8 + 2 + 2 * 12 + 4 + 16 * count
    start = len(first) + length + 4
    entries, place, behind = struct.pack(">III4x", 0x030000, start, 0), start, b""
    for kind, data in others:
        # Places count from the index's own byte order, eight bytes behind its marker and the JPEG's start.
        entries += struct.pack(">III4x", kind, len(data), place - 10)
        place, behind = place + len(data), behind + data
    directory = struct.pack(">H", 2) + struct.pack(">HHII", 0xB001, 4, 1, count)
    directory += struct.pack(">HHII", 0xB002, 7, 16 * count, 8 + len(directory) + 12 + 4) + bytes(4)
    index = b"MPF\0MM\0*" + struct.pack(">I", 8) + directory + entries
    return jpeg_with_segment(first, 0xE2, index) + behind
