"""What describes an export to programs: Croissant, the datasheet, the ISIC Archive's columns; and the way back."""

import csv
import json
import logging
import re
import shutil
import zipfile
from collections import Counter

import mlcroissant
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from skinclinic.archive.formats import isic_fields
from skinclinic.archive.models import Dataset, DatasetItem, DatasetVersion, Entry, Import, Source
from skinclinic.archive.services.datasets import datasets, large
from skinclinic.archive.services.exporting import export
from skinclinic.models import AuditEvent, Photo
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import sites
from tests import factories

pytestmark = pytest.mark.django_db

MAP = {"labels": {"Rosacea": "Rosacea"}}
SAID = {
    "concomitant_biopsy": "True", "image_manipulation": "altered", "clin_size_long_diam_mm": "4.5",
    "dermoscopic_type": "contact polarized", "mel_thick_mm": "0.8",
}  # fmt: skip


@pytest.fixture
def folder(frozen, tmp_path):
    """The export of the frozen version, of a source with a licence."""
    source = {
        "name": "Test archive",
        "licence": "CC BY 4.0",
        "citation": "Doe 2026",
        "url": "https://example.org/a",
    }
    DatasetVersion.objects.filter(pk=frozen.pk).update(provenance=[source])
    call_command("export_dataset", "Tumours", out=tmp_path / "out")
    return tmp_path / "out"


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_in(folder, clinic, tmp_path, *, kind, name="Tumours"):
    """Import what was exported into another clinic, in which nobody knows the other diagnosis yet."""
    (tmp_path / "map.json").write_text(json.dumps(MAP))
    call_command(
        "import_dataset", name, photos=folder, format=kind, clinic=clinic.slug, map=tmp_path / "map.json"
    )
    return Dataset.objects.get(clinic=clinic, name=name).versions.get()


def told(version, *fields):
    return list(version.items.order_by("content_sha256").values_list("content_sha256", *fields))


def test_croissant_is_valid_and_its_records_are_the_photos_with_their_labels(frozen, folder, caplog):
    with caplog.at_level(logging.WARNING):
        described = mlcroissant.Dataset(folder / "croissant.json")
        records = list(described.records("photos"))
    assert not described.metadata.ctx.issues.errors and not described.metadata.ctx.issues.warnings
    assert not caplog.records
    labels = Counter(record["photos/label"].decode() for record in records)
    assert labels == Counter(frozen.items.values_list("label", flat=True)) and len(records) == 6
    assert all(record["photos/image"].size == (320, 256) for record in records)
    names = {str(one["labels/key"]): str(one["labels/name"]) for one in described.records("labels")}
    assert names["bcc"] == "Basal cell carcinoma" and set(names) == set(labels)
    assert (described.metadata.license, described.metadata.cite_as) == (["CC BY 4.0"], "Doe 2026")


def test_a_croissant_folder_comes_back_as_the_same_dataset(frozen, folder, other_clinic, tmp_path, capsys):
    shutil.make_archive(str(tmp_path / "out"), "zip", tmp_path, "out")
    there = read_in(tmp_path / "out.zip", other_clinic, tmp_path, kind="croissant")
    fields = ("label", "split", "subtype", "age", "sex", "site", "kind", "is_proven", "tags", "is_synthetic")
    assert told(there, *fields) == told(frozen, *fields)
    assert there.items.values("person").distinct().count() == 3
    source = Source.objects.get(clinic=other_clinic, name="Tumours")
    assert (source.licence, source.citation, source.url) == ("CC BY 4.0", "Doe 2026", "https://example.org/a")
    said = capsys.readouterr().out
    assert "columns kept as they are, read into no field: label_name, tier, year, day, source" in said


_TABLE = {"@id": "meta", "encodingFormat": "text/csv", "contentUrl": "photos.csv"}


def _foreign(folder, **changed):
    """Somebody else's description of the same folder: prefixed names, and more than is read."""
    values = {
        "cr:conformsTo": {"@id": "http://mlcommons.org/croissant/1.1"},
        "sc:distribution": [
            {"@id": "meta", "sc:encodingFormat": "text/csv", "sc:contentUrl": "photos.csv"},
            {"@id": "masks", "sc:encodingFormat": "application/zip", "sc:contentUrl": "masks.zip"},
        ],
        "cr:recordSet": [
            {
                "name": "images",
                "cr:field": [
                    {"name": name, "source": {"fileObject": {"@id": "meta"}, "extract": {"column": column}}}
                    for name, column in (("image", "file"), ("diagnosis", "label"), ("gender", "sex"))
                ]
                + [
                    {
                        "name": "mask",
                        "source": {"fileObject": {"@id": "masks"}, "extract": {"fileProperty": "content"}},
                    }
                ],
            },
            {"name": "boxes", "field": [{"name": "box"}]},
        ],
    }
    (folder / "croissant.json").write_text(json.dumps(values | changed))


