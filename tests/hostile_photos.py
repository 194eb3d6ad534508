"""Small photo files that cost much to read: of each format the largest that is let in, in its dearest layout.

They are written in bands or from one flat colour, so that making one costs little. ``python -m tests.hostile_photos``
tells what each takes, of memory and of the processor.
"""

import os
import struct
import sys
import time
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

from tests import memory
from tests import photo_bytes as make

# Just within 50 megapixels; and as many where a format has sides of at most 16,383.
WIDE, HIGH = 7_000, 7_100


def big_png(depth: int, colour: int, *, extra: bytes = b"", channels: int = 0) -> bytes:
    """A PNG of nearly 50 megapixels, all of one level."""
    channels = channels or {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + b"\1" * ((WIDE * depth * channels + 7) // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(HIGH)) + packer.flush()
    head = make.chunk(b"IHDR", struct.pack(">IIBBBBB", WIDE, HIGH, depth, colour, 0, 0, 0))
    return make.PNG_SIGNATURE + head + extra + make.chunk(b"IDAT", packed) + make.chunk(b"IEND", b"")


def flat(file_format: str, mode: str = "RGB", **options: object) -> bytes:
    colour = {"L": 9, "CMYK": (9, 9, 9, 9), "RGBA": (9, 9, 9, 9)}.get(mode, (9, 9, 9))
    return make.encoded(Image.new(mode, (WIDE, HIGH), colour), file_format, **options)


def big_tiff(bits: int, samples: int, photometric: int, *, alpha: bool = False) -> bytes:
    """A packed TIFF of nearly 50 megapixels, in strips of 100 rows that all lie at one place."""
    strip = zlib.compress(bytes([1]) * (WIDE * bits * samples // 8 * 100), 9)
    count = HIGH // 100
    tags = {
        256: (4, [WIDE]), 257: (4, [HIGH]), 258: (3, [bits] * samples), 259: (3, [8]), 262: (3, [photometric]),
        273: (4, [8] * count), 277: (3, [samples]), 278: (4, [100]), 279: (4, [len(strip)] * count),
    }  # fmt: skip
    if alpha:
        tags[338] = (3, [2])
    return make.tiff(tags, strip)


def broken_texts(count: int, name: bytes = b"Comment", kind: bytes = b"zTXt") -> bytes:
    """A small PNG with many packed texts of 7 MB, each of which breaks at its end."""
    packed = bytearray(make.zeros_packed(7))
    packed[-4:] = b"\xff\xff\xff\xff"
    return make.png_with(make.chunk(kind, name + b"\0\0" + bytes(packed)) * count)


def deep_heic() -> bytes:
    """Of 10 bits and in HDR, as large cameras write them; without a picture of 16 bits beside it. Written in a hurry,
    it costs as much to read."""
    levels = np.full((HIGH, WIDE, 3), 9 << 6, np.uint16)
    picture = pillow_heif.from_bytes(mode="RGB;16", size=(WIDE, HIGH), data=levels.tobytes())
    file = BytesIO()
    hdr = {"color_primaries": 9, "transfer_characteristics": 16, "save_nclx_profile": True}
    picture.save(file, quality=20, enc_params={"preset": "ultrafast"}, **hdr)
    return file.getvalue()


HLG = make.chunk(b"cICP", bytes([9, 18, 0, 1]))
KEY = make.chunk(b"tRNS", struct.pack(">HHH", 257, 257, 257))
GREY_KEY = make.chunk(b"tRNS", struct.pack(">H", 257))

FILES: dict[str, Callable[[], bytes]] = {
    "PNG, grey of 1 bit": lambda: big_png(1, 0),
    "PNG, grey of 16 bits": lambda: big_png(16, 0),
    "PNG, grey of 16 bits with a transparent level": lambda: big_png(16, 0, extra=GREY_KEY),
    "PNG, grey of 16 bits in HDR": lambda: big_png(16, 0, extra=HLG),
    "PNG, grey and alpha of 16 bits": lambda: big_png(16, 4),
    "PNG, RGB of 16 bits": lambda: big_png(16, 2),
    "PNG, RGB of 16 bits with a transparent colour": lambda: big_png(16, 2, extra=KEY),
    "PNG, RGB of 16 bits in HDR": lambda: big_png(16, 2, extra=HLG),
    "PNG, RGBA of 16 bits": lambda: big_png(16, 6),
    "PNG, RGBA of 16 bits in HDR": lambda: big_png(16, 6, extra=HLG),
    "PNG, RGBA of 8 bits": lambda: big_png(8, 6),
    "PNG with 300 broken texts of 7 MB": lambda: broken_texts(300),
    "PNG with 3000 broken texts of 7 MB": lambda: broken_texts(3000),
    "JPEG": lambda: flat("JPEG"),
    "JPEG, progressive": lambda: flat("JPEG", progressive=True),
    "JPEG, four inks": lambda: flat("JPEG", "CMYK"),
    "WebP, lossless": lambda: flat("WEBP", lossless=True, method=0, quality=0),
    "WebP, lossless with alpha": lambda: flat("WEBP", "RGBA", lossless=True, method=0, quality=0),
    "WebP": lambda: flat("WEBP", method=0),
    "HEIC": lambda: flat("HEIF"),
    "HEIC, 10 bits in HDR": lambda: deep_heic(),
    "AVIF": lambda: flat("AVIF", speed=10),
    "TIFF, grey of 16 bits": lambda: big_tiff(16, 1, 1),
    "TIFF, RGB of 16 bits": lambda: big_tiff(16, 3, 2),
    "TIFF, RGBA of 16 bits": lambda: big_tiff(16, 4, 2, alpha=True),
    "TIFF, four inks": lambda: big_tiff(8, 4, 5),
}  # fmt: skip


def cost(data: bytes) -> tuple[str, float, float]:
    """(what came of it, the most MB that reading it took beyond what was held, processor seconds)."""
    from skinclinic import imaging

    read, write = os.pipe()
    if not (child := os.fork()):
        memory.begin()
        held, started = memory.peak_mb(), time.process_time()
        try:
            imaging.accept(data)
            code = "accepted"
        except imaging.PhotoRejected as rejected:
            code = rejected.code
        taken = f"{code} {memory.peak_mb() - held} {time.process_time() - started}"
        os.write(write, taken.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        code, mb, seconds = (answer.read() or "died 0 0").split()
    os.waitpid(child, 0)
    return code, float(mb), float(seconds)


def main() -> None:
    from skinclinic import imaging

    for file_format in ("JPEG", "HEIF", "AVIF"):
        imaging.accept(make.encoded(make.lesion(), file_format))
    for name, write in FILES.items():
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        data = write()
        code, mb, seconds = cost(data)
        print(f"{name:50}{len(data) / 1000:9.0f} kB{mb:8.0f} MB{seconds:7.1f} s  {code}", flush=True)


if __name__ == "__main__":
    main()
