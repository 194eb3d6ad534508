"""Photos as bytes and pixels: what is let in, how it is stored, how a lesion is cut out of it.

Pure Python on Pillow and pillow-heif; nothing here knows Django, so it can be read, tested and reused alone.
The one way in is `accept`: it looks at the bytes only, never at a file name or a declared type.
"""

from .boxes import SMALLEST_BOX, Box, check_box, crop, largest_centred_square
from .intake import MAX_BYTES, MAX_PIXELS, MIN_SIDE, AcceptedPhoto, accept, check, sha256
from .likeness import perceptual_hash
from .raster import JPEG_QUALITY, THUMBNAIL_SIDE, encode_jpeg, mark_synthetic, open_rgb, thumbnail
from .refusals import MESSAGES, NOTES, BoxRejected, PhotoRejected

__all__ = [
    "JPEG_QUALITY",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MESSAGES",
    "MIN_SIDE",
    "NOTES",
    "SMALLEST_BOX",
    "THUMBNAIL_SIDE",
    "AcceptedPhoto",
    "Box",
    "BoxRejected",
    "PhotoRejected",
    "accept",
    "check",
    "check_box",
    "crop",
    "encode_jpeg",
    "largest_centred_square",
    "mark_synthetic",
    "open_rgb",
    "perceptual_hash",
    "sha256",
    "thumbnail",
]
