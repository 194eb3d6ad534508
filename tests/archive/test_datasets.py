"""Datasets from draft to frozen version, their checks, differences, summaries and exports."""

import csv
import io
import json
import statistics
import zipfile
from datetime import date

import pytest
from django.core.management import call_command

from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair, Entry, Import
from skinclinic.archive.services import checks, datasets, differences, export, freezing, summary
from skinclinic.models import Lesion
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(clinic, curator):
    """Six accepted photos of three patients: bcc, bcc, mm, mm, sk and a background disease."""
    rows = []
    for n, label in enumerate(["bcc", "bcc", "mm", "mm", "sk", "Rosacea"]):
        code = f"P-{n // 2}"
        patient = _patient(clinic, code, n)
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, site="cheek", is_archived=True)
        photo = factories.make_photo(clinic, curator, seed=n, lesion=lesion)
        rows.append(
            factories.make_entry(
                photo, curator, label=label, age=40 + n, is_proven=n != 4, taken_on=date(2010 + n, 5, 1),
                review="accepted", text="=1+1" if n == 0 else "",
            )
        )  # fmt: skip
    return rows


def _patient(clinic, code, n):
    from skinclinic.models import Patient

    return Patient.objects.get_or_create(
        clinic=clinic, code=code, defaults={"sex": "male" if n < 2 else "female", "ethnicity": "Asian"}
    )[0]


@pytest.fixture
def draft(clinic, curator, entries):
    version = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(version, Entry.objects.filter(clinic=clinic))
    return version


@pytest.fixture
def frozen(draft, curator):
    datasets.split(draft, "time", 0.67)
    return freezing.freeze(draft, curator, verify=True)


def check(version, key, **options):
    return next(found for found in checks.of(version, **options) if found.key == key)


def test_members_are_snapshots(draft, entries):
    item = draft.items.get(entry=entries[0])
    assert (item.label, item.sex, item.site, item.age) == ("bcc", "male", "cheek", 40)
    assert item.content_sha256 == entries[0].content_sha256
    assert len(set(draft.items.values_list("person", flat=True))) == 3


def test_a_frozen_version_refuses_every_change(frozen, curator):
    item = frozen.items.first()
    everything = Entry.objects.all()
    for change in (
        lambda: datasets.set_members(frozen, everything),
        lambda: datasets.add(frozen, everything),
        lambda: datasets.remove(frozen, [item.pk]),
        lambda: datasets.relabel(item, "mm"),
        lambda: datasets.refresh(frozen),
        lambda: datasets.split(frozen, "random", 0.5),
        lambda: datasets.discard(frozen),
        lambda: freezing.freeze(frozen, curator),
    ):
        with pytest.raises(datasets.Refused):
            change()


def test_other_clinics_photos_never_become_members(draft, other_clinic, outsider):
    factories.make_entry(factories.make_photo(other_clinic, outsider, seed=50), outsider)
    datasets.set_members(draft, Entry.objects.all())
    assert draft.items.count() == 6


def test_the_fingerprint_does_not_depend_on_order(frozen):
    members = list(frozen.items.values_list("content_sha256", "label", "split"))
    assert freezing.fingerprint(reversed(members)) == frozen.sha256
    assert freezing.fingerprint(members[1:]) != frozen.sha256
    assert frozen.provenance[0]["count"] == 6


def test_rejected_members_and_missing_files_prevent_freezing(draft, entries, curator):
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    with pytest.raises(datasets.Refused, match="1 photo was rejected"):
        freezing.freeze(draft, curator)
    assert not check(draft, "rejected").passed
    Entry.objects.filter(pk=entries[0].pk).update(review="accepted")
    from skinclinic.services import files

    files.path_of(entries[1].photo.file_key).unlink()
    with pytest.raises(datasets.Refused, match="gone"):
        freezing.freeze(draft, curator)


def test_a_new_version_shows_what_is_different(frozen, curator):
    new = datasets.new_version(frozen.dataset, curator)
    assert datasets.new_version(frozen.dataset, curator) == new
    assert freezing.fingerprint_of(new) == frozen.sha256
    first, last = new.items.first(), new.items.last()
    datasets.relabel(first, "scc")
    DatasetItem.objects.filter(pk=last.pk).delete()
    found = differences.between(frozen, new)
    assert {name: change.count for name, change in found.items()} == {
        "added": 0, "removed": 1, "relabelled": 1, "moved": 0
    }  # fmt: skip
    assert found["relabelled"].items[0].was.label == "bcc"
    datasets.discard(new)
    assert frozen.dataset.versions.count() == 1


