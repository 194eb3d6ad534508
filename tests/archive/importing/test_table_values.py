"""Bad tables, byte for byte: refused as a whole, or every bad row named by its number; nothing imported."""

import tracemalloc

import pytest

from skinclinic.archive.formats import tables
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.models import Lesion, Patient, Photo
from tests.archive import import_runs, table_files
from tests.cases import each

pytestmark = pytest.mark.django_db
HEAD = b"image,diagnosis,patient,x\n"
GOOD = b"0.jpg,bcc,A,\n"


@pytest.fixture
def check(clinic, curator, tmp_path):
    """Check a table of these bytes; the column x is what ``field`` says."""
    photos = table_files.photos(tmp_path / "photos")

    def make(data: bytes, field: str = "text", photos=photos, **keywords) -> Import:
        (tmp_path / "t.csv").write_bytes(data)
        columns = {"file": "image", "label": "diagnosis", "patient": "patient", field: "x"}
        row = imports.begin(
            clinic=clinic, user=curator, name="A", format="csv", role="both", photos=str(photos),
            metadata=str(tmp_path / "t.csv"), **({"columns": columns} | keywords),
        )  # fmt: skip
        import_runs.checked(row)
        assert row.state in ("refused", "ready"), row.error
        return row

    return make


def said(row: Import) -> str:
    if row.report.get("refused"):
        return in_words(row.report["refused"])
    return import_runs.told(row)


def nothing_is_written() -> bool:
    models = (Entry, Photo, Patient, Lesion)
    return not any(model.objects.exists() for model in models)


WHOLES = {
    "empty": (b"", "is empty"),
    "only a mark": (b"\xef\xbb\xbf", "is empty"),
    "blank first line": (b"\n" + HEAD + GOOD, "is empty"),
    "only separators": (b",,,\n", "names no column"),
    "header only": (HEAD, "no row to import"),
    "blank rows only": (HEAD + b",,,\n\n  ,,,\n", "no row to import"),
    "UTF-16 with ASCII behind it": ("\ufeff".encode("utf-16-le") + HEAD, "missing"),
    "UTF-16 cut off": ("\ufeffimage".encode("utf-16-be")[:-1], "UTF-16"),
    "xlsx": (b"PK\x03\x04rest", "spreadsheet"),
    "xls": (b"\xd0\xcf\x11\xe0rest", "spreadsheet"),
    "neither encoding": (HEAD + b"0.jpg,\xff\xff\xfe,A,\n", "neither UTF-8 nor CP949"),
    "missing columns": (b"image,name\n0.jpg,x\n", "missing: diagnosis, patient"),
    "doubled column": (b"image,diagnosis,patient,x,x\n" + GOOD, "stand there twice: x"),
    "NUL in the header": (b"image,diag\0nosis,patient,x\n", "NUL"),
    "header never closed": (b'image,"diagnosis,patient,x\n' + GOOD, "first row"),
    "501 columns": (b",".join(b"c%d" % n for n in range(501)) + b"\n", "more than 500 columns"),
    "endless header": (b"x" * 2_000_000, "longer than"),
    "10 MB cell": (HEAD + b"0.jpg,bcc,A," + b"y" * 10_000_000 + b"\n", "Line 2 is longer than"),
    "a photo as a table": (table_files.jpeg_bytes(0), "a file of another kind"),
}


@each("kind", WHOLES)
def test_a_table_that_is_none_is_refused_with_its_reason(check, kind):
    data, message = WHOLES[kind]
    row = check(data)
    assert message in said(row)
    assert nothing_is_written()


