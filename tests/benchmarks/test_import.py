"""What importing real photos costs beside a plain decode and thumbnail of the same files by Pillow."""

import time
from io import BytesIO

import pytest
from PIL import Image

from skinclinic.archive.services import imports


@pytest.mark.photos
def test_importing_beside_plain_decoding(real_photos, clinic, curator):
    paths = sorted((real_photos / "images").rglob("*.jpg"))
    started = time.process_time()
    for path in paths:
        with Image.open(path) as image:
            image.convert("RGB").thumbnail((384, 384))
            image.save(BytesIO(), "JPEG")
    plain = time.process_time() - started
    row = imports.begin(
        clinic=clinic, user=curator, name="PAD", format="pad-ufes-20", role="both",
        photos=str(real_photos / "images"), metadata=str(real_photos / "metadata.csv"),
    )  # fmt: skip
    started = time.process_time()
    imports.request_check(row)
    imports.run_check(row)
    checked = time.process_time() - started
    assert row.state == "ready", row.report
    imports.request_write(row)
    imports.run_write(row)
    both = time.process_time() - started
    print(f"{len(paths)} photos: plain {plain:.1f} s, check {checked:.1f} s, check and write {both:.1f} s")
    assert row.state == "done" and row.written == row.total
    assert both < 10 * plain
