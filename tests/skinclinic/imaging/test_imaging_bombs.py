"""Small files that would unpack to gigabytes are refused while memory stays flat."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from skinclinic import imaging
from tests import hostile_photos
from tests import photo_bytes as make

ROOT = Path(__file__).parents[3]
MOST_GROWTH_MB = 24

# Each file is opened in a process of its own, so that its highest memory is that of this file alone.
PROBE = """
import json, resource, sys, time
from pathlib import Path
from skinclinic import imaging
from tests import photo_bytes

imaging.accept(photo_bytes.encoded(photo_bytes.lesion(), "JPEG"))
imaging.accept(photo_bytes.encoded(photo_bytes.lesion(), "HEIF"))
answers = []
for path in sys.argv[1:]:
    data = Path(path).read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    try:
        imaging.accept(data)
        code = "accepted"
    except imaging.PhotoRejected as rejected:
        code = rejected.code
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    answers.append([code, growth, time.process_time() - started])
print(json.dumps(answers))
"""


def greedy_exif() -> bytes:
    """60 kB of EXIF in which 4000 fields each claim the same 10 kB: 40 MB to a reader that copies them."""
    fields = [(0x4000 + n, 1, 10_000, 8) for n in range(4000)]
    return b"Exif\0\0" + make.exif_block(fields)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated 200 times."""
    jpeg = make.encoded(make.lesion(), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * 200 + b"\xff\xd9"


def text_chunk(megabytes: int, name: bytes) -> bytes:
    return make.chunk(b"zTXt", b"Raw profile type " + name + b"\0\0" + make.zeros_packed(megabytes))


def greedy_avif() -> bytes:
    """The same in an AVIF, put in by hand: the encoder reads what it is given."""
    greedy = greedy_exif()[6:]
    harmless = b"II*\0\x08\0\0\0" + bytes(len(greedy) - 8)
    avif = make.encoded(make.lesion(), "AVIF", exif=b"Exif\0\0" + harmless)
    assert avif.count(harmless) == 1
    return avif.replace(harmless, greedy)


def greedy_tiff() -> bytes:
    """A TIFF with 4000 private fields that each claim the same 50 kB."""
    plain = make.plain_tiff(make.lesion())
    start = int.from_bytes(plain[4:8], "little")
    count = int.from_bytes(plain[start : start + 2], "little")
    fields = plain[start + 2 : start + 2 + 12 * count]
    fields += b"".join(struct.pack("<HHII", 52_000 + number, 7, 50_000, 8) for number in range(4000))
    at = len(plain) + len(plain) % 2
    directory = struct.pack("<H", count + 4000) + fields + bytes(4)
    return plain[:4] + struct.pack("<I", at) + plain[8:].ljust(at - 8, b"\0") + directory


def one_tile(width: int, height: int) -> bytes:
    pixels = make.lesion().tobytes()
    return make.plain_tiff(
        make.lesion(), tiles=[8], tile_sizes=[len(pixels)], tile_width=[width], tile_height=[height]
    )


def packed_tiff() -> bytes:
    """A small TIFF whose only strip goes on for 48 MB after its last row."""
    packed = make.zeros_packed(48)
    tags = {
        256: (4, [80]), 257: (4, [80]), 258: (3, [8, 8, 8]), 259: (3, [8]), 262: (3, [2]), 273: (4, [8]),
        277: (3, [3]), 278: (4, [80]), 279: (4, [len(packed)]),
    }  # fmt: skip
    return make.tiff(tags, packed)


def bombs() -> dict[str, tuple[bytes, str]]:
    packed = make.zeros_packed(48)
    return {
        "PNG of 81 megapixels": (make.png_bomb(9_000), "too_many_pixels"),
        "PNG of 144 megapixels": (make.png_bomb(12_000), "too_many_pixels"),
        "PNG of 400 megapixels": (make.png_bomb(20_000), "too_many_pixels"),
        "PNG of 2³¹ - 1 pixels wide": (make.png(2**31 - 1, 2**31 - 1, b"\0"), "too_many_pixels"),
        "PNG with 48 MB of text": (
            make.png_with(make.chunk(b"zTXt", b"Raw profile type exif\0\0" + packed)),
            "decompression_bomb",
        ),
        "PNG with 48 MB of international text": (
            make.png_with(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0XMP\0" + packed)),
            "decompression_bomb",
        ),
        # Nothing is made of it, so it is never unpacked.
        "PNG with 48 MB of comment": (
            make.png_with(make.chunk(b"zTXt", b"Comment\0\0" + packed)),
            "accepted",
        ),
        "PNG with 1000 comments of 7 MB that break": (hostile_photos.broken_texts(1000), "accepted"),
        "PNG with 1000 dates of 7 MB that break": (
            hostile_photos.broken_texts(1000, b"Creation Time"),
            "accepted",
        ),
        "PNG with 1000 profiles of 7 MB that break": (
            hostile_photos.broken_texts(1000, b"ICC", b"iCCP"),
            "damaged",
        ),
        "PNG with 48 MB of profile": (
            make.png_with(make.chunk(b"iCCP", b"profile\0\0" + packed)),
            "decompression_bomb",
        ),
        "PNG with many texts of 3 MB": (
            make.png_with(b"".join(text_chunk(3, name) for name in (b"exif", b"APP1", b"xmp"))),
            "decompression_bomb",
        ),
        "PNG with 48 MB of rows too many": (
            make.png(80, 80, bytes(48 * 2**20)),
            "accepted",
        ),
        "JPEG of 4290 megapixels": (make.jpeg_saying(65_500, 65_500), "too_many_pixels"),
        "JPEG with 200 scans": (many_scans(), "decompression_bomb"),
        "JPEG with greedy EXIF": (
            make.jpeg_with_segment(make.encoded(make.lesion(), "JPEG"), 0xE1, greedy_exif()),
            "accepted",
        ),
        "PNG with greedy EXIF": (make.png_with(make.chunk(b"eXIf", greedy_exif()[6:])), "accepted"),
        "HEIC with greedy EXIF": (make.encoded(make.lesion(), "HEIF", exif=greedy_exif()), "accepted"),
        "WebP of 268 megapixels": (make.webp_saying(16_384, 16_384), "too_many_pixels"),
        "HEIC of 400 megapixels": (make.heic_saying(20_000, 20_000), "too_many_pixels"),
        "HEIC cut out of 400 megapixels": (make.heic_cut_out_of(20_000, 20_000), "decompression_bomb"),
        "AVIF of 400 megapixels": (make.avif_saying(20_000, 20_000), "too_many_pixels"),
        "AVIF whose stream is larger than it says": (make.avif_saying(64, 64), "decompression_bomb"),
        "AVIF with greedy EXIF": (greedy_avif(), "accepted"),
        "TIFF of 400 megapixels": (
            make.plain_tiff(make.lesion(), width=[20_000], height=[20_000], rows=[20_000]),
            "too_many_pixels",
        ),
        "TIFF of one tile of 900 megapixels": (one_tile(30_000, 30_000), "decompression_bomb"),
        "TIFF with greedy fields": (greedy_tiff(), "accepted"),
        "TIFF of which a strip unpacks to 48 MB": (packed_tiff(), "accepted"),
        "HEIC from six tiles of 16 megapixels": (make.heic_tiles_saying(4_000, 4_000), "decompression_bomb"),
    }


def test_bombs_are_refused_with_flat_memory(tmp_path):
    files, expected = [], {}
    for number, (name, (data, code)) in enumerate(bombs().items()):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(data)
        expected[name] = code
    command = [sys.executable, "-W", "ignore", "-c", PROBE, *map(str, files)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=240).stdout
    answers = dict(zip(expected, json.loads(output), strict=True))
    assert {name: code for name, (code, _, _) in answers.items()} == expected
    greedy = {name: growth for name, (_, growth, _) in answers.items() if growth > MOST_GROWTH_MB}
    assert not greedy, f"megabytes more: {greedy}"
    slow = {name: seconds for name, (_, _, seconds) in answers.items() if seconds > 2}
    assert not slow, f"seconds: {slow}"


def test_the_81_megapixel_bomb_is_as_small_as_it_says():
    assert len(make.png_bomb(9_000)) < 10_000


def test_bomb_names_its_size():
    with pytest.raises(imaging.PhotoRejected, match="9000 × 9000 is 81 megapixels; at most 50"):
        imaging.accept(make.png_bomb(9_000))


def test_endless_markers_end_soon():
    """Millions of empty segments or fill bytes cost no more than reading the file."""
    for filler in (b"\xff\xfe\x00\x02", b"\xff\xd0", b"\xff", b"\x00"):
        data = b"\xff\xd8\xff\xe0\x00\x02" + filler * (20 * 2**20 // len(filler))
        with pytest.raises(imaging.PhotoRejected):
            imaging.accept(data)


def test_heic_made_from_itself():
    heic = make.encoded(make.lesion(160, 128), "HEIF", tile_size=64)
    at = heic.index(b"dimg") + 4
    whole = heic[at : at + 2]
    itself = heic[: at + 4] + whole + heic[at + 6 :]
    with pytest.raises(imaging.PhotoRejected) as caught:
        imaging.accept(itself)
    assert caught.value.code == "damaged"
