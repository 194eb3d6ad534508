"""A chart of flat patches in any colour space and container, with the colours it should have once stored.

The curves and matrices are written from the standards, apart from the product's own.
"""

from io import BytesIO

import cv2
import numpy as np
import pillow_heif

from skinclinic import imaging
from tests import photo_bytes as make

# Skin of all types, reds and browns of lesions, pen blue, green drapes, a grey scale; levels of sRGB.
PATCHES = np.array(
    [(243, 216, 199), (222, 180, 155), (190, 138, 110), (150, 98, 72), (98, 62, 44), (62, 40, 32), (200, 80, 70),
     (150, 36, 40), (44, 38, 64), (26, 20, 18), (70, 90, 170), (90, 150, 80), (248, 248, 248), (180, 180, 180),
     (118, 118, 118), (64, 64, 64), (24, 24, 24), (215, 185, 70)]
)  # fmt: skip
SIDE, ACROSS = 64, 6
WHITE = 203.0

# Linear sRGB to linear BT.2020 (ITU-R BT.2087) and to Display P3 (SMPTE EG 432-1).
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TO_P3 = np.array([[0.8225, 0.1775, 0.0], [0.0332, 0.9668, 0.0], [0.0171, 0.0724, 0.9105]])


def light(levels) -> np.ndarray:
    """Linear light of levels of sRGB, 0 to 1."""
    level = np.asarray(levels) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def srgb_curve(linear) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def pq(linear, white: float = WHITE) -> np.ndarray:
    """SMPTE ST 2084: 1 is the reference white in cd/m²."""
    power = (np.clip(linear, 0, None) * white / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(linear, white: float = WHITE) -> np.ndarray:
    """ITU-R BT.2100 for a display of 1000 cd/m²: back through its system gamma of 1.2, then the curve."""
    shown = np.clip(linear, 0, None) * white / 1000
    luminance = shown @ [0.2627, 0.6780, 0.0593]
    scene = shown * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    return np.where(
        scene <= 1 / 12,
        np.sqrt(3 * scene),
        0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073,
    )


def laid_out(codes: np.ndarray, most: int) -> np.ndarray:
    """Pixels of a chart from the code of each patch, 0 to 1."""
    values = np.round(np.asarray(codes) * most).astype(np.uint16 if most > 255 else np.uint8)
    rows = values.reshape(-1, ACROSS, 3)
    return rows.repeat(SIDE, axis=0).repeat(SIDE, axis=1)


def in_png(codes: np.ndarray, *chunks: bytes, depth: int = 8) -> bytes:
    pixels = laid_out(codes, 2**depth - 1)
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in pixels)
    return make.png(pixels.shape[1], pixels.shape[0], rows, depth=depth, extra=b"".join(chunks))


def in_heic(codes: np.ndarray, primaries: int, transfer: int) -> bytes:
    """A HEIC of 10 bits."""
    pixels = laid_out(codes, 65535)
    file = BytesIO()
    pillow_heif.encode(
        "RGB;16", (pixels.shape[1], pixels.shape[0]), pixels.tobytes(), file, quality=-1, chroma=444,
        color_primaries=primaries, transfer_characteristics=transfer, transfer_characteristic=transfer,
        matrix_coefficients=9 if primaries == 9 else 6, full_range_flag=1,
    )  # fmt: skip
    return file.getvalue()


def in_avif(codes: np.ndarray, primaries: int, transfer: int, bits: int = 10) -> bytes:
    pixels = laid_out(codes, 2**bits - 1)[..., ::-1]
    depth = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    avif = cv2.imencode(".avif", np.ascontiguousarray(pixels), depth)[1].tobytes()
    return make.with_colours(avif, primaries, transfer)


def seen(data: bytes) -> tuple[imaging.AcceptedPhoto, np.ndarray]:
    """(what was accepted, the mean colour of each patch as it is stored)."""
    photo = imaging.accept(data)
    pixels = np.asarray(imaging.open_rgb(photo.jpeg)).astype(float)
    places = [divmod(number, ACROSS) for number in range(len(PATCHES))]
    return photo, np.array(
        [
            pixels[row * SIDE + 8 : (row + 1) * SIDE - 8, column * SIDE + 8 : (column + 1) * SIDE - 8].mean(
                axis=(0, 1)
            )
            for row, column in places
        ]
    )


def farthest(data: bytes, truth: np.ndarray = PATCHES) -> float:
    """By how many levels the worst patch is off."""
    return float(np.abs(seen(data)[1] - truth).max())
