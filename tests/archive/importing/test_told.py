"""What the check of an import says of a table that it takes over otherwise than it stands there."""

import unicodedata

import pytest
from django.core.management.base import CommandError
from django.urls import reverse

from skinclinic.archive.formats.photo_sets import Ambiguous, open_photos
from skinclinic.archive.management import mapping
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports, undoing
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.engine import jobs
from tests.archive import import_runs, table_files
from tests.cases import each

pytestmark = pytest.mark.django_db
NEEDED = {"file": "image", "label": "diagnosis"}


@pytest.fixture
def check(clinic, curator, tmp_path):
    def make(*lines: str, photos=None, **keywords) -> Import:
        (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        row = imports.begin(
            clinic=clinic, user=curator, role="both", metadata=str(tmp_path / "t.csv"),
            photos=str(photos or table_files.photos(tmp_path / "photos")),
            **({"name": "A", "format": "csv"} | keywords),
        )  # fmt: skip
        import_runs.checked(row)
        assert row.state in ("refused", "ready"), row.error
        return row

    return make


def write(row: Import) -> dict[str, Entry]:
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    return {entry.external_id: entry for entry in Entry.objects.filter(source__name="A")}


def notes(row: Import) -> str:
    return import_runs.told(row, "notes")


def errors(row: Import) -> str:
    return import_runs.told(row)


SAID = {
    # field or fields: (cells of three rows, what is said)
    "months": ("age", "6 months", "7", "45.5", "whole years", [2, 4]),
    "hour": ("taken_on", "2019-03-04 10:11", "2019-03-05", "", "kept as a day", [2]),
    "case": ("patient", "P1", "p1", "P2", "differs from another name only", [3]),
    "zeros": ("patient", "001", "1", "2", "differs from another name only", [3]),
    "blanks": ("lesion", "L 1", "L1", "L-2", "differs from another name only", [3]),
    "no patient": ("patient", "A", "", "", "no known patient", [3, 4]),
    "lesion of two": ("patient,lesion", "A,1", "B,1", ",1", "named with another patient", [3, 4]),
    "not proven": ("is_proven,confirmed_by", "no,histo", "yes,histo", ",", "said not to be proven", [2]),
    "proven": (
        "is_proven,confirmed_by",
        "no,consensus",
        "yes,consensus",
        ",histo",
        "confirmed otherwise",
        [3],
    ),
}


@each("case", SAID)
def test_what_is_made_less_or_contradicts_itself_is_said(check, case):
    field, *cells, said, rows = SAID[case]
    lines = [f"{number}.jpg,bcc,{cell}" for number, cell in enumerate(cells)]
    columns = NEEDED | {name: name for name in field.split(",")}
    row = check(f"image,diagnosis,{field}", *lines, columns=columns)
    assert row.state == "ready", errors(row)
    assert said in notes(row)
    assert str(rows) in notes(row)


def test_what_does_not_fit_stays_beside_the_photo(check):
    columns = NEEDED | {"age": "age", "taken_on": "d", "skin_type": "s"}
    row = check(
        "image,diagnosis,age,d,s", "0.jpg,bcc,6 months,2019-03-04 10:11,-1", "1.jpg,bcc,50.0,2019-03-04,II",
        "2.jpg,bcc,85+,,", columns=columns,
    )  # fmt: skip
    entries = write(row)
    assert entries["0.jpg"].columns == {"age": "6 months", "d": "2019-03-04 10:11", "s": "-1"}
    assert entries["1.jpg"].columns == entries["2.jpg"].columns == {}


@each(
    "cell, said",
    [
        ("1.23457E+11", "rounded"),
        ("1e+05", "rounded"),
        ("#N/A", "an error of the spreadsheet"),
        ("#REF!", "an error of the spreadsheet"),
        ("#####", "an error of the spreadsheet"),
    ],
)
def test_names_that_a_spreadsheet_spoilt_join_no_patients(check, cell, said):
    columns = NEEDED | {"patient": "p"}
    row = check("image,diagnosis,p", f"0.jpg,bcc,{cell}", f"1.jpg,mm,{cell}", "2.jpg,mm,A", columns=columns)
    assert row.state == "refused"
    assert said in errors(row)
    assert "[2, 3]" in errors(row)


def test_a_day_that_has_not_come_is_refused(check):
    row = check("image,diagnosis,d", "0.jpg,bcc,2099-01-01", columns=NEEDED | {"taken_on": "d"})
    assert "not come yet" in errors(row)


def test_columns_without_a_name_are_named_and_kept_where_they_hold_text(check):
    row = check(",image,diagnosis,,", "0,0.jpg,bcc,,", "1,1.jpg,bcc,a word,", "2,2.jpg,mm,,", columns=NEEDED)
    assert row.report["unread_columns"] == ["column 1", "column 4"]
    assert write(row)["1.jpg"].columns == {"column 1": "1", "column 4": "a word"}


def test_letters_that_macos_takes_apart_are_the_same_letters(check, tmp_path):
    apart = unicodedata.normalize("NFD", "사진,진단,환자,성별,나이,날짜").split(",")
    photos = table_files.photos(tmp_path / "photos", 2)
    row = check(
        ",".join(apart),
        unicodedata.normalize("NFD", "0.jpg,기저세포암,김가,여,71세,2019년 3월 4일"),
        "1.jpg,흑색종,김가,,,",
        columns={"file": "사진", "label": "진단", "patient": "환자", "sex": "성별", "age": "나이", "taken_on": "날짜"},
        photos=photos,
    )  # fmt: skip
    assert row.state == "ready", (row.report, errors(row))
    entries = write(row)
    assert entries["0.jpg"].patient == entries["1.jpg"].patient
    assert (entries["0.jpg"].age, entries["0.jpg"].sex) == (71, "female")


def test_the_same_file_of_two_patients_is_said(check, tmp_path):
    photos = table_files.photos(tmp_path / "photos", 1)
    (photos / "copy.jpg").write_bytes((photos / "0.jpg").read_bytes())
    columns = NEEDED | {"patient": "p", "sex": "s"}
    row = check("image,diagnosis,p,s", "0.jpg,bcc,A,m", "copy.jpg,bcc,B,f", columns=columns)
    assert row.report["doubled"] == [[2, 3]]
    assert "p “A ↔ B”: the same file as row 2, which says otherwise" in notes(row)
    assert "s “male ↔ female”" in notes(row)


def test_photos_of_rows_with_an_error_are_not_said_to_have_none(check):
    columns = NEEDED | {"age": "age"}
    row = check("image,diagnosis,age", "0.jpg,bcc,old", "1.jpg,bcc,50", columns=columns)
    assert row.report["files_without_row"] == ["2.jpg"]


PAD = "IMG_ID,Diagnostic,patient-id,AGE,GENDER,fitspatrick,REGION,Biopsed"


def test_columns_of_a_format_are_known_in_any_case(check):
    row = check(PAD, "0.jpg,BCC,P,50,FEMALE,2.0,NOSE,True", format="pad-ufes-20")
    assert row.report["unread_columns"] == []
    entry = write(row)["0.jpg"]
    assert (entry.age, entry.sex, entry.skin_type, entry.site) == (50, "female", 2, "nose")
    assert entry.is_proven


def test_a_format_says_all_names_its_file_may_have(check):
    row = check("image,diagnostic", "0.jpg,BCC", format="pad-ufes-20")
    assert "file_name / img_id" in in_words(row.report["refused"])


def test_a_column_that_is_not_there_says_nothing(check):
    columns = NEEDED | {"age": "age", "sex": "sex", "patient": "p", "lesion": "l", "is_proven": "b"}
    first = check("image,diagnosis,age,sex,p,l,b", "0.jpg,bcc,50,m,A,1,yes", columns=columns)
    write(first)
    again = check("image,diagnosis,site", "0.jpg,bcc,nose", columns=NEEDED | {"site": "site"})
    assert set(again.report["changes"]) == {"site"}
    entry = write(again)["0.jpg"]
    assert (entry.site, entry.age, entry.sex, entry.is_proven) == ("nose", 50, "male", True)


def test_a_patient_follows_the_source_also_where_the_lesion_is_another(check):
    columns = NEEDED | {"sex": "sex", "patient": "p", "lesion": "l"}
    write(check("image,diagnosis,sex,p,l", "0.jpg,bcc,m,A,1", columns=columns))
    entry = write(check("image,diagnosis,sex,p,l", "0.jpg,bcc,f,A,2", columns=columns))["0.jpg"]
    assert (entry.sex, entry.patient.sex) == ("female", "female")


@each(
    "files, wanted, found",
    [
        (["images/NEL/a.jpg"], ["NEL/A.jpg"], ["images/NEL/a.jpg"]),
        (["images/1.png", "images/2.png"], ["set/images/1.png", "set/images/2"], ["images/1.png", "images/2.png"]),
        (["x/NEL/a.jpg", "y/NEL/a.jpg"], ["NEL/a.jpg"], [Ambiguous]),
        (["a.jpg"], ["train/a.jpg"], [None]),
        (["s/a.jpg"], ["train/s/a.jpg", "test/s/a.jpg"], ["s/a.jpg", None]),
        (["one/a.jpg"], ["two/a.jpg"], [None]),
    ],
)  # fmt: skip
def test_outer_folders_may_differ_between_table_and_photos(tmp_path, files, wanted, found):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        table_files.photos(tmp_path / "made", 1)
        (tmp_path / "made" / "0.jpg").rename(tmp_path / name)
    photos = open_photos(tmp_path)
    for name, right in zip(wanted, found, strict=True):
        if right is Ambiguous:
            with pytest.raises(Ambiguous):
                photos.find(name)
        else:
            assert photos.find(name) == right


@each("name", ["kind", "confirmed_by"])
def test_what_holds_for_all_must_be_known(check, name):
    row = check("image,diagnosis", "0.jpg,bcc", columns=NEEDED, defaults={name: "magic"})
    assert "magic" in in_words(row.report["refused"])


def test_names_new_to_the_clinic_are_named(check):
    row = check("image,diagnosis", "0.jpg,x", "1.jpg,bcc", columns=NEEDED, labels={"x": "bccc"})
    assert row.report["new_names"] == ["bccc"]


def test_a_second_table_that_says_otherwise_loses_nothing(check, tmp_path):
    (tmp_path / "labels.csv").write_text("IMAGE,MEL,NV,sex,age_approx\n0,1,0,female,50\n", encoding="utf-8")
    row = check("image,age_approx,sex", "0,50,male", format="isic-2019", second=str(tmp_path / "labels.csv"))
    assert row.report["unread_columns"] == ["sex (second table)"]
    assert write(row)["0"].columns == {"sex (second table)": "female"}


HOT = "image,MEL,NV,UNK"


@each(
    "cells, said",
    [
        ("0,0,0", "none of the columns of diseases says 1"),
        ("1,1,0", "“MEL 1, NV 1”: exactly one"),
        ("0.5,0.5,0", "“MEL 0.5, NV 0.5”: exactly one"),
    ],
)
def test_a_row_of_which_not_one_disease_says_1_is_refused_in_words(check, cells, said):
    row = check(HOT, f"0,{cells}", "1,0,1,0", format="isic-2019")
    assert said in errors(row) and "[2]" in errors(row)


def test_unk_is_a_word_to_decide_on(check):
    row = check(HOT, "0,0,0,1", format="isic-2019")
    assert (row.report["errors"], row.report["unknown_labels"]) == ([], {"UNK": 1})


def test_narrower_sites_that_are_not_known_are_said_and_leave_the_wider_one(check):
    header = "isic_id,diagnosis_1,anatom_site_1,anatom_site_2,anatom_site_3"
    row = check(
        header, "0,Nevus,Lower extremity,acral NOS,", "1,Nevus,Upper extremity,Hand,Web space", format="isic"
    )
    assert "anatom_site_2 “acral NOS”" in notes(row) and "anatom_site_3 “Web space”" in notes(row)
    entries = write(row)
    assert (entries["0"].site, entries["1"].site) == ("lower_limb", "hand")


def test_another_file_under_the_same_name_is_said(check, tmp_path):
    write(check("image,diagnosis", "0.jpg,bcc", columns=NEEDED))
    photos = table_files.photos(tmp_path / "photos", 2)
    (photos / "0.jpg").write_bytes((photos / "1.jpg").read_bytes())
    again = check("image,diagnosis", "0.jpg,bcc", columns=NEEDED, photos=photos)
    assert "another file than the one the archive has" in notes(again)


@each("label, said", [("bcc", "changes nothing there"), ("mm", "0.jpg: mm ↔ bcc")])
def test_a_file_that_another_source_has_is_named(check, label, said):
    write(check("image,diagnosis", "0.jpg,bcc", columns=NEEDED))
    other = check("image,diagnosis,p", f"0.jpg,{label},Z", columns=NEEDED | {"patient": "p"}, name="B")
    assert other.report["known"] == 1
    assert said in notes(other)


def test_an_undone_import_gives_patients_and_lesions_back_what_they_had(check):
    columns = NEEDED | {"sex": "sex", "patient": "p", "lesion": "l", "site": "site"}
    write(check("image,diagnosis,sex,p,l,site", "0.jpg,bcc,m,A,1,nose", columns=columns))
    again = check("image,diagnosis,sex,p,l,site", "0.jpg,bcc,f,A,1,chin", columns=columns)
    assert write(again)["0.jpg"].patient.sex == "female"
    undoing.undo(again, lambda done, total: None)
    entry = Entry.objects.select_related("photo__lesion", "patient").get(external_id="0.jpg")
    assert (entry.sex, entry.patient.sex, entry.site, entry.photo.lesion.site) == (
        "male",
        "male",
        "nose",
        "nose",
    )


def test_a_photo_filed_under_another_patient_takes_its_facts_along(check):
    columns = NEEDED | {"sex": "sex", "patient": "p", "site": "site"}
    write(check("image,diagnosis,sex,p,site", "0.jpg,bcc,m,A,nose", columns=columns))
    entry = write(check("image,diagnosis,p", "0.jpg,bcc,Z", columns=NEEDED | {"patient": "p"}))["0.jpg"]
    assert (entry.patient.sex, entry.sex, entry.photo.lesion.site) == ("male", "male", "nose")


def test_fields_to_keep_or_take_must_be_fields():
    with pytest.raises(CommandError, match="nonsense"):
        mapping.decisions(["all"], ["nonsense"])
    assert mapping.decisions(["site"], ["all"]) == {"fields": {"site": "keep"}, "all": "take"}


def test_rows_whose_photo_is_not_there_can_be_left_out_and_are_named(check):
    lines = ("image,diagnosis", "0.jpg,bcc", "gone.jpg,mm", "1.jpg,nevus")
    assert "“gone.jpg”: this photo is not there [3]" in errors(check(*lines, columns=NEEDED))
    row = check(*lines, columns=NEEDED, defaults={"missing": "leave_out"})
    assert (row.state, row.report["left_out"]) == ("ready", 1)
    assert "“gone.jpg”: this photo is not there; the row is left out [3]" in notes(row)
    assert set(write(row)) == {"0.jpg", "1.jpg"}


def test_files_of_one_name_in_several_folders_are_told_apart_by_their_paths(check, tmp_path):
    photos = table_files.photos(tmp_path / "photos", 3)
    for number, folder in enumerate(("a", "b")):
        (photos / folder).mkdir()
        (photos / f"{number}.jpg").rename(photos / folder / "x.jpg")
    lines = ("image,diagnosis", "a/x.jpg,bcc", "b\\x.jpg,mm", "2.jpg,nevus")
    row = check(*lines, columns=NEEDED, photos=photos)
    assert row.state == "ready", errors(row)
    assert {name: entry.label for name, entry in write(row).items()} == {
        "a/x.jpg": "bcc", "b/x.jpg": "mm", "2.jpg": "nevus",
    }  # fmt: skip
    assert check(*lines, columns=NEEDED, photos=photos).report["unchanged"] == 3


@each(
    "header, line",
    [
        ("image;diagnosis;size, mm;x, y, z, w", "0.jpg;bcc;1,5;2"),
        ("image|diagnosis|a,b,c,d", "0.jpg|bcc|x"),
        ("image\tdiagnosis\ta;b;c;d", "0.jpg\tbcc\tx"),
        ('image,diagnosis,"a;b;c;d"', "0.jpg,bcc,x;y"),
    ],
)
def test_cells_are_parted_as_the_rows_are(check, header, line):
    row = check(header, line, columns=NEEDED)
    assert (row.state, row.report["new"]) == ("ready", 1), row.report


@each(
    "language, title",
    [("en", "taken over otherwise than they stand there"), ("ko", "적힌 그대로 옮겨지지 않는 셀")],
)
def test_the_page_and_its_table_tell_it(check, client_for, curator, language, title):
    columns = NEEDED | {"patient": "p", "age": "age"}
    row = check(
        "image,diagnosis,p,age", "0.jpg,bcc,P1,6 months", "1.jpg,x,p1,", "gone.jpg,bcc,,", columns=columns,
        labels={"x": "Lupus nova"}, defaults={"missing": "leave_out"},
    )  # fmt: skip
    client = client_for(curator)
    page = client.get(
        reverse("import", args=[row.pk]), headers={"accept-language": language}
    ).content.decode()
    assert title in page
    for told in ("P1 ↔ p1", "6 months", "gone.jpg", "Lupus nova"):
        assert told in page
    table = client.get(reverse("import-errors", args=[row.pk])).content.decode("utf-8-sig")
    assert "P1 ↔ p1" in table and "Lupus nova" in table
