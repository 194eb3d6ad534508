"""The ZIP whose length is known beforehand and that can be resumed at any byte."""

import io
import zipfile

import pytest

from skinclinic.web import zip_stream
from skinclinic.web.zip_stream import Member


def members(sizes) -> list[Member]:
    return [
        Member(f"photos/{n:03}.jpg", size, lambda size=size, n=n: [bytes([n % 251]) * size])
        for n, size in enumerate(sizes)
    ]


def whole(found: list[Member]) -> bytes:
    return b"".join(zip_stream.chunks(found))


def test_it_is_a_zip_of_the_length_said_and_always_the_same():
    found = members([0, 1, 1000, 70_000])
    data = whole(found)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    assert len(data) == zip_stream.length(found)
    assert data == whole(found)


def test_any_rest_fits_its_beginning():
    found = members([5, 300, 0, 17])
    data = whole(found)
    for start in range(0, len(data), 7):
        assert data[:start] + b"".join(zip_stream.chunks(found, start)) == data


def test_more_files_than_a_plain_zip_holds():
    found = members([1] * 70_000)
    assert len(whole(found)) == zip_stream.length(found)


def test_offsets_beyond_two_gigabytes(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5000)
    found = members([4000, 100, 200, 300, 400])
    data = whole(found)
    assert len(data) == zip_stream.length(found)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


def test_a_member_of_another_size_ends_it():
    with pytest.raises(zip_stream.MemberChanged):
        whole([Member("a.jpg", 5, lambda: [b"1234"])])