def test_of_another_description_what_is_not_taken_over_is_counted_and_named(
    frozen, folder, other_clinic, tmp_path, capsys, client_for, outsider
):
    _foreign(folder)
    there = read_in(folder, other_clinic, tmp_path, kind="croissant")
    assert told(there, "label", "sex") == told(frozen, "label", "sex")
    said = capsys.readouterr().out
    assert "described, not taken over, a record set: 1 (boxes)" in said
    assert "described, not taken over, a field without a column: 1 (mask)" in said
    assert "described, not taken over, a described file that is not read: 1 (masks)" in said
    row = Import.objects.get(clinic=other_clinic)
    page = client_for(outsider).get(f"/archive/imports/{row.pk}/").content.decode()
    assert "Described, not taken over: a record set" in page and "boxes" in page


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cr:conformsTo": "http://example.org/"}, "does not say that it conforms"),
        ({"cr:recordSet": []}, "describes 0 record sets"),
        ({"cr:recordSet": [[], None, {"field": 3}]}, "describes 0 record sets"),
        ({"sc:distribution": [_TABLE | {"contentUrl": "../x.csv"}]}, "0 record sets"),
        ({"sc:distribution": [_TABLE | {"contentUrl": "x.csv"}]}, "x.csv.*not there"),
        ({"sc:distribution": [_TABLE | {"sha256": "0" * 64}]}, "its SHA-256 is another"),
    ],
)  # fmt: skip
def test_a_description_that_does_not_fit_is_refused_with_what_to_do(
    folder, other_clinic, tmp_path, capsys, changed, message
):
    _foreign(folder, **changed)
    with pytest.raises(CommandError):
        read_in(folder, other_clinic, tmp_path, kind="croissant")
    assert re.search(message, capsys.readouterr().err)
    assert not Entry.objects.filter(clinic=other_clinic).exists()


def test_a_folder_without_a_description_or_with_a_damaged_one_is_refused(
    folder, other_clinic, tmp_path, capsys
):
    for text, message in ((None, "There is no croissant.json"), ("{", "is damaged")):
        (folder / "croissant.json").unlink()
        if text:
            (folder / "croissant.json").write_text(text)
        with pytest.raises(CommandError):
            read_in(folder, other_clinic, tmp_path, kind="croissant")
        assert message in capsys.readouterr().err
        (folder / "croissant.json").touch()


def test_isic_fields_come_in_stay_with_the_version_and_go_out_again(
    frozen, clinic, curator, other_clinic, tmp_path
):
    """What the ISIC Archive has a column for and this product no field: kept with the dataset's photo when it is put
    there, and exported with the lesion's other photos under one lesion_id."""
    one, other = frozen.items.exclude(label="Rosacea").order_by("pk")[:2]
    Entry.objects.filter(pk=one.entry_id).update(
        columns=SAID | {"doctor": "somebody"}, confirmed_by="histopathology"
    )
    Entry.objects.filter(pk=one.entry_id).update(
        label="mm", subtype="lentigo maligna", site="oral_or_genital"
    )
    one.entry.photo.kind = "dermoscopic"
    one.entry.photo.lesion = other.entry.photo.lesion
    one.entry.photo.save()
    draft = datasets.new_version(frozen.dataset, curator)
    datasets.refresh(draft)
    kept = draft.items.get(entry=one.entry_id)
    assert kept.isic == SAID
    DatasetVersion.objects.filter(pk=draft.pk).update(state="frozen", sha256="ab" * 32)
    call_command("export_dataset", "Tumours", out=tmp_path / "isic")
    rows = {row["isic_id"]: row for row in rows_of(tmp_path / "isic" / "isic.csv")}
    assert all((tmp_path / "isic" / "photos" / f"{name}.jpg").exists() for name in rows)
    row = rows[one.content_sha256]
    assert {name: row[name] for name in SAID if name != "image_manipulation"} == {
        name: value for name, value in SAID.items() if name != "image_manipulation"
    }
    assert row["image_type"] == "dermoscopic" and row["anatom_site_special"] == "oral or genital"
    assert row["lesion_id"] == rows[other.content_sha256]["lesion_id"] != ""
    assert [row[name] for name in isic_fields.DIAGNOSIS[:3]] == [
        "Malignant", "Malignant melanocytic proliferations (Melanoma)", "Melanoma, NOS",
    ]  # fmt: skip
    there = read_in(tmp_path / "isic", other_clinic, tmp_path, kind="isic-multi")
    back = there.items.get(content_sha256=one.content_sha256)
    assert {
        name: value for name, value in back.isic.items() if name in SAID and name != "image_manipulation"
    } == {name: value for name, value in SAID.items() if name != "image_manipulation"}
    fields = ("label", "split", "subtype", "sex", "site", "kind", "is_proven", "is_synthetic")
    assert told(there, *fields) == told(draft, *fields)
    lesions = Counter(there.items.values_list("lesion", flat=True))
    assert sorted(lesions.values()) == [1, 1, 1, 1, 2]


