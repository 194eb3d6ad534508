"""Folders, tables and ZIPs for import tests."""

import csv
import io
import zipfile
from pathlib import Path

from tests.factories import jpeg_bytes

HEADER = ["image", "diagnosis", "patient"]
COLUMNS = {"file": "image", "label": "diagnosis", "patient": "patient"}


def photos(folder: Path, count: int = 3) -> Path:
    """A folder with 0.jpg, 1.jpg …"""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(jpeg_bytes(number, 160, 128))
    return folder


def table(path: Path, rows, header=HEADER, *, encoding="utf-8", delimiter=",") -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([header, *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def three(path: Path, **keywords) -> Path:
    """The table of ``photos``: two of one patient, one of another."""
    return table(path, [["0.jpg", "bcc", "A"], ["1.jpg", "mm", "A"], ["2.jpg", "nevus", "B"]], **keywords)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path