def test_summary_counts_like_the_table(draft, django_assert_num_queries):
    with django_assert_num_queries(5):
        found = summary.of(draft)
    ages = [40, 41, 42, 43, 44, 45]
    assert (found.all.images, found.proven.images, found.all.patients) == (6, 5, 3)
    assert found.all.age_mean == pytest.approx(statistics.mean(ages), rel=1e-12)
    assert found.all.age_sd == pytest.approx(statistics.stdev(ages), rel=1e-12)
    assert found.all.male_percent == pytest.approx(100 / 3)
    assert list(found.classes)[:2] == ["bcc", "scc"] and found.classes["sk"] == (1, 0)
    assert found.others == {"Rosacea": (1, 1)} and found.others_total == (1, 1)
    assert found.ethnicity == {"Asian": 6}


def test_checks_name_the_photos_behind_them(frozen, entries, clinic):
    assert all(found.passed for found in checks.of(frozen))
    # What the software itself never does is put in by hand.
    item = frozen.items.get(entry=entries[5])
    other = frozen.items.get(entry=entries[0])
    DatasetItem.objects.filter(pk=item.pk).update(person=other.person, split="test", phash=other.phash)
    DatasetItem.objects.filter(pk=other.pk).update(split="train", subtype="nodular")
    Entry.objects.filter(pk=entries[2].pk).update(label="nevus", review="pending")
    failed = {found.key: found for found in checks.of(frozen, minimum=2) if not found.passed}
    assert item in failed["patients"].items and item in failed["near"].items
    assert [row.entry for row in failed["labels"].items] == [entries[2]]
    assert [row.entry for row in failed["subtypes"].items] == [entries[1]]
    assert set(failed) >= {"minimum", "reviewed"}
    DuplicatePair.objects.create(clinic=clinic, first=entries[3], second=entries[4], distance=1)
    assert {row.entry for row in check(frozen, "undecided").items} == {entries[3], entries[4]}


def rows_of(data: bytes):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_zip_holds_photos_and_words_and_no_person(frozen):
    data = b"".join(export.stream(frozen, export.Options(isic=True)))
    assert data == b"".join(export.stream(frozen, export.Options(isic=True)))
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    rows = rows_of(archive.read("photos.csv"))
    assert len(rows) == 6 and {row["label"] for row in rows} == {"bcc", "mm", "sk", "Rosacea"}
    from skinclinic import imaging

    assert all(imaging.sha256(archive.read(row["file"])) == row["sha256"] for row in rows)
    assert "'=1+1" in {row["text"] for row in rows}
    isic = rows_of(archive.read("isic.csv"))
    assert {row["age_approx"] for row in isic} == {"40", "45"}
    assert json.loads(archive.read("dataset.json"))["sha256"] == frozen.sha256
    text = b"".join(archive.read(name) for name in ("photos.csv", "isic.csv", "dataset.json"))
    for secret in (b"P-0", b"lesion.jpg", b"2012-05", b"photo-"):
        assert secret not in text


def test_a_folder_export_goes_on_where_it_stopped(frozen, tmp_path, capsys):
    out = tmp_path / "out"
    call_command("export_dataset", "Tumours", out=out)
    photos = sorted((out / "photos").iterdir())
    photos[0].write_bytes(b"half")
    photos[1].unlink()
    call_command("export_dataset", "Tumours", out=out)
    assert "2 written now" in capsys.readouterr().out
    call_command("export_dataset", "Tumours", out=tmp_path / "x.zip", thumbnails=True)
    assert len(zipfile.ZipFile(tmp_path / "x.zip").namelist()) == 8


def test_drafts_are_not_exported(draft):
    with pytest.raises(datasets.Refused):
        next(export.stream(draft, export.Options()))


def test_an_import_becomes_a_dataset_once(clinic, curator, entries):
    source = entries[0].source
    row = Import.objects.create(
        clinic=clinic, name="New", format="csv", photos="", source=source, role="test"
    )
    dataset = datasets.from_import(row)
    assert datasets.from_import(row) == dataset and dataset.role == "test"
    draft = dataset.versions.get()
    assert draft.items.count() == 6
    freezing.freeze(draft, curator)
    datasets.from_import(row)
    assert dataset.versions.count() == 1
    factories.make_entry(factories.make_photo(clinic, curator, seed=80), curator, source=source)
    datasets.from_import(row)
    assert dataset.versions.count() == 2
    assert dataset.versions.get(state=DatasetVersion.State.DRAFT).items.count() == 7
