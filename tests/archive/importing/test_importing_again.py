"""A source comes again: every field is compared, decisions stay, changes are kept or taken, imports are undone."""

import json

import pytest
from django.core.management import CommandError, call_command

from skinclinic.archive.models import Dataset, Entry, EntryChange, Import
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.datasets import freezing
from skinclinic.archive.services.importing import comparing, imports
from skinclinic.engine import jobs
from skinclinic.models import Lesion, Patient, Photo
from tests.archive import import_runs, table_files
from tests.skinclinic.pages import audited

pytestmark = pytest.mark.django_db
HEADER = ["image", "diagnosis", "patient", "lesion", "sex", "skin", "site", "age", "kind", "day", "extra"]
COLUMNS = {
    "file": "image", "label": "diagnosis", "patient": "patient", "lesion": "lesion", "sex": "sex",
    "skin_type": "skin", "site": "site", "age": "age", "kind": "kind", "taken_on": "day",
}  # fmt: skip
FIRST = [
    ["0.jpg", "ak", "A", "L1", "", "", "lower extremity", "85+", "dermoscopic", "2024-5-3", "x"],
    ["1.jpg", "bcc", "A", "L2", "female", "2", "nose", "40", "clinical", "2024-5-3", ""],
    ["2.jpg", "nevus", "B", "L3", "male", "12", "코", "30-35", "", "", ""],
]


@pytest.fixture
def begin(clinic, curator, tmp_path):
    photos = table_files.photos(tmp_path / "photos")

    def make(rows=FIRST, header=HEADER, **said) -> Import:
        table = table_files.table(tmp_path / "t.csv", rows, header=header)
        row = imports.begin(
            **{"clinic": clinic, "user": curator, "name": "A", "format": "csv", "role": "both",
               "photos": str(photos), "metadata": str(table), "columns": COLUMNS} | said
        )  # fmt: skip
        import_runs.checked(row)
        return row

    return make


def write(row: Import) -> Import:
    assert row.state == "ready", row.report
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    assert row.state == "done", row.error
    return row


def entry(name: str) -> Entry:
    return Entry.objects.select_related("photo__lesion", "patient").get(external_id=name)


def changed(place: int, **values) -> list[list[str]]:
    rows = [list(row) for row in FIRST]
    for name, value in values.items():
        rows[place][HEADER.index(name)] = value
    return rows


def test_what_the_table_says_is_kept_with_the_photo_and_its_patient(begin):
    row = write(begin())
    first, _second, third = (entry(f"{number}.jpg") for number in range(3))
    assert (first.site, first.age, first.age_to, first.photo.kind) == ("lower_limb", 85, 120, "dermoscopic")
    assert (first.sex, first.skin_type) == ("female", 2), "another row of the patient says so"
    assert (first.patient.sex, first.patient.skin_type) == ("female", 2)
    assert (third.skin_type, third.age, third.age_to, third.site) == (12, 30, 35, "nose")
    assert first.columns == {"extra": "x"} | {"site": "lower extremity"} and row.report["unread_columns"] == [
        "extra"
    ]
    assert first.of_import == row


FIELDS = {
    "sex": ("female", "female"), "skin": ("56", 56), "site": ("palms/soles", "palm_or_sole"), "age": ("50", 50),
    "day": ("2024-06-01", "2024-06-01"), "diagnosis": ("sk", "sk"), "kind": ("dermoscopic", "dermoscopic"),
    "lesion": ("L9", "A: lesion L9"), "patient": ("C", "A/C"), "extra": ("y", {"extra": "y"}),
}  # fmt: skip
OURS = {"skin": "skin_type", "day": "taken_on", "diagnosis": "label", "extra": "columns"}


@pytest.mark.parametrize("column", FIELDS)
def test_every_field_that_the_source_changed_is_listed_and_taken(begin, column):
    write(begin())
    new, ours = FIELDS[column]
    name = OURS.get(column, column)
    row = begin(changed(2, **{column: new}))
    assert row.report["changed"] == 1 and name in row.report["changes"], row.report["changes"]
    listed = [one for one in comparing.lines(imports.changes_file(row)) if one["field"] == name]
    assert [one["id"] for one in listed] == ["2.jpg"] and not listed[0]["decided"]
    write(row)
    found = entry("2.jpg")
    value = {
        "kind": found.photo.kind, "lesion": found.photo.lesion.note, "patient": found.patient.code,
    }.get(name, getattr(found, name, None))  # fmt: skip
    if name == "columns":
        assert value["extra"] == "y"
    else:
        assert str(value) == str(ours) if name == "taken_on" else value == ours
    again = begin(changed(2, **{column: new}))
    assert (again.report["changed"], again.report["unchanged"]) == (0, 3)
    assert not Lesion.objects.filter(photos=None).exists()


