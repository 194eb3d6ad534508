"""Encryption of what a folder of backups holds, and of photos where they lie: AES-256-GCM, a mebibyte at a time. Pure.

Each object has a key of its own, made of the backups' key and 32 random bytes at its head (HKDF-SHA256), and its pieces
are numbered, the last one marked: pieces that were changed, moved, left out or cut off do not open. This is the
construction of Tink's streaming AEAD (AES256_GCM_HKDF_1MB).
"""

import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PIECE = 1 << 20
KEY_BYTES = 32
_HEAD = b"skinclinic1\n"
HEAD_BYTES = len(_HEAD)
_SALT, _TAG = 32, 16


class Unreadable(ValueError):
    """It was changed or cut off since it was written, or sealed with another key."""


class BadKey(ValueError):
    """A key that is none; the message says what one looks like."""


class Key:
    """A key of 256 bits, as it stands in a file: 44 letters, digits and signs, as ``Key.new_text`` makes them."""

    def __init__(self, secret: bytes):
        self._secret = secret
        self._names = _derived(secret, b"", b"names of objects")

    @classmethod
    def of_text(cls, text: str) -> Self:
        try:
            secret = urlsafe_b64decode(text.strip().encode("ascii"))
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise BadKey(
                "A key is 32 random bytes in base64, 44 characters: `manage.py backup --new-key FILE`."
            )
        return cls(secret)

    @staticmethod
    def new_text() -> str:
        return urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()

    def name_of(self, digest: str) -> str:
        """What an object is called whose content has this SHA-256: it tells nobody without the key which file it is."""
        return hmac.new(self._names, digest.encode(), sha256).hexdigest()

    def mark(self) -> str:
        """By which the key is known again; it tells nothing of it."""
        return _derived(self._secret, b"", b"mark of the key")[:8].hex()

    def seal(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        salt = os.urandom(_SALT)
        cipher = AESGCM(_derived(self._secret, salt, b"object"))
        yield _HEAD + salt
        number, waiting = 0, None
        for piece in _in_mebibytes(pieces):
            if waiting is not None:
                yield cipher.encrypt(_nonce(number, False), waiting, None)
                number += 1
            waiting = piece
        yield cipher.encrypt(_nonce(number, True), waiting or b"", None)

    def open(self, file: BinaryIO) -> Iterator[bytes]:
        """Raises Unreadable as soon as a piece does not open."""
        head = file.read(len(_HEAD) + _SALT)
        if len(head) < len(_HEAD) + _SALT or not head.startswith(_HEAD):
            raise Unreadable("it is no sealed object")
        cipher = AESGCM(_derived(self._secret, head[len(_HEAD) :], b"object"))
        number, piece = 0, file.read(PIECE + _TAG)
        while True:
            following = file.read(PIECE + _TAG)
            try:
                yield cipher.decrypt(_nonce(number, not following), piece, None)
            except InvalidTag:
                raise Unreadable("it was changed or cut off, or the key is another one") from None
            if not following:
                return
            number, piece = number + 1, following

    @staticmethod
    def sealed_size(size: int) -> int:
        """Bytes on the disk of so many bytes."""
        return len(_HEAD) + _SALT + size + _TAG * max(1, -(-size // PIECE))

    @staticmethod
    def size_within(sealed: int) -> int:
        """Bytes that lie in a sealed object of this size."""
        within = sealed - len(_HEAD) - _SALT
        return within - _TAG * max(1, -(-within // (PIECE + _TAG)))

    @staticmethod
    def is_sealed(begins: bytes) -> bool:
        """Whether what begins so (HEAD_BYTES are enough) is a sealed object."""
        return begins.startswith(_HEAD)


def write_new_key(path: Path) -> None:
    """For its owner alone. Raises FileExistsError, OSError."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(Key.new_text() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _derived(secret: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, b"skinclinic backup: " + purpose).derive(secret)


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _in_mebibytes(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)
