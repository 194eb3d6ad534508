"""A lesion that a source names is one lesion here, however its photos come."""

import pytest

from skinclinic.archive.models import Entry, Import, Source
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing import write as import_write
from skinclinic.engine import jobs
from skinclinic.models import Lesion
from tests.archive import import_runs, table_files

pytestmark = pytest.mark.django_db
COLUMNS = {"file": "image_id", "label": "dx", "lesion": "lesion_id"}
HEADER = ["image_id", "dx", "lesion_id"]
WITH_PATIENT = {**COLUMNS, "patient": "patient_id"}


@pytest.fixture
def begin(clinic, curator, tmp_path):
    photos = table_files.photos(tmp_path / "photos", 6)

    def make(rows, columns=COLUMNS, header=HEADER, name="Dermoscopy release"):
        table = table_files.table(tmp_path / f"{Import.objects.count()}.csv", rows, header=header)
        row = imports.begin(
            clinic=clinic, user=curator, name=name, format="csv", role="both", photos=str(photos),
            metadata=str(table), columns=columns,
        )  # fmt: skip
        import_runs.checked(row)
        assert row.state == Import.State.READY, row.report
        return row

    return make


def write(row: Import) -> Import:
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    return row


def lesions() -> dict[str, int]:
    """{photo: its lesion}"""
    return dict(Entry.objects.values_list("external_id", "photo__lesion"))


def test_photos_of_one_lesion_in_two_imports_share_it(begin):
    write(begin([["0.jpg", "nevus", "HAM_1"], ["1.jpg", "mm", "HAM_2"]]))
    write(begin([["2.jpg", "nevus", "HAM_1"], ["3.jpg", "mm", "HAM_2"], ["4.jpg", "mm", "HAM_3"]]))
    found = lesions()
    assert found["0.jpg"] == found["2.jpg"] and found["1.jpg"] == found["3.jpg"]
    assert len(set(found.values())) == Lesion.objects.count() == 3


def test_a_source_that_was_renamed_meanwhile_keeps_its_lesions(begin, clinic):
    write(begin([["0.jpg", "nevus", "HAM_1"]]))
    source = Source.objects.get(clinic=clinic)
    row = begin([["1.jpg", "nevus", "HAM_1"]])
    Source.objects.filter(pk=source.pk).update(name="HAM10000")
    write(row)
    assert len(set(lesions().values())) == 1


@pytest.mark.parametrize("how", ["pause", "kill"])
def test_a_pause_or_a_kill_between_them_parts_no_lesion(begin, monkeypatch, how):
    row = begin(
        [["0.jpg", "nevus", "A"], ["1.jpg", "nevus", "A"], ["2.jpg", "mm", "B"], ["3.jpg", "mm", "B"]]
    )
    real = import_write._Writer.store

    def one_photo(self, group):
        if how == "kill" and Entry.objects.exists():
            raise SystemExit
        real(self, group)
        imports.pause(Import.objects.get(pk=row.pk))

    imports.request_write(row)
    with monkeypatch.context() as patched:
        patched.setattr(import_write, "AT_ONCE", 1)
        patched.setattr(import_write._Writer, "store", one_photo)
        if how == "kill":
            patched.setattr(imports, "pause", lambda row: None)
        try:
            jobs.run_waiting(imports.WRITE_JOB)
        except SystemExit:
            _forget_worker()
    assert Entry.objects.count() == 1
    row.refresh_from_db()
    if how == "pause":
        imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    found = lesions()
    assert found["0.jpg"] == found["1.jpg"] != found["2.jpg"] == found["3.jpg"]


def _forget_worker():
    from skinclinic.models import Job

    Job.objects.filter(kind=imports.WRITE_JOB, state="running").update(lease_until="2020-01-01T00:00:00Z")


def test_numbers_that_patients_share_are_lesions_of_each(begin):
    header = [*HEADER, "patient_id"]
    write(begin([["0.jpg", "nevus", "1", "P1"], ["1.jpg", "nevus", "1", "P2"]], WITH_PATIENT, header))
    write(begin([["2.jpg", "nevus", "1", "P1"], ["3.jpg", "nevus", "1", "P3"]], WITH_PATIENT, header))
    found = lesions()
    assert found["0.jpg"] == found["2.jpg"]
    assert len(set(found.values())) == 3


def test_another_source_means_other_lesions_by_the_same_name(begin):
    write(begin([["0.jpg", "nevus", "1"]]))
    write(begin([["1.jpg", "nevus", "1"]], name="Another archive"))
    write(begin([["2.jpg", "nevus", ""], ["3.jpg", "nevus", ""]]))
    assert len(set(lesions().values())) == 4


def test_an_upgrade_reads_the_names_of_lesions_from_their_notes(begin):
    from importlib import import_module
    from pathlib import Path

    from django.apps import apps
    from django.db import connection

    from skinclinic.archive import migrations

    write(begin([["0.jpg", "nevus", "HAM_1"], ["1.jpg", "nevus", ""]]))
    Entry.objects.update(source_lesion="")
    (found,) = Path(migrations.__file__).parent.glob("*_lesions_of_sources.py")
    import_module(f"{migrations.__name__}.{found.stem}").read_notes(apps, connection.schema_editor())
    assert dict(Entry.objects.values_list("external_id", "source_lesion")) == {"0.jpg": "HAM_1", "1.jpg": ""}
    write(begin([["2.jpg", "nevus", "HAM_1"]]))
    assert lesions()["2.jpg"] == lesions()["0.jpg"]