ROWS = {
    "too few cells": (b"1.jpg,bcc\n", "2 cells, the header has 4 [3]"),
    "too many cells": (b"1.jpg,bcc,A,,,\n", "6 cells, the header has 4 [3]"),
    "quote never closed": (b'1.jpg,bcc,A,"open\n2.jpg,mm,B,\n', "is a quote missing? [3]"),
    "quote in the middle": (b'1.jpg,bcc,A,"a"b\n', "is a quote missing? [3]"),
    "NUL": (b"1.jpg,bcc,A,a\0b\n", "holds a NUL byte [3]"),
    "NUL in an unused place of the row": (b"1\0.jpg,bcc,A,\n", "holds a NUL byte [3]"),
    "formula =": (b"1.jpg,bcc,A,=1+1\n", "a formula"),
    "formula @": (b"1.jpg,bcc,A,@SUM(1)\n", "a formula"),
    "formula +": (b"1.jpg,bcc,A,+SUM(1)\n", "a formula"),
    "formula -": (b"1.jpg,bcc,A,-SUM(1)\n", "a formula"),
    "formula after a tab": (b'1.jpg,bcc,A,"\t=1+1"\n', "a formula"),
    "formula as a label": (b"1.jpg,=1+1,A,\n", "a formula"),
    "cell over 20,000": (b"1.jpg,bcc,A," + b"y" * 20_001 + b"\n", "longer than 20,000 characters [3]"),
    "text over 2,000": (b"1.jpg,bcc,A," + b"y" * 2001 + b"\n", "longer than 2,000 characters [3]"),
    "patient over 60": (b"1.jpg,bcc," + b"y" * 61 + b",\n", "longer than 60 characters [3]"),
    "label over 120": (b"1.jpg," + b"y" * 121 + b",A,\n", "longer than 120 characters [3]"),
    "file over 300": (b"y" * 301 + b",bcc,A,\n", "longer than 300 characters [3]"),
    "no file": (b",bcc,A,\n", "image is empty [3]"),
    "no label": (b"1.jpg,,A,\n", "diagnosis is empty [3]"),
    "photo that is not there": (b"7.jpg,bcc,A,\n", "\u201c7.jpg\u201d: this photo is not there [3]"),
    "file that leads out": (b"../../etc/passwd,bcc,A,\n", "this photo is not there [3]"),
    "absolute file": (b"/etc/passwd,bcc,A,\n", "this photo is not there [3]"),
    "the same file in two rows": (b"0.jpg,bcc,B,\n", "an earlier row has a photo of this name [3]"),
}


@each("kind", ROWS)
def test_a_bad_row_is_named_by_its_number(check, kind):
    data, message = ROWS[kind]
    row = check(HEAD + GOOD + data)
    assert row.state == "refused" and message in said(row), said(row)
    assert nothing_is_written()


CELLS = {
    "age": [
        "-1", "121", "200", "1e309", "inf", "-inf", "1_0", "0x10", "\u0661\u0662", "twelve", "12,5,5", "1e1", "\u00bd",
    ],
    "taken_on": [
        "0000-00-00", "31/02/2020", "2020-02-30", "2020-13-01", "1700-01-01", "9999-01-01", "2020", "yesterday",
        "20200101x", "\u0662\u0660\u0662\u0660-01-01",
    ],
    "sex": ["robot", "fem ale", "0"],
    "skin_type": ["0", "7", "VII", "1.5", "IIII"],
    "site": ["elbow of the moon", "x" * 60, "'; DROP TABLE"],
    "kind": ["selfie"],
    "is_proven": ["perhaps", "2", "-1"],
    "confirmed_by": ["guess"],
    "icd10": ["banana", "C4", "C44.123456", "44.3", "C44;"],
    "ethnicity": ["y" * 81],
    "subtype": ["y" * 81],
    "impression": ["y" * 121],
    "lesion": ["y" * 61],
    "sha256": ["0" * 64, "y" * 65, "zz"],
}  # fmt: skip


@each("field, value", [(field, value) for field in CELLS for value in CELLS[field]])
def test_a_value_that_makes_no_sense_is_named(check, field, value):
    row = check(HEAD + GOOD + f'1.jpg,bcc,A,"{value}"\n'.encode(), field)
    assert row.state == "refused" and "[3]" in said(row) and said(row).startswith(("x ", "sha256 ")), said(
        row
    )
    assert nothing_is_written()


READ = {
    "unknown words": ("age", ["NaN", "n/a", "None", "-", ""]),
    "numbers": ("age", ["0", "120", "55.0", " 7 "]),
    "dates": ("taken_on", ["2020-02-29", "2020/02/29", "20200229", "2020-02-29T10:00:00"]),
    "sites": ("site", ["Back", "upper arm", "upper_arm"]),
    "codes": ("icd10", ["c44.3", "D03", "C44.31"]),
    "text": ("text", ["\U0001f600", "-5", "+82 2", "'; DROP TABLE", "%s %(a)s", "<script>", "\u202egnp"]),
}


@each("field, value", [(field, value) for field, values in READ.values() for value in values])
def test_a_value_that_makes_sense_is_read(check, field, value):
    row = check(HEAD + GOOD + f'1.jpg,bcc,A,"{value}"\n'.encode(), field)
    assert row.state == "ready" and row.report["new"] == 2, said(row)