def test_each_disease_and_site_is_read_back_from_its_isic_levels():
    from skinclinic.archive.formats.columns import Reader
    from skinclinic.archive.formats.known_isic import ISIC
    from skinclinic.archive.formats.words import diseases

    for key in isic_fields._DISEASES:
        assert diseases.known(next(filter(None, reversed(isic_fields.diagnosis(key, {}))))) == (key, "")
    reader = Reader(ISIC, {}, {})
    for key, _name in sites.SITES:
        words = [isic_fields.special_site(key), isic_fields.general_site(key), *isic_fields.site(key)]
        read = [found for word in words if word and (found := reader.meaning("site", word))]
        # "other" is none of theirs.
        assert (read[-1] if read else "other") == key


def test_of_isic_columns_only_their_own_values_are_kept():
    said = {
        "concomitant_biopsy": "yes", "mel_ulcer": "maybe", "clin_size_long_diam_mm": "4.5 mm", "mel_thick_mm": "thin",
        "image_manipulation": "Altered", "diagnosis_4": "call 010-1234-5678", "acquisition_day": "12",
    }  # fmt: skip
    assert isic_fields.kept(said) == {
        "concomitant_biopsy": "True", "clin_size_long_diam_mm": "4.5", "image_manipulation": "altered",
        "acquisition_day": "12",
    }  # fmt: skip


def test_levels_of_a_source_stand_while_they_mean_the_label():
    said = {
        "diagnosis_1": "Malignant", "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)",
        "diagnosis_3": "Melanoma in situ", "diagnosis_4": "Melanoma in situ, Lentigo maligna type",
    }  # fmt: skip
    assert isic_fields.diagnosis("mm", said)[2] == "Melanoma in situ"
    # Somebody has corrected the label since.
    assert isic_fields.diagnosis("nevus", said)[2] == "Nevus"
    assert isic_fields.diagnosis("Rosacea", said) == [""] * 5


def test_the_datasheet_counts_and_says_what_nobody_has_stated(frozen, folder):
    sheet = json.loads((folder / "datasheet.json").read_text())
    assert sheet["schema"] == "skinclinic-datasheet/1" and sheet["sha256"] == frozen.sha256
    asked = {
        f"{section['key']}.{one['key']}": one for section in sheet["sections"] for one in section["questions"]
    }
    facts = asked["composition.instances"]["facts"]
    assert (facts["photos"], facts["patients"], facts["lesions"], facts["proven_photos"]) == (6, 3, 6, 5)
    labels = {one["label"]: one["photos"] for one in asked["composition.labels"]["facts"]}
    assert labels == {"bcc": 2, "mm": 2, "sk": 1, "Rosacea": 1}
    assert asked["distribution.licence"]["answer"] == "Test archive: CC BY 4.0"
    nobody = (
        "motivation.purpose",
        "motivation.funding",
        "collection.ethics",
        "uses.not_for",
        "maintenance.contact",
    )
    for key in nobody:
        assert (asked[key]["is_stated"], asked[key]["answer"], asked[key]["facts"]) == (False, None, None)


def test_words_that_were_searched_for_and_who_reviewed_stay_here(frozen, tmp_path):
    DatasetVersion.objects.filter(pk=frozen.pk).update(
        query={"q": "patient:P-77", "reviewer": "3", "proven": "yes"}
    )
    call_command("export_dataset", "Tumours", out=tmp_path / "out")
    text = (tmp_path / "out" / "datasheet.json").read_text()
    assert "P-77" not in text and '"also_by"' in text and '"proven": "yes"' in text
    frozen.dataset.description = "Ask me@example.org"
    frozen.dataset.save()
    with pytest.raises(Refused, match="description of the dataset"):
        export.members(DatasetVersion.objects.get(pk=frozen.pk), export.Options(thumbnails=True))