def decide_here(user) -> None:
    review.edit(entry=entry("0.jpg"), user=user, label="bcc")


def test_a_decision_made_here_stays_while_the_source_is_as_it_was(begin, curator):
    write(begin())
    decide_here(curator)
    row = begin()
    assert (row.report["changed"], row.report["kept"]) == (0, 1)
    write(row)
    assert entry("0.jpg").label == "bcc"
    version = Dataset.objects.get().versions.get()
    assert version.items.get(entry=entry("0.jpg")).label == "bcc"


def test_a_decision_and_a_change_of_the_source_are_listed_with_who_decided(begin, curator):
    write(begin())
    decide_here(curator)
    row = begin(changed(0, diagnosis="scc"))
    (one,) = [line for line in comparing.lines(imports.changes_file(row)) if line["field"] == "label"]
    assert (one["old"], one["new"], one["by"], one["decided"]) == ("bcc", "scc", str(curator), True)
    write(row)
    assert entry("0.jpg").label == "bcc"
    assert begin(changed(0, diagnosis="scc")).report["changed"] == 0, "it was kept once"


@pytest.mark.parametrize(
    "decisions", [{"all": "take"}, {"fields": {"label": "take"}}, {"ones": {"0.jpg": {"label": "take"}}}]
)
def test_a_curator_takes_the_sources_label(begin, curator, decisions):
    write(begin())
    decide_here(curator)
    row = begin(changed(0, diagnosis="scc"))
    imports.decide(row, decisions)
    write(row)
    found = entry("0.jpg")
    assert (found.label, found.icd10, found.review) == ("scc", "C44.9", "pending")
    assert found.changes.first().fields["label"] == ["bcc", "scc"]


def test_a_curator_keeps_what_nobody_decided(begin):
    write(begin())
    row = begin(changed(2, site="ear"))
    imports.decide(row, {"fields": {"site": "keep"}})
    write(row)
    assert entry("2.jpg").site == "nose" and entry("2.jpg").said == {"site": "ear"}
    assert begin(changed(2, site="ear")).report["changed"] == 0


def test_a_table_alone_corrects_photos_that_are_there(begin):
    write(begin())
    row = write(begin(changed(2, site="ear"), photos=""))
    assert row.report["changed"] == 1 and entry("2.jpg").site == "ear"
    new = begin([*FIRST, ["9.jpg", "bcc", "A", "", "", "", "", "", "", "", ""]], photos="")
    assert new.state == "refused" and "not there" in str(new.report["errors"])


def test_another_table_takes_the_place_of_one_with_errors(begin, tmp_path):
    row = begin(changed(0, diagnosis="mystery"))
    assert row.report["unknown_label_rows"] == {"mystery": [2]}
    imports.replace_table(row, [(table_files.table(tmp_path / "u.csv", FIRST, header=HEADER)).read_bytes()])
    import_runs.checked(row)
    write(row)
    assert Entry.objects.count() == 3


def test_contradictions_within_a_patient_and_a_lesion_are_listed(begin):
    rows = [list(row) for row in FIRST]
    rows[0][4], rows[1][4] = "male", "female"
    rows[1][3] = "L1"
    report = begin(rows).report
    said = {(one["what"], one["name"], one["field"]): one["values"] for one in report["contradictions"]}
    assert said["patient", "A", "sex"] == [["male", 2], ["female", 3]]
    assert ("lesion", "L1", "site") in said and ("lesion", "L1", "label") in said


def undo(row: Import) -> Import:
    imports.request_undo(row)
    jobs.run_waiting(imports.UNDO_JOB)
    row.refresh_from_db()
    return row


def test_an_import_is_undone_with_its_photos_rows_and_files(
    begin, settings, django_capture_on_commit_callbacks
):
    row = write(begin())
    with django_capture_on_commit_callbacks(execute=True):
        row = undo(row)
    assert row.state == "undone" and row.report["undo"]["removed"] == 3 and not row.report["undo"]["stays"]
    assert audited("import.done", "import.undone")
    assert not any(model.objects.exists() for model in (Entry, Photo, Lesion, Patient, Dataset))
    assert list(settings.PHOTOS_DIR.rglob("*.jpg")) == []
    write(begin())
    assert Entry.objects.count() == 3


def test_what_an_import_changed_is_taken_back_unless_it_was_changed_since(begin, curator):
    write(begin())
    rows = changed(2, site="ear", diagnosis="sk")
    row = write(begin(rows))
    review.edit(entry=entry("2.jpg"), user=curator, label="mm")
    row = undo(row)
    found = entry("2.jpg")
    assert (found.site, found.label) == ("nose", "mm")
    assert row.report["undo"]["restored"] == 1 and "changed" in row.report["undo"]["stays"]
    assert Entry.objects.count() == 3 and EntryChange.objects.filter(action="undone").exists()


