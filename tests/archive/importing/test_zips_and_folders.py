"""Hostile ZIPs and folders: refused with a reason that names the file, nothing unpacked, memory flat."""

import bz2
import lzma
import os
import tracemalloc

import pytest

from skinclinic.archive.formats import photo_sets
from skinclinic.archive.formats.photo_sets import Ambiguous, FileTooLarge, Unreadable, open_photos
from skinclinic.archive.formats.problems import PhotosRefused
from tests import factories
from tests.archive import hostile_zips, table_files
from tests.archive.hostile_zips import Member
from tests.cases import each

JPEG = factories.jpeg_bytes(0, 160, 128)
MB = 1 << 20

REFUSED = {
    "parent": ([Member(b"a/../../0.jpg", JPEG)], "leads out"),
    "absolute": ([Member(b"/etc/0.jpg", JPEG)], "leads out"),
    "windows absolute": ([Member(b"C:\\photos\\0.jpg", JPEG)], "leads out"),
    "windows relative to a drive": ([Member(b"C:0.jpg", JPEG)], "leads out"),
    "network share": ([Member(b"\\\\server\\share\\0.jpg", JPEG)], "leads out"),
    "backslash parent": ([Member(b"a\\..\\..\\0.jpg", JPEG)], "leads out"),
    "nul in a name": ([Member(b"0.jpg\0.exe", JPEG)], "leads out"),
    "name that is not UTF-8 though it says so": ([Member(b"\xff\xfe.jpg", JPEG, flags=1 << 11)], "cannot be read"),
    "endless name": ([Member(b"a" * 5000 + b".jpg", JPEG)], "too long"),
    "link": ([Member(b"0.jpg", b"/etc/passwd", attributes=0o120777 << 16)], "is a link"),
    "link to a folder": ([Member(b"photos", b"/etc", attributes=0o120777 << 16)], "is a link"),
    "nested zip": ([Member(b"more.ZIP", b"x")], "archive inside"),
    "nested tar": ([Member(b"a/more.tar.xz", b"x")], "archive inside"),
    "nested 7z": ([Member(b"more.7z", b"x")], "archive inside"),
    "nested zst": ([Member(b"more.zst", b"x")], "archive inside"),
    "password": ([Member(b"0.jpg", JPEG, flags=1)], "password"),
    "one file 1000:1": ([Member(b"0.jpg", bytes(20 * MB), 8)], "-fold"),
    "many small files 1000:1": (
        [Member(b"%d.jpg" % n, bytes(MB), 8) for n in range(60)],
        "The ZIP would grow",
    ),
    "overlapping files": (
        [Member(b"0.jpg", bytes(range(256)) * 400), *(
            Member(b"%d.jpg" % n, bytes(range(256)) * 400, at=0) for n in range(1, 50))],
        "overlap",
    ),
    "packed size larger than the ZIP": ([Member(b"0.jpg", JPEG, said_packed=10**9)], "overlap"),
    "bzip2": ([Member(b"0.jpg", bz2.compress(bytes(MB)), 12, said_size=MB)], "unusual way"),
    "lzma": ([Member(b"0.jpg", lzma.compress(bytes(MB)), 14, said_size=MB)], "unusual way"),
    "unknown method": ([Member(b"0.jpg", JPEG, 99)], "unusual way"),
    "the same name twice": ([Member(b"0.jpg", JPEG), Member(b"0.jpg", JPEG)], "twice"),
    "the same name composed and not": (
        [Member("가.jpg".encode(), JPEG, flags=1 << 11), Member(b"\xe1\x84\x80\xe1\x85\xa1.jpg", JPEG, flags=1 << 11)],
        "twice",
    ),
}  # fmt: skip


@each("kind", REFUSED)
def test_a_hostile_zip_is_refused(tmp_path, kind):
    members, message = REFUSED[kind]
    with pytest.raises(PhotosRefused, match=message):
        open_photos(hostile_zips.write(tmp_path / "p.zip", members))


def test_a_million_and_one_entries_are_refused_before_they_are_read(tmp_path):
    path = hostile_zips.write_zip64(tmp_path / "p.zip", 1_000_001)
    tracemalloc.start()
    with pytest.raises(PhotosRefused, match="more than 1,000,000 files"):
        open_photos(path)
    assert tracemalloc.get_traced_memory()[1] < 2 * path.stat().st_size, (
        "each entry would be ten times as much"
    )
    tracemalloc.stop()


def test_a_directory_that_would_fill_the_memory_is_not_read(tmp_path):
    path = tmp_path / "p.zip"
    hostile_zips.write(path, [], count=1, directory_size=400 * MB)
    end = path.read_bytes()
    with path.open("wb") as file:
        file.truncate(400 * MB)
        file.seek(400 * MB)
        file.write(end)
    tracemalloc.start()
    with pytest.raises(PhotosRefused, match="more than"):
        open_photos(path)
    assert tracemalloc.get_traced_memory()[1] < 4 * MB
    tracemalloc.stop()


def test_a_directory_of_honest_size_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_sets, "MOST_FILES", 20)
    members = [Member(b"%d.jpg" % number, JPEG) for number in range(21)]
    # The end of the ZIP says 1: only the names themselves tell.
    with pytest.raises(PhotosRefused, match="more than 20 files"):
        open_photos(hostile_zips.write(tmp_path / "p.zip", members, count=1))


@each(
    "data",
    [
        b"",
        b"PK",
        b"PK\x05\x06",
        b"not a zip",
        b"PK\x05\x06" + b"\xff" * 18,
        os.urandom(3000),
        b"PK\x06\x06" * 90,
    ],
)
def test_what_is_no_zip_is_said_to_be_none(tmp_path, data):
    (tmp_path / "p.zip").write_bytes(data)
    with pytest.raises(PhotosRefused, match="cannot be read|more than"):
        open_photos(tmp_path / "p.zip")