def test_an_export_of_before_is_written_anew_with_what_describes_it(frozen):
    """One whose tables were stored by an earlier version is not sent without."""
    old = export.folder_of(frozen) / "full"
    old.mkdir(parents=True)
    for name in ("photos.csv", "dataset.json"):
        (old / name).write_text("old")
    names = {member.name for member in export.members(frozen, export.Options())}
    assert {"croissant.json", "datasheet.json", "isic.csv"} <= names
    assert DatasetItem.objects.filter(version=frozen).count() == 6


def test_a_zip_can_be_read_by_croissant_when_unpacked(frozen, folder, tmp_path):
    call_command("export_dataset", "Tumours", out=tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "croissant.json").read_bytes() == (folder / "croissant.json").read_bytes()


def test_descriptions_are_downloaded_from_the_page_and_by_token(
    frozen, folder, clinician, curator, client_for
):
    page = f"/archive/datasets/{frozen.pk}/"
    assert f"{page}croissant/" in client_for(curator).get(page).content.decode()
    assert f"{page}croissant/" not in (shown := client_for(clinician).get(page).content.decode())
    assert f"{page}datasheet/" in shown
    sheet = client_for(clinician).get(f"{page}datasheet/")
    assert sheet["Content-Disposition"] == 'attachment; filename="tumours-v1-datasheet.json"'
    assert client_for(clinician).get(f"{page}croissant/").status_code == 403
    program = Client(headers={"Authorization": f"Token {factories.make_token(curator)}"})
    (row,) = program.get("/api/datasets/").json()["results"]
    assert (row["name"], row["number"], row["state"], row["photos"]) == ("Tumours", 1, "frozen", 6)
    assert program.get(f"/api/datasets/{row['id']}/datasheet/").json() == sheet.json()
    said = program.get(f"/api/datasets/{row['id']}/croissant/").json()
    assert said == json.loads((folder / "croissant.json").read_text())
    assert AuditEvent.objects.filter(action="dataset.describe").count() == 3
    limited = Client(headers={"Authorization": f"Token {factories.make_token(clinician)}"})
    assert limited.get(f"/api/datasets/{row['id']}/croissant/").status_code == 403


def test_a_draft_has_a_datasheet_and_no_croissant(draft, curator, client_for):
    page, program = f"/archive/datasets/{draft.pk}/", client_for(curator)
    assert program.get(f"{page}datasheet/").json()["state"] == "draft"
    assert program.get(f"{page}croissant/").status_code == 302
    refused = program.get(f"/api/datasets/{draft.pk}/croissant/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_now")


def test_of_many_photos_the_descriptions_are_those_of_the_export(frozen, curator, client_for, monkeypatch):
    """Nothing that grows with a version is counted while somebody waits for a page."""
    monkeypatch.setattr(large, "MOST_AT_ONCE", 3)
    program, address = client_for(curator), f"/api/datasets/{frozen.pk}/"
    for kind in ("datasheet", "croissant"):
        answer = program.get(f"{address}{kind}/")
        assert answer.status_code == 409 and "first export" in answer.json()["error"]["message"]
    export.members(frozen, export.Options())
    for kind in ("datasheet", "croissant"):
        assert program.get(f"{address}{kind}/").status_code == 200


@pytest.mark.parametrize("kind", ["skinclinic", "isic-multi", "croissant"])
def test_of_several_lesions_in_one_photo_the_first_comes_back_and_the_others_are_named(
    frozen, other_clinic, tmp_path, capsys, kind
):
    """Before, such an export could not be read back at all."""
    one, other = frozen.items.exclude(label="Rosacea").order_by("content_sha256")[:2]
    Photo.objects.filter(archive_entry__in=(one.entry_id, other.entry_id)).update(picture="a")
    Photo.objects.filter(archive_entry=other.entry_id).update(file_key=one.entry.photo.file_key)
    frozen.items.filter(pk=other.pk).update(content_sha256=one.content_sha256)
    Entry.objects.filter(pk=other.entry_id).update(content_sha256=one.content_sha256)
    call_command("export_dataset", "Tumours", out=tmp_path / "out")
    there = read_in(tmp_path / "out", other_clinic, tmp_path, kind=kind)
    assert there.items.count() == 5
    said = capsys.readouterr().out
    assert "a further lesion of a photo that an earlier row has" in said and "left out 1" in said
