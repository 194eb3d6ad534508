"""Photos of every kind that is read come in, with what was changed in them and the camera's day."""

from datetime import date

import pytest
from django.urls import reverse

from skinclinic.archive.management import report_lines
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs
from skinclinic.models import Photo
from tests import charts, photo_bytes
from tests.archive import import_runs

pytestmark = pytest.mark.django_db


def test_avif_tiff_and_hdr_in_a_folder_per_disease(clinic, curator, client_for, tmp_path):
    client = client_for(curator)
    folder = tmp_path / "photos" / "nevus"
    folder.mkdir(parents=True)
    picture = photo_bytes.lesion()
    dated = photo_bytes.telling_exif(taken="2021-07-08T23:30:11+02:00")
    wide = charts.pq(charts.light(charts.PATCHES) @ charts.TO_2020.T)
    files = {
        "a.avif": photo_bytes.encoded(picture, "AVIF", exif=dated),
        "b.tif": photo_bytes.encoded(photo_bytes.lesion(seed=1), "TIFF"),
        "c.HIF": charts.in_heic(wide, 9, 16),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    row = imports.begin(
        clinic=clinic, user=curator, name="Kinds", format="folder", role="both", photos=str(folder.parent),
        metadata="", columns={},
    )  # fmt: skip
    import_runs.checked(row)
    assert row.state == Import.State.READY, row.report
    assert row.report["photo_notes"] == {"hdr_to_srgb": {"count": 1, "names": ["nevus/c.HIF"]}}
    assert "high dynamic range" in client.get(reverse("import", args=[row.pk])).content.decode()
    assert any("1 photos: The photo was in high dynamic range" in line for line in report_lines.told(row, []))
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    assert [photo.source_format for photo in Photo.objects.order_by("original_name")] == [
        "AVIF",
        "TIFF",
        "HEIF",
    ]
    hdr = Photo.objects.get(source_format="HEIF")
    assert hdr.notes == ["hdr_to_srgb"]
    first = Entry.objects.get(photo__source_format="AVIF")
    assert first.photo.taken == "2021-07-08T23:30:11+02:00" and first.taken_on == date(2021, 7, 8)
