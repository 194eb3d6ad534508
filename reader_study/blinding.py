"""A stored JPEG on its way to a reader: the same pixels, other bytes. Pure: no Django.

A comment of random bytes comes right after the start-of-image marker. So nobody can look a photo up by the hash or
the length of what the browser got, and no two readers get the same file.
"""

import os
import secrets
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 64 * 1024
_START, _COMMENT = b"\xff\xd8", b"\xff\xfe"
_SHORTEST, _LONGEST = 64, 4096


class NotAJpeg(ValueError):
    """The stored file does not begin as a JPEG does."""


def random_comment() -> bytes:
    """A JPEG comment segment of random content and random length."""
    text = secrets.token_bytes(_SHORTEST + secrets.randbelow(_LONGEST - _SHORTEST))
    return _COMMENT + (len(text) + 2).to_bytes(2, "big") + text


def stream(file: BinaryIO) -> tuple[Iterator[bytes], int]:
    """The chunks of an open file with a random comment inside, and how many bytes they are together. It is closed with
    the last.

    Raises NotAJpeg at once, not while it is being sent.
    """
    try:
        if file.read(2) != _START:
            raise NotAJpeg("the file does not begin with a JPEG marker")
        comment = random_comment()
        length = file.seek(0, os.SEEK_END) + len(comment)
        file.seek(2)
    except BaseException:
        file.close()
        raise

    def chunks() -> Iterator[bytes]:
        with file:
            yield _START + comment
            while chunk := file.read(CHUNK):
                yield chunk

    return chunks(), length
