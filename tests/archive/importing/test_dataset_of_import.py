"""What an import makes of its dataset."""

import pytest

from skinclinic.archive.models import DatasetVersion, Entry, Import
from skinclinic.archive.services.datasets import dividing, freezing
from skinclinic.archive.services.importing import dataset as dataset_of_import
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(clinic, curator, entries):
    return Import.objects.create(
        clinic=clinic, name="New", format="csv", photos="", source=entries[0].source, role="test",
        created_by=curator,
    )  # fmt: skip


def lines(rows, **fields) -> list[dict]:
    return [
        {"external_id": entry.external_id, "upload_sha256": entry.photo.sha256, "label": entry.label} | fields
        for entry in rows
    ]


def fill(row: Import, plan: list[dict]):
    return dataset_of_import.fill(row, dict(dataset_of_import.told_by(row, plan)))


def test_an_import_becomes_a_dataset_once(row, clinic, curator, entries):
    dataset = fill(row, lines(entries))
    assert fill(row, lines(entries)) == dataset and dataset.role == "test"
    draft = dataset.versions.get()
    assert draft.items.count() == 6
    freezing.freeze(draft, curator)
    fill(row, lines(entries))
    assert dataset.versions.count() == 1
    more = factories.make_entry(
        factories.make_photo(clinic, curator, seed=80), curator, source=entries[0].source
    )
    fill(row, lines([*entries, more]))
    assert dataset.versions.count() == 2
    assert dataset.versions.get(state=DatasetVersion.State.DRAFT).items.count() == 7


def test_labels_and_sides_are_the_tables(row, entries):
    draft = fill(row, lines(entries, label="wart", split="test")).versions.get()
    assert set(draft.items.values_list("label", "split")) == {("wart", "test")}
    assert draft.split["said"] == {"method": "stated", "train": 0, "test": 6}


def test_a_table_without_sides_leaves_a_split_made_here(row, entries):
    draft = fill(row, lines(entries)).versions.get()
    dividing.split(draft, "patient", 0.5)
    before = sorted(draft.items.values_list("entry", "split"))
    fill(row, lines(entries, label="wart"))
    assert sorted(draft.items.values_list("entry", "split")) == before
    assert set(draft.items.values_list("label", flat=True)) == {"wart"}


def test_rejected_photos_stay_out(row, entries):
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    assert fill(row, lines(entries)).versions.get().items.count() == 5