def filed() -> dict[str, tuple]:
    """Whose each photo is and of which lesion."""
    found = Entry.objects.select_related("photo__lesion__patient", "patient").order_by("external_id")
    assert all(one.patient == one.photo.lesion.patient for one in found)
    assert all(one.patient_key == (one.patient_id or 0) for one in found)
    return {
        one.external_id: (one.patient.code if one.patient else "", one.photo.lesion.note, one.source_lesion)
        for one in found
    }


MOVES = {
    "another patient": [(0, {"patient": "C"})],
    "another lesion": [(0, {"lesion": "L9"})],
    "both": [(0, {"patient": "C", "lesion": "L9"})],
    "to the lesion of another photo": [(0, {"lesion": "L2"})],
    "to another patient's": [(1, {"patient": "B", "lesion": "L3"})],
    "all of them": [(0, {"patient": "C"}), (1, {"patient": "C"}), (2, {"patient": "D", "lesion": "L8"})],
}


@pytest.mark.parametrize("moves", MOVES)
def test_photos_that_an_import_has_filed_elsewhere_go_back(begin, moves):
    write(begin())
    before, patients = filed(), set(Patient.objects.values_list("code", "sex", "skin_type"))
    counts = sorted(Lesion.objects.values_list("note", "photo_count", "site"))
    rows = [list(row) for row in FIRST]
    for place, values in MOVES[moves]:
        for name, value in values.items():
            rows[place][HEADER.index(name)] = value
    row = write(begin(rows))
    assert filed() != before
    row = undo(row)
    assert row.state == "undone" and not row.report["undo"]["stays"]
    assert filed() == before
    assert sorted(Lesion.objects.values_list("note", "photo_count", "site")) == counts
    assert set(Patient.objects.values_list("code", "sex", "skin_type")) == patients


def test_a_photo_that_somebody_has_filed_elsewhere_since_stays(begin):
    write(begin())
    first = write(begin(changed(0, lesion="L9")))
    write(begin(changed(0, lesion="L10")))
    row = undo(first)
    assert row.report["undo"]["stays"] == {"filed": ["0.jpg"]} and entry("0.jpg").source_lesion == "L10"


def test_a_patients_facts_and_a_lesions_site_go_back_with_the_photo(begin):
    write(begin())
    row = write(begin(changed(2, sex="female", skin="4", site="back")))
    patient = Patient.objects.get(code="A/B")
    assert patient.sex == "female"
    undo(row)
    patient.refresh_from_db()
    assert (patient.sex, patient.skin_type) == ("male", 12)
    assert entry("2.jpg").photo.lesion.site == entry("2.jpg").site == "nose"


def test_what_is_frozen_keeps_an_import_from_being_undone(begin, curator, monkeypatch):
    row = write(begin())
    Entry.objects.update(review="accepted")
    freezing.freeze(Dataset.objects.get().versions.get(), curator)
    with pytest.raises(imports.NotNow, match="3 of its photos are in frozen datasets"):
        imports.request_undo(row)
    # Of many the request asks for nothing that grows with them.
    monkeypatch.setattr(imports, "LOOKED_AT_ONCE", 2)
    (needed,) = undo(row).report["undo"]["needed"].values()
    assert row.state == "done" and sorted(needed) == ["0.jpg", "1.jpg", "2.jpg"]
    assert Entry.objects.count() == 3


def test_words_of_every_field_are_mapped_rows_left_out_and_the_mapping_kept(begin, clinic, curator):
    rows = changed(0, sex="X1", site="mars", skin="?", age="old", kind="selfie")
    row = begin(rows)
    words = {
        field: [one["word"] for one in listed if not one["known"]]
        for field, listed in row.report["words"].items()
    }
    assert words["sex"] == ["X1"] and words["site"] == ["mars"] and words["age"] == ["old"]
    assert words["kind"] == ["selfie"]
    said = {
        "sex": {"X1": "other"},
        "site": {"mars": "unknown"},
        "age": {"old": "85+"},
        "kind": {"selfie": "overview"},
    }
    imports.set_mapping(row, words=said)
    saved = imports.save_mapping(row, "ours", curator)
    write(begin(rows, words=saved.words))
    found = entry("0.jpg")
    assert (found.sex, found.site, found.age_to, found.photo.kind) == ("other", "", 120, "overview")
    assert found.columns["site"] == "mars"
    left = begin(rows, name="B", words=said | {"sex": {"X1": "-"}})
    assert left.report["left_out"] == 1


