"""Exports that cannot be whole: refused or broken off, with nothing left that looks like one."""

import pytest
from django.urls import reverse

from skinclinic.archive.services.exporting import export
from skinclinic.files import store
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_version_whose_file_is_gone_is_not_exported(client_for, curator, frozen, tmp_path):
    item = frozen.items.first()
    store.path_of(item.entry.photo.file_key).unlink()
    answer = client_for(curator).get(reverse("dataset-export", args=[frozen.pk]), follow=True)
    assert f"The file of photo {item.content_sha256[:16]} is gone" in answer.content.decode()
    with pytest.raises(Refused):
        export.to_folder(frozen, tmp_path / "out", export.Options())
    left = {path.stem for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert item.content_sha256 not in left and not list(tmp_path.rglob("*.part"))
    with pytest.raises(Refused):
        export.to_file(frozen, tmp_path / "out.zip", export.Options())
    assert not list(tmp_path.glob("out.zip*"))


def test_a_file_that_was_altered_is_not_exported_as_what_was_frozen(frozen, tmp_path):
    item = frozen.items.first()
    store.path_of(item.entry.photo.file_key).write_bytes(factories.jpeg_bytes(99))
    with pytest.raises(Refused, match=item.content_sha256[:16]):
        export.to_file(frozen, tmp_path / "out.zip", export.Options())
    assert not list(tmp_path.glob("out*"))


def test_the_disk_is_full_during_an_export(frozen, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(export.zip_stream, "chunks", full)
    with pytest.raises(OSError):
        export.to_file(frozen, tmp_path / "out.zip", export.Options())
    assert not list(tmp_path.glob("out*"))
