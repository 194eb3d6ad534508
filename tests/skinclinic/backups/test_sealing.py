"""What is sealed opens whole or not at all."""

import io
import os

import pytest

from skinclinic.backups.sealing import PIECE, BadKey, Key, Unreadable, write_new_key
from tests.cases import each

LENGTHS = (0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE)


def sealed(key: Key, data: bytes) -> bytes:
    return b"".join(key.seal([data[:700], data[700:]]))


def opened(key: Key, data: bytes) -> bytes:
    return b"".join(key.open(io.BytesIO(data)))


@pytest.fixture(scope="module")
def key() -> Key:
    return Key.of_text(Key.new_text())


@each("length", LENGTHS)
def test_any_length_comes_back(key, length):
    data = os.urandom(length)
    found = sealed(key, data)
    assert opened(key, found) == data
    assert len(found) == key.sealed_size(length)
    assert sealed(key, data) != found


def test_what_was_changed_moved_left_out_or_cut_off_does_not_open(key):
    found = sealed(key, os.urandom(2 * PIECE + 9))
    head, piece = 44, PIECE + 16
    first, second, last = (
        found[head : head + piece],
        found[head + piece : head + 2 * piece],
        found[head + 2 * piece :],
    )
    start = found[:head]
    for wrong in (
        found[:-1], start + first + second, start + first, start, found[:20], b"",
        start + second + first + last, start + first + last, start + first + second + first,
        found[:100] + bytes([found[100] ^ 1]) + found[101:], found[:13] + b"0" + found[14:],
    ):  # fmt: skip
        with pytest.raises(Unreadable):
            opened(key, wrong)
    with pytest.raises(Unreadable):
        opened(Key.of_text(Key.new_text()), found)


def test_a_key_is_for_its_owner_and_is_never_replaced(tmp_path):
    path = tmp_path / "key"
    write_new_key(path)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    Key.of_text(text)
    with pytest.raises(FileExistsError):
        write_new_key(path)
    assert path.read_text() == text
    for wrong in ("", "short", "ü" * 44, text[:-4]):
        with pytest.raises(BadKey):
            Key.of_text(wrong)