def test_an_empty_diagnosis_is_left_out_or_named(begin):
    rows = changed(0, diagnosis="")
    row = begin(rows)
    assert row.state == "refused" and row.report["unknown_labels"] == {"": 1}
    assert begin(rows, labels={"": "-"}).report["left_out"] == 1
    assert begin(changed(0, diagnosis="unknown"), labels={"unknown": "Not diagnosed"}).state == "ready"


def test_what_holds_for_all_photos(begin):
    defaults = {"kind": "dermoscopic", "confirmed_by": "histopathology", "ethnicity": "Korean"}
    row = write(begin(defaults=defaults))
    found = entry("2.jpg")
    assert (found.photo.kind, found.is_proven, found.ethnicity) == ("dermoscopic", True, "Korean")
    assert entry("1.jpg").photo.kind == "close_up" and row.source.population == "Korean"


def test_dates_with_the_day_first_are_read_when_the_column_can_be_read_no_other_way(begin):
    rows = changed(0, day="31.12.2023")
    rows[1][HEADER.index("day")] = "03.05.2024"
    write(begin(rows))
    assert str(entry("1.jpg").taken_on) == "2024-05-03"
    rows[0][HEADER.index("day")] = "01.12.2023"
    assert "not certain" in str(begin(rows).report["errors"])
    assert begin(rows, defaults={"dates": "month-first"}).state == "ready"


def test_the_command_finds_the_table_maps_words_and_keeps_decisions(clinic, curator, tmp_path, capsys):
    photos = table_files.photos(tmp_path / "photos")
    table_files.table(photos / "metadata.csv", changed(0, sex="X1"), header=HEADER)
    (photos / "readme.txt").write_text("text")
    (photos / "link.jpg").symlink_to(photos / "0.jpg")
    said = {"columns": COLUMNS, "words": {"sex": {"X1": "unknown"}}, "defaults": {"ethnicity": "Korean"}}
    (tmp_path / "map.json").write_text(json.dumps(said))
    options = {"photos": photos, "map": tmp_path / "map.json", "user": curator.username}
    call_command("import_dataset", "A", **options)
    out = capsys.readouterr().out
    assert "3 rows written" in out and "read into no field: extra" in out
    assert "passed over, a link: 1 (link.jpg)" in out and "a text file: 1 (readme.txt)" in out
    decide_here(curator)
    table_files.table(tmp_path / "new.csv", changed(0, sex="X1", diagnosis="scc"), header=HEADER)
    options = {"metadata": tmp_path / "new.csv", "map": tmp_path / "map.json", "user": curator.username}
    call_command("import_dataset", "A", **options)
    assert "bcc → scc, set by" in capsys.readouterr().out and entry("0.jpg").label == "bcc"
    with pytest.raises(CommandError, match="Give --photos"):
        call_command("import_dataset", "A")


def test_tags_of_a_table_are_taken_and_a_table_without_leaves_those_given_here(begin):
    def rows(tags: str) -> list[list[str]]:
        return [[*row, tags if place == 0 else ""] for place, row in enumerate(FIRST)]

    tagged = {"header": [*HEADER, "tags"], "columns": COLUMNS | {"tags": "tags"}}
    refused = begin(rows("hair, moustache"), **tagged)
    assert refused.state == "refused"
    assert [one["examples"][0]["value"] for one in refused.report["errors"]] == ["moustache"]
    write(begin(rows("hair; ruler"), **tagged))
    assert [entry(f"{place}.jpg").tags for place in range(3)] == [",ruler,hair,", "", ""]
    again = begin()
    assert again.report["changed"] == 0
    write(again)
    assert entry("0.jpg").tags == ",ruler,hair,"


def test_what_a_source_calls_patients_and_photos_may_not_lead_to_persons(begin, tmp_path):
    rows = [
        ["0.jpg", "ak", "900101-1234567", "L1", *FIRST[0][4:]],
        ["1.jpg", "bcc", "Jane Doe", "L2", *FIRST[1][4:]],
        ["2.jpg", "ak", "\ufffd\ufffd-1", "L3", *FIRST[2][4:]],
    ]
    refused = begin(rows)
    assert "was lost" in import_runs.told(refused)
    assert refused.state == "refused" and "use a code [2]" in import_runs.told(refused)
    assert "looks like a person's name" in import_runs.told(refused, "notes") and "900101" not in str(
        refused.report
    )
    imports.discard(refused)
    named = tmp_path / "photos" / "Given_Surname_9.jpg"
    (tmp_path / "photos" / "2.jpg").rename(named)
    rows = [["Given_Surname_9.jpg", *FIRST[2][1:]]]
    first = write(begin(rows))
    kept = Entry.objects.select_related("photo").get()
    assert kept.external_id.startswith("name removed ") and kept.photo.original_name == "name removed.jpg"
    # The source comes again, and the photo is known.
    assert begin(rows, name=first.name).report["unchanged"] == 1
