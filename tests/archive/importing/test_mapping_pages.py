"""The pages on which a curator says how a table is read, what of a source's changes is taken, and undoes an import."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.importing import imports as service
from skinclinic.engine import jobs
from tests.archive.importing.test_import_pages import archive, client, upload  # noqa: F401

HEAD = "file,label,sex,site\n"
TABLE = HEAD + "0.jpg,bcc,X,mars\n1.jpg,nevus,F,nose\n2.jpg,mm,,\n"
COLUMNS = {f"column-{name}": name for name in ("file", "label", "sex", "site")}


def post(client, row: Import, page: str, **fields):  # noqa: F811
    answer = client.post(reverse(page, args=[row.pk]), fields)
    jobs.run_waiting(service.CHECK_JOB)
    row.refresh_from_db()
    return answer


def page(client, row: Import):  # noqa: F811
    return client.get(reverse("import", args=[row.pk]))


def written(client, table: str = HEAD + "0.jpg,bcc,F,nose\n1.jpg,nevus,F,nose\n") -> Import:  # noqa: F811
    row = upload(client, table)
    post(client, row, "import-map", **COLUMNS)
    client.post(reverse("import-act", args=[row.pk]), {"action": "start"})
    jobs.run_waiting(service.WRITE_JOB)
    row.refresh_from_db()
    assert row.state == "done", row.report
    return row


def test_words_of_other_fields_are_shown_with_counts_and_mapped(client):  # noqa: F811
    row = upload(client, TABLE)
    post(client, row, "import-map", **COLUMNS)
    fields = {one["field"]: one for one in page(client, row).context["fields"]}
    (asked,) = fields["sex"]["asked"]
    assert (asked["word"], asked["count"]) == ("X", 1) and "Female" in fields["sex"]["allowed"]
    (mars,) = fields["site"]["asked"]
    said = {asked["name"]: "", f"{asked['name']}_typed": "Other", mars["name"]: "-", "save_as": "mine"}
    post(client, row, "import-map", **COLUMNS, **said)
    assert row.words == {"sex": {"X": "other"}, "site": {"mars": "-"}}, row.words
    assert row.state == "ready" and row.report["left_out"] == 1
    assert row.clinic.saved_mappings.get().words == row.words


def test_the_values_a_field_may_hold_are_offered(client):  # noqa: F811
    found = client.get(reverse("import-values"), {"field": "site", "q": "leg"}).json()["terms"]
    assert {"lower_leg", "lower_limb"} <= {one["value"] for one in found}
    everything = client.get(reverse("import-values"), {"field": "sex"}).json()["terms"]
    assert [one["value"] for one in everything] == ["female", "male", "other", "unknown", "-"]
    assert client.get(reverse("import-values"), {"field": "moon"}).json() == {"terms": []}


def test_columns_are_shown_with_some_of_their_cells(client):  # noqa: F811
    row = upload(client, TABLE)
    (column,) = [one for one in page(client, row).context["columns"] if one["field"] == "site"]
    assert ("site", "site", "mars, nose") in column["names"]


def test_the_encoding_is_chosen_by_how_the_words_read(client):  # noqa: F811
    table = SimpleUploadedFile("t.csv", "file,label,text\n0.jpg,bcc,JOÃO\n".encode("cp1252"))
    fields = {"name": "P", "format": "csv", "role": "both", "archive": SimpleUploadedFile("a.zip", archive())}
    client.post(reverse("import-new"), fields | {"table": table})
    row = Import.objects.get()
    assert row.state == "uploaded" and "JO홒" in page(client, row).content.decode()
    columns = {f"column-{name}": name for name in ("file", "label", "text")}
    post(client, row, "import-map", encoding="cp949")
    assert "Say which column" in page(client, row).content.decode()
    service.set_mapping(row, encoding="")
    post(client, row, "import-map", **columns)
    shown = page(client, row).content.decode()
    assert row.state == "refused" and "JOÃO" in shown and "JO홒" in shown
    post(client, row, "import-map", **columns, encoding="cp1252")
    assert row.state == "ready" and row.encoding == "cp1252"


def test_a_table_inside_the_zip_is_found(client):  # noqa: F811
    import io
    import zipfile

    file = io.BytesIO(archive())
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("meta/table.csv", "isic_id,diagnosis\n0,Nevus\n1,Nevus\n2,Verruca\n")
        made.writestr("LICENSE.txt", "text")
    fields = {
        "name": "Z",
        "format": "isic",
        "role": "both",
        "archive": SimpleUploadedFile("a.zip", file.getvalue()),
    }
    client.post(reverse("import-new"), fields)
    jobs.run_waiting(service.CHECK_JOB)
    row = Import.objects.get()
    assert row.state == "ready", row.report
    assert row.report["passed_over"] == {"a text file": {"count": 1, "names": ["LICENSE.txt"]}}
    assert "LICENSE.txt" in page(client, row).content.decode()


def test_a_table_is_replaced_and_a_corrected_one_imported_without_photos(client):  # noqa: F811
    row = upload(client, HEAD + "0.jpg,mystery,F,nose\n")
    post(client, row, "import-map", **COLUMNS)
    assert row.state == "refused"
    post(
        client, row, "import-table", table=SimpleUploadedFile("t.csv", (HEAD + "0.jpg,bcc,F,nose\n").encode())
    )
    assert row.state == "ready"
    client.post(reverse("import-act", args=[row.pk]), {"action": "start"})
    jobs.run_waiting(service.WRITE_JOB)
    table = SimpleUploadedFile("t.csv", (HEAD + "0.jpg,bcc,F,ear\n").encode())
    post(client, row, "import-table", table=table)
    new = Import.objects.latest("pk")
    assert new.pk != row.pk and new.photos == "" and new.state == "ready" and new.report["changed"] == 1


@pytest.mark.parametrize(("choice", "label"), [("keep", "mm"), ("take", "sk")])
def test_changes_are_listed_and_kept_or_taken(client, curator, choice, label):  # noqa: F811
    row = written(client)
    review.edit(entry=Entry.objects.get(external_id="0.jpg"), user=curator, label="mm")
    post(client, row, "import-table", table=SimpleUploadedFile("t.csv", (HEAD + "0.jpg,sk,F,ear\n").encode()))
    new = Import.objects.latest("pk")
    shown = page(client, new)
    listed = {one["field"]: one for one in shown.context["changes"]}
    assert listed["label"]["by"] == str(curator) and listed["site"]["shown_new"] == "Ear"
    number = listed["label"]["row"]
    post(client, new, "import-decide", **{f"one-{number}-label": choice, "field-site": "keep"})
    assert new.decisions["fields"]["site"] == "keep"
    assert "0.jpg" in client.get(reverse("import-changes", args=[new.pk])).content.decode()
    client.post(reverse("import-act", args=[new.pk]), {"action": "start"})
    jobs.run_waiting(service.WRITE_JOB)
    entry = Entry.objects.get(external_id="0.jpg")
    assert (entry.label, entry.site) == (label, "nose")


def test_an_import_is_undone_on_its_page(client):  # noqa: F811
    row = written(client)
    assert "Undo the import" in page(client, row).content.decode()
    client.post(reverse("import-act", args=[row.pk]), {"action": "undo"})
    assert page(client, row).status_code == 200
    jobs.run_waiting(service.UNDO_JOB)
    row.refresh_from_db()
    assert row.state == "undone" and not Entry.objects.exists()
    assert "2 photos with their rows were removed" in page(client, row).content.decode()


def test_columns_are_offered_by_their_names_until_a_person_has_named_them(client):  # noqa: F811
    table = SimpleUploadedFile(
        "t.csv", "사진 파일,진단명,나이,성별,Localisation\n0.jpg,bcc,71세,여,nose\n".encode()
    )
    fields = {"name": "P", "format": "csv", "role": "both", "archive": SimpleUploadedFile("a.zip", archive())}
    client.post(reverse("import-new"), fields | {"table": table})
    row = Import.objects.get()
    chosen = {one["field"]: one["chosen"] for one in page(client, row).context["columns"] if one["chosen"]}
    assert chosen == {
        "file": "사진 파일", "label": "진단명", "age": "나이", "sex": "성별", "site": "Localisation",
    }  # fmt: skip
    post(client, row, "import-map", **{"column-file": "사진 파일", "column-label": "진단명"})
    chosen = {one["field"]: one["chosen"] for one in page(client, row).context["columns"] if one["chosen"]}
    assert chosen == {"file": "사진 파일", "label": "진단명"}
    assert set(row.report["unread_columns"]) == {"나이", "성별", "Localisation"}


def test_a_photo_whose_row_cannot_be_read_is_not_said_to_have_none(client):  # noqa: F811
    row = upload(client, HEAD + "0.jpg,bcc,F,mars\n1.jpg,nevus,F,nose\n")
    post(client, row, "import-map", **COLUMNS)
    assert row.report["kept_out"] == 1 and row.report["files_without_row"] == ["2.jpg"]
    shown = page(client, row).content.decode()
    assert "photos whose rows have errors" in shown and "To the 1 error" in shown


def test_ages_that_were_understood_are_listed_as_what_they_were_read_as(client):  # noqa: F811
    table = "file,label,age\n0.jpg,bcc,71세\n1.jpg,bcc,85+\n2.jpg,bcc,45\n"
    row = upload(client, table)
    post(client, row, "import-map", **{f"column-{name}": name for name in ("file", "label", "age")})
    (ages,) = [one for one in page(client, row).context["fields"] if one["field"] == "age"]
    assert {one["word"]: one["means"] for one in ages["known"]} == {"71세": "71", "85+": "85 and older"}
    offered = client.get(reverse("import-values"), {"field": "age", "q": "60-64"}).json()["terms"]
    assert offered == [{"value": "60-64", "label": "60–64", "detail": ""}]


def test_contradictions_are_told_in_words(client):  # noqa: F811
    table = "file,label,patient,skin_type\n0.jpg,bcc,P,II-III\n1.jpg,bcc,P,5\n"
    row = upload(client, table)
    names = ("file", "label", "patient", "skin_type")
    post(client, row, "import-map", **{f"column-{name}": name for name in names})
    assert page(client, row).context["report"]["contradictions"][0]["values"] == [("II–III", 2), ("V", 3)]


def test_the_counts_of_what_would_change_follow_the_choices(client):  # noqa: F811
    row = written(client)
    table = SimpleUploadedFile("t.csv", (HEAD + "0.jpg,bcc,M,nose\n1.jpg,mm,F,nose\n").encode())
    post(client, row, "import-table", table=table)
    new = Import.objects.latest("pk")
    assert ("changed labels or facts", 2) in page(client, new).context["difference"]
    client.post(reverse("import-decide", args=[new.pk]), {"field-sex": "keep"})
    counts = dict(page(client, new).context["difference"])
    assert counts["changed labels or facts"] == 1 and counts["keep what is here, as chosen"] == 1


def test_a_column_for_each_disease_is_offered_where_a_table_has_them(client):  # noqa: F811
    table = "file,MEL,nevus,smoke\n0.jpg,1,0,1\n1.jpg,0,1.0,0\n2.jpg,0,0,1\n"
    row = upload(client, table)
    (label,) = [one for one in page(client, row).context["columns"] if one["field"] == "label"]
    assert label["chosen"] == "0/1" and label["names"][0][2] == "MEL, nevus"
    post(client, row, "import-map", **{"column-file": "file", "column-label": "0/1"})
    assert row.report["labels"] == {"mm": 1, "nevus": 1} and row.report["unread_columns"] == ["smoke"]
    assert row.state == "refused", "in no column of a row there is a 1: a person says what it means"
    (word,) = page(client, row).context["words"]
    assert word["word"] == "" and word["rows"] == [4]
    post(client, row, "import-map", **{"column-file": "file", "column-label": "0/1", word["name"]: "-"})
    assert row.state == "ready" and row.report["left_out"] == 1


def test_columns_that_say_more_than_0_and_1_are_not_taken_for_diseases(client):  # noqa: F811
    row = upload(client, "file,MEL,nevus\n0.jpg,0.7,0\n1.jpg,0.2,1\n")
    (label,) = [one for one in page(client, row).context["columns"] if one["field"] == "label"]
    assert label["chosen"] == "" and all(value != "0/1" for value, _name, _cells in label["names"])
    post(client, row, "import-map", **{"column-file": "file", "column-label": "0/1"})
    assert row.state == "refused" and "no columns named by diseases" in page(client, row).content.decode()
