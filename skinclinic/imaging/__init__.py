"""Photos as bytes and pixels: what is let in, how it is stored, how a lesion is cut out of it.

Pure Python on Pillow, pillow-heif and OpenCV; nothing here knows Django, so it can be read, tested and reused alone.
The one way in is `accept`: it looks at the bytes only, never at a file name or a declared type.
So do `photo_format`, which says of a file's first bytes whether they are a photo of a kind that is read, and `kind_of`,
which names what is none.
"""

from .boxes import SMALLEST_BOX, Box, check_box, crop, largest_centred_square
from .covers import MOST_COVERS, SMALLEST_COVER, Cover, check_covers, covered
from .intake import MAX_BYTES, MAX_PIXELS, MIN_SIDE, AcceptedPhoto, accept, check, sha256
from .jpeg import beside_picture
from .likeness import perceptual_hash
from .png import beside_png
from .raster import JPEG_QUALITY, THUMBNAIL_SIDE, encode_jpeg, for_screen, mark_synthetic, open_rgb, thumbnail
from .refusals import MESSAGES, NOTES, USUAL_NOTES, BoxRejected, CoverRejected, PhotoRejected
from .sniff import HEAD_BYTES, SUFFIXES, kind_of, photo_format

__all__ = [
    "HEAD_BYTES",
    "JPEG_QUALITY",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MESSAGES",
    "MIN_SIDE",
    "MOST_COVERS",
    "NOTES",
    "SMALLEST_BOX",
    "SMALLEST_COVER",
    "SUFFIXES",
    "THUMBNAIL_SIDE",
    "USUAL_NOTES",
    "AcceptedPhoto",
    "Box",
    "BoxRejected",
    "Cover",
    "CoverRejected",
    "PhotoRejected",
    "accept",
    "beside_picture",
    "beside_png",
    "check",
    "check_box",
    "check_covers",
    "covered",
    "crop",
    "encode_jpeg",
    "for_screen",
    "kind_of",
    "largest_centred_square",
    "mark_synthetic",
    "open_rgb",
    "perceptual_hash",
    "photo_format",
    "sha256",
    "thumbnail",
]
