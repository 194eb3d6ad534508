"""Which files among photos are photos: by content, whatever they are called."""

from pathlib import PurePosixPath

import pytest

from skinclinic.imaging import file_kinds
from tests.cases import each
from tests.factories import jpeg_bytes

JPEG = jpeg_bytes(0, 80, 80)
KINDS = {
    "nevus/a": (JPEG, ""), "a.jpe": (JPEG, ""), "b.jfif": (JPEG, ""), "c.txt": (JPEG, ""),
    "A1mask.png": (JPEG, file_kinds.MASK), "ISIC_1_superpixels.png": (JPEG, file_kinds.MASK),
    "x/ISIC_1_segmentation.png": (JPEG, file_kinds.MASK), "masks/1.png": (JPEG, file_kinds.MASK),
    "unmasked lesion.jpg": (JPEG, ""), "notes.jpg": (b"no photo at all, but text", "a text file"),
    "empty.jpg": (b"", file_kinds.EMPTY), "d.dcm": (bytes(128) + b"DICM", "a DICOM file"),
}  # fmt: skip


@each("name", KINDS)
def test_content_decides(name):
    start, kind = KINDS[name]
    assert file_kinds.by_content(PurePosixPath(name), start) == kind


@each("name", ["._IMG.jpg", ".DS_Store", "Thumbs.db", "__MACOSX/a.jpg", ".cache/a.jpg", "@eaDir/a.jpg"])
def test_files_of_the_system_are_hidden(name):
    assert file_kinds.by_name(PurePosixPath(name)) == file_kinds.HIDDEN


@pytest.mark.parametrize("name", ["a.jpg", "2024.05.03/a.jpg"])
def test_others_are_looked_into(name):
    assert file_kinds.by_name(PurePosixPath(name)) == ""
