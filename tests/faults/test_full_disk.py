"""A disk that is really full (a small file system in memory) at an upload, an import, freezing and an export: the user
is told, nothing is half stored, and once there is room everything is stored, once."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.datasets import freezing
from skinclinic.archive.services.exporting import export
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs
from skinclinic.models import Photo
from tests import factories
from tests.archive import import_runs, table_files
from tests.archive.conftest import draft, entries, frozen  # noqa: F401
from tests.folders import full_after, stored_files

pytestmark = pytest.mark.django_db
SIZE_MB = 8


class Disk:
    """The file system of the home."""

    def __init__(self, folder: Path, is_real: bool):
        self.folder, self.is_real = folder, is_real

    @contextmanager
    def full(self, left: int = 0, files: int = 0) -> Iterator[None]:
        """No room but for ``left`` bytes; where none could be mounted, for so many ``files`` more."""
        with ExitStack() as stack:
            if self.is_real:
                filler = self.folder / "filler"
                stack.callback(filler.unlink)
                with filler.open("wb", buffering=0) as file:
                    try:
                        while file.write(b"\0" * 4096):
                            pass
                    except OSError as error:
                        assert error.errno == errno.ENOSPC
                    file.truncate(max(file.tell() - left, 0))
            else:
                stack.enter_context(full_after(len(stored_files()) + files))
            yield


@pytest.fixture
def disk(home) -> Iterator[Disk]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=700", "tmpfs", str(home)]
    # Where nobody may mount, writing is refused in the same way.
    is_real = subprocess.run(mount, capture_output=True).returncode == 0
    yield Disk(home, is_real)
    if is_real:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


def test_an_upload_is_refused_in_words_and_taken_once_there_is_room(
    disk, client_for, clinician, model_version
):
    client = client_for(clinician)

    def send():
        file = SimpleUploadedFile("lesion.jpg", factories.jpeg_bytes(1), "image/jpeg")
        return client.post("/api/v1/photos/", {"file": file})

    with disk.full(left=4096):
        answer = send()
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
        assert answer["Retry-After"] and str(disk.folder) not in answer.content.decode()
        assert Photo.objects.count() == 0 and stored_files() == []
    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 200)
    assert Photo.objects.count() == 1 and len(stored_files()) == 2


def test_an_import_stops_where_the_disk_is_full_and_goes_on_from_there(disk, clinic, curator, tmp_path):
    rows = [[f"{n}.jpg", label, f"P{n}"] for n, label in enumerate(("bcc", "mm", "nevus"))]
    table = table_files.table(tmp_path / "t.csv", rows, header=["image", "diagnosis", "patient"])
    row = imports.begin(
        clinic=clinic, user=curator, name="A", format="csv", role="both",
        photos=str(table_files.photos(tmp_path / "photos")), metadata=str(table), columns=table_files.COLUMNS,
    )  # fmt: skip
    import_runs.checked(row)
    assert row.state == "ready", row.report
    with disk.full(left=4096):
        _write(row)
        assert row.state not in ("done", "running") and row.error and str(disk.folder) not in row.error
        before = Photo.objects.count()
        assert before < 3 and len(stored_files()) == 2 * before
    _write(row)
    assert row.state == "done", row.error
    assert Entry.objects.count() == Photo.objects.count() == 3 and len(stored_files()) == 6


def _write(row: Import) -> None:
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()


def test_freezing_needs_no_room(disk, draft, curator):  # noqa: F811
    with disk.full():
        assert freezing.freeze(draft, curator, verify=True).frozen_at


def test_an_export_that_finds_no_room_leaves_no_file(disk, frozen):  # noqa: F811
    target = disk.folder / "out.zip"
    with disk.full(), pytest.raises(OSError):
        export.to_file(frozen, target, export.Options())
    assert not list(disk.folder.glob("out*"))
    export.to_file(frozen, target, export.Options())
    assert target.stat().st_size > 1000