def test_any_flipped_byte_is_refused_or_named(tmp_path):
    good = hostile_zips.write(
        tmp_path / "good.zip", [Member(b"0.jpg", JPEG, 8), Member(b"1.jpg", JPEG)]
    ).read_bytes()
    places = [*range(64), *range(64, len(good) - 200, len(good) // 40), *range(len(good) - 200, len(good))]
    for place in places:
        data = bytearray(good)
        data[place] ^= 0xFF
        (tmp_path / "p.zip").write_bytes(data)
        try:
            photos = open_photos(tmp_path / "p.zip")
        except PhotosRefused:
            continue
        for name in photos.names:
            try:
                assert photos.read(name, 25 * MB) == JPEG
            except (Unreadable, FileTooLarge):
                continue
        photos.close()


LIES = {
    "smaller than it is": Member(b"0.jpg", bytes(3 * MB), 8, said_size=1000),
    "larger than it is": Member(b"0.jpg", JPEG, said_size=len(JPEG) + 50),
    "wrong checksum": Member(b"0.jpg", JPEG, crc=1),
    "not deflated at all": Member(b"0.jpg", JPEG, 8, crc=5),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_about_one_file_makes_that_file_unreadable(tmp_path, kind):
    photos = open_photos(hostile_zips.write(tmp_path / "p.zip", [LIES[kind]]))
    with pytest.raises(Unreadable):
        photos.read("0.jpg", 25 * MB)


def test_a_file_that_says_to_be_too_large_is_not_unpacked(tmp_path):
    photos = open_photos(hostile_zips.write(tmp_path / "p.zip", [Member(b"0.jpg", bytes(26 * MB))]))
    with pytest.raises(FileTooLarge):
        photos.read("0.jpg", 25 * MB)


NAMES = {
    "hangul, utf-8 marked": (Member("환자.jpg".encode(), JPEG, flags=1 << 11), "환자.jpg"),
    "hangul, utf-8 unmarked": (Member("환자.jpg".encode(), JPEG), "환자.jpg"),
    "hangul, cp949": (Member("환자.jpg".encode("cp949"), JPEG), "환자.jpg"),
    "hangul decomposed": (Member(b"\xe1\x84\x80\xe1\x85\xa1.jpg", JPEG, flags=1 << 11), "가.jpg"),
    "300 characters": (Member(b"a" * 296 + b".jpg", JPEG), "a" * 296 + ".jpg"),
    "folders of windows": (Member(b"a\\b.JPG", JPEG), "a/B.jpg"),
    "dots before": (Member(b"./a.jpg", JPEG), "a.jpg"),
    "line end": (Member(b"a\r\nb.jpg", JPEG), "a\r\nb.jpg"),
    "data descriptor": (Member(b"a.jpg", JPEG, flags=8), "a.jpg"),
}


@each("kind", NAMES)
def test_unusual_names_are_found(tmp_path, kind):
    member, wanted = NAMES[kind]
    photos = open_photos(hostile_zips.write(tmp_path / "p.zip", [member]))
    assert photos.read(photos.find(wanted), 25 * MB) == JPEG


def test_what_is_no_photo_is_passed_over(tmp_path):
    members = [
        Member(b"__MACOSX/._0.jpg", b"x"), Member(b".hidden.jpg", b"x"), Member(b"notes.txt", b"x"),
        Member(b"sub/", b""), Member(b"0.jpg", JPEG),
    ]  # fmt: skip
    assert open_photos(hostile_zips.write(tmp_path / "p.zip", members)).names == ["0.jpg"]


@pytest.fixture
def several(tmp_path):
    for name in ("a/0.jpg", "b/0.jpg", "0.jpg", "c/1.jpg", "d/1.jpg", "2.jpg", "2.png", "e/X.JPG", "e/x.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    return open_photos(tmp_path)


@each("wanted, found", [
    ("0.jpg", "0.jpg"), ("a/0.jpg", "a/0.jpg"), ("a\\0.JPG", "a/0.jpg"), ("b/0", "b/0.jpg"), ("2.png", "2.png"),
    ("e/X.JPG", "e/X.JPG"), ("e/x.jpg", "e/x.jpg"), ("9.jpg", None), ("", None), ("../0.jpg", None),
    ("/etc/passwd", None),
])  # fmt: skip
def test_a_path_finds_exactly_its_photo(several, wanted, found):
    assert several.find(wanted) == found


@pytest.mark.parametrize("wanted", ["1.jpg", "1", "2", "e/X.jpg", "x.jpg"])
def test_a_name_that_several_photos_have_finds_none_of_them(several, wanted):
    with pytest.raises(Ambiguous):
        several.find(wanted)


def test_a_name_on_disk_that_is_no_text_is_refused(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.jpg", "wb") as file:
        file.write(JPEG)
    with pytest.raises(PhotosRefused, match="not text"):
        open_photos(tmp_path)


def test_links_devices_and_pipes_in_a_folder_are_passed_over(tmp_path):
    (tmp_path / "link.jpg").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "0.jpg").write_bytes(JPEG)
    assert open_photos(tmp_path).names == ["0.jpg"]


def test_a_folder_or_file_that_is_gone(tmp_path):
    with pytest.raises(PhotosRefused, match="neither a folder nor a file"):
        open_photos(tmp_path / "gone")
    photos = open_photos(table_files.photos(tmp_path / "p", 1))
    (tmp_path / "p" / "0.jpg").unlink()
    with pytest.raises(Unreadable, match="^No such file or directory$"):
        photos.read("0.jpg", MB)