@each(
    "data",
    [
        (HEAD + GOOD).replace(b"\n", b"\r"),
        (HEAD + GOOD).replace(b"\n", b"\r\n"),
        (HEAD + GOOD).replace(b",", b";"),
        (HEAD + GOOD).replace(b",", b"\t"),
        b"\xef\xbb\xbf" + HEAD + GOOD,
        HEAD + "0.jpg,bcc,\ud658\uc790,".encode("cp949"),
        b"image,diagnosis,patient,x,,\n0.jpg,bcc,A,,,\n",
        HEAD + b"\n\n" + GOOD,
        HEAD + b'0.jpg,bcc,A,"a\nb"\n',
        HEAD + b'"0.jpg","bcc","A","say ""yes"""\n',
    ],
)
def test_tables_as_programs_save_them_are_read(check, data):
    assert check(data).state == "ready"


def test_rows_are_numbered_as_a_spreadsheet_shows_them(check):
    row = check(HEAD + b'0.jpg,bcc,A,"two\nlines"\n\n9.jpg,bcc,A,\n')
    assert said(row).endswith("[4]")


def test_thousands_of_different_bad_values_are_one_error_with_examples(check):
    rows = b"".join(b"0.jpg,bcc,A,%d\n" % (200 + number) for number in range(5000))
    row = check(HEAD + rows, "age")
    (error,) = row.report["errors"]
    assert (error["column"], error["count"], len(error["rows"])) == ("x", 5000, 1000)
    assert error["rows"][:3] == [2, 3, 4]
    assert (
        in_words(error)
        == "\u201c200\u201d, \u201c201\u201d, \u201c202\u201d: not an age in years from 0 to 120"
    )


def test_errors_are_said_in_the_readers_language(check, monkeypatch):
    from skinclinic.archive.services.importing import row_errors

    row = check(HEAD + b"0.jpg,bcc,A,200\n", "age")
    monkeypatch.setattr(row_errors, "_", {"not an age in years from 0 to %(oldest)s": "0~%(oldest)s"}.get)
    assert in_words(row.report["errors"][0]) == "\u201c200\u201d: 0~120"


def test_a_column_that_is_no_diagnosis_is_said_to_be_none(check):
    rows = b"".join(b"%d.jpg,word %d,A,\n" % (number, number) for number in range(10_001))
    assert "10,000 different labels" in said(check(HEAD + rows))


def test_unknown_labels_are_counted_in_full_and_named_in_part(check):
    rows = b"".join(b"%d.jpg,word %d,A,\n" % (number, number) for number in range(1500))
    report = check(HEAD + rows).report
    assert report["unknown_label_count"] == 1500 and len(report["unknown_labels"]) == 1000


def test_two_rows_that_contradict_each_other_about_one_photo(check, tmp_path):
    photos = table_files.photos(tmp_path / "photos")
    (photos / "1.jpg").write_bytes((photos / "0.jpg").read_bytes())
    row = check(HEAD + GOOD + b"1.jpg,mm,A,\n")
    assert "an earlier row gives the same photo another label [3]" in said(row)
    assert nothing_is_written()


def test_one_bare_name_in_two_folders_means_neither(check, tmp_path):
    for folder in ("a", "b"):
        table_files.photos(tmp_path / "set" / folder, 1)
    row = check(HEAD + GOOD, photos=tmp_path / "set")
    assert "\u201c0.jpg\u201d: several photos have this name; write the folder too [2]" in said(row)


def test_a_label_mapped_to_what_is_no_name_is_refused(check):
    row = check(HEAD + b"0.jpg,odd,A,\n", labels={"odd": "y" * 121})
    assert "mapped to is no text of at most 120" in said(row)


def test_a_table_that_vanished_is_said(check, tmp_path):
    row = check(HEAD + GOOD)
    (tmp_path / "t.csv").unlink()
    import_runs.checked(row)
    assert "no longer there" in said(row)


def test_too_many_rows_are_refused_and_memory_stays_flat(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 20_000)
    (tmp_path / "t.csv").write_bytes(b"image\n" + b"0\n" * 20_001)
    tracemalloc.start()
    with pytest.raises(tables.TableRefused, match="more than 20,000 rows"):
        for _record in tables.Table(tmp_path / "t.csv").records():
            pass
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
