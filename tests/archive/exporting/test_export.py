"""Exports: whole, de-identified, resumable, and read back as the same dataset."""

import csv
import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from skinclinic import imaging
from skinclinic.archive.models import Dataset, DatasetItem, DatasetVersion, Entry, Source
from skinclinic.archive.services.datasets import freezing
from skinclinic.archive.services.exporting import export
from skinclinic.files import store
from skinclinic.models import AuditEvent, Patient
from skinclinic.services import step_up
from skinclinic.services.refused import Refused
from skinclinic.web import zip_stream
from tests import factories, photo_bytes

pytestmark = pytest.mark.django_db


def zip_of(version, **options) -> bytes:
    return b"".join(zip_stream.chunks(export.members(version, export.Options(**options))))


def rows_of(data: bytes):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_zip_holds_photos_and_words_and_no_person(frozen):
    data = zip_of(frozen, texts=True)
    assert data == zip_of(frozen, texts=True)
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    rows = rows_of(archive.read("photos.csv"))
    assert len(rows) == 6 and {row["label"] for row in rows} == {"bcc", "mm", "sk", "Rosacea"}
    assert all(imaging.sha256(archive.read(row["file"])) == row["sha256"] for row in rows)
    assert "'=1+1" in {row["text"] for row in rows}
    isic = rows_of(archive.read("isic.csv"))
    assert {row["age_approx"] for row in isic} == {"40", "45"}
    assert json.loads(archive.read("dataset.json"))["sha256"] == frozen.sha256
    text = b"".join(archive.read(name) for name in ("photos.csv", "isic.csv", "dataset.json"))
    for secret in (b"P-0", b"lesion.jpg", b"2012-05", b"photo-"):
        assert secret not in text


def test_pathology_texts_leave_only_when_asked_for(frozen):
    archive = zipfile.ZipFile(io.BytesIO(zip_of(frozen)))
    assert {row["text"] for row in rows_of(archive.read("photos.csv"))} == {""}


def test_an_export_needs_a_password_of_the_last_minutes(frozen, curator, client_for, monkeypatch):
    monkeypatch.setattr(step_up, "is_fresh", lambda request: False)
    address, client = reverse("dataset-export", args=[frozen.pk]) + "?isic=1", client_for(curator)
    asked = client.get(address)
    assert asked.status_code == client.head(address).status_code == 403
    assert "confirm_password" in asked.content.decode() and address in asked.content.decode()


def test_exports_are_for_curators_and_pathology_texts_for_admins_who_say_why(
    frozen, clinician, coordinator, curator, admin_user, client_for
):
    page, address = reverse("dataset", args=[frozen.pk]), reverse("dataset-export", args=[frozen.pk])
    why = reverse("dataset-texts", args=[frozen.pk])
    for user in (clinician, coordinator):
        client = client_for(user)
        assert address not in client.get(page).content.decode()
        assert {client.get(address).status_code, client.head(f"{address}?texts=1").status_code} == {403}
        assert client.get(why).status_code == 403
    client = client_for(curator)
    assert address in client.get(page).content.decode()
    plain = b"".join(client.get(address).streaming_content)
    assert b"'=1+1" not in zipfile.ZipFile(io.BytesIO(plain)).read("photos.csv")
    assert (
        client.get(f"{address}?texts=1").status_code == client.post(why, {"reason": "x"}).status_code == 403
    )
    client = client_for(admin_user)
    assert why in client.get(page).content.decode()
    assert client.get(f"{address}?texts=1").url == why
    assert client.post(why, {"reason": " "}).status_code == 422
    answer = client.post(why, {"reason": "Ethics vote 2026-17"})
    assert answer.url == f"{address}?texts=1"
    whole = b"".join(client.get(answer.url).streaming_content)
    assert b"'=1+1" in zipfile.ZipFile(io.BytesIO(whole)).read("photos.csv")
    told = AuditEvent.objects.filter(action__in=("dataset.export", "dataset.texts")).order_by("id")
    assert [(row.action, row.user_key, row.reason, row.facts) for row in told] == [
        ("dataset.export", curator.pk, "", {}),
        ("dataset.texts", admin_user.pk, "Ethics vote 2026-17", {}),
        ("dataset.export", admin_user.pk, "", {"texts": "1"}),
    ]
    # Another sign-in says it anew.
    assert client_for(admin_user).get(f"{address}?texts=1").url == why


def test_a_later_correction_does_not_change_the_export(frozen):
    before = zip_of(frozen, texts=True)
    Entry.objects.update(text="Corrected", icd10="Z00", confirmed_by="")
    assert zip_of(frozen, texts=True) == before


def test_a_folder_export_goes_on_where_it_stopped(frozen, tmp_path, capsys):
    out = tmp_path / "out"
    call_command("export_dataset", "Tumours", out=out)
    photos = sorted((out / "photos").iterdir())
    photos[0].write_bytes(b"half")
    photos[1].unlink()
    call_command("export_dataset", "Tumours", out=out)
    assert "2 written now" in capsys.readouterr().out
    call_command("export_dataset", "Tumours", out=tmp_path / "x.zip", thumbnails=True)
    assert len(zipfile.ZipFile(tmp_path / "x.zip").namelist()) == 11


def test_a_zip_file_goes_on_where_it_stopped(frozen, tmp_path):
    whole = zip_of(frozen)
    draft_file = tmp_path / f"x.zip.{frozen.sha256[:12]}-{export.Options().key}.part"
    draft_file.write_bytes(whole[:5000])
    call_command("export_dataset", "Tumours", out=tmp_path / "x.zip")
    assert (tmp_path / "x.zip").read_bytes() == whole and not draft_file.exists()


def test_a_download_goes_on_where_it_was_cut_off(frozen, client_for, curator):
    client, address = client_for(curator), f"/archive/datasets/{frozen.pk}/export/"
    first = client.get(address)
    whole = b"".join(first.streaming_content)
    assert len(whole) == int(first["Content-Length"]) and first["Accept-Ranges"] == "bytes"
    rest = client.get(address, headers={"Range": "bytes=4000-", "If-Range": first["ETag"]})
    assert rest.status_code == 206
    assert rest["Content-Range"] == f"bytes 4000-{len(whole) - 1}/{len(whole)}"
    assert whole[:4000] + b"".join(rest.streaming_content) == whole
    assert client.get(address, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    other = client.get(address, headers={"Range": "bytes=4000-", "If-Range": '"older"'})
    assert other.status_code == 200 and b"".join(other.streaming_content) == whole


def test_drafts_are_not_exported(draft):
    with pytest.raises(Refused):
        export.members(draft, export.Options())


def test_a_file_that_is_gone_or_changed_is_named(frozen, tmp_path):
    key = frozen.items.order_by("content_sha256").first().entry.photo.file_key
    name = frozen.items.order_by("content_sha256").first().content_sha256[:16]
    store.path_of(key).write_bytes(b"something else")
    with pytest.raises(CommandError, match=name):
        call_command("export_dataset", "Tumours", out=tmp_path / "out")
    assert not list((tmp_path / "out" / "photos").iterdir())
    store.path_of(key).unlink()
    with pytest.raises(Refused, match=name):
        export.members(frozen, export.Options())


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "folder"])
def test_an_export_read_elsewhere_is_the_same_dataset(frozen, other_clinic, outsider, tmp_path, as_zip):
    DatasetVersion.objects.filter(pk=frozen.pk).update(
        provenance=[
            {"name": "A", "licence": "CC BY 4.0"},
            {"name": "B", "licence": "CC0", "devices": "phone"},
        ]
    )
    one, other = frozen.items.order_by("pk")[:2]
    DatasetItem.objects.filter(pk=one.pk).update(tags=",pen_marks,hair,", age=30, age_to=39)
    DatasetItem.objects.filter(pk=other.pk).update(age=85, age_to=120, site="head_neck")
    frozen.items.update(skin_type=12)
    out = tmp_path / ("export.zip" if as_zip else "export")
    with pytest.raises(CommandError, match="--reason"):
        call_command("export_dataset", "Tumours", out=out, texts=True)
    call_command("export_dataset", "Tumours", out=out, texts=True, reason="Ethics vote 2026-17")
    call_command(
        "import_dataset", "Tumours", photos=out, format="skinclinic", clinic=other_clinic.slug,
        user=outsider.username, role="both",
    )  # fmt: skip
    there = Dataset.objects.get(clinic=other_clinic, name="Tumours").versions.get()
    assert freezing.fingerprint_of(there) == frozen.sha256
    told = (
        "content_sha256", "label", "split", "subtype", "text", "age", "age_to", "sex", "skin_type", "site", "kind",
        "is_proven", "tags",
    )  # fmt: skip
    assert list(there.items.order_by("content_sha256").values_list(*told)) == list(
        frozen.items.order_by("content_sha256").values_list(*told)
    )
    assert there.items.values("person").distinct().count() == 3
    source = Source.objects.get(clinic=other_clinic, name="Tumours")
    assert (source.licence, source.devices) == ("A: CC BY 4.0; B: CC0", "B: phone")
    frozen_again = freezing.freeze(there, outsider, verify=True)
    assert frozen_again.sha256 == frozen.sha256
    call_command(
        "import_dataset", "Tumours", photos=out, format="skinclinic", clinic=other_clinic.slug, role="both"
    )
    assert Dataset.objects.get(clinic=other_clinic, name="Tumours").versions.count() == 1


def test_an_export_read_in_its_own_clinic_names_the_same_photos(frozen, clinic, tmp_path):
    call_command("export_dataset", "Tumours", out=tmp_path / "x.zip")
    call_command("import_dataset", "Again", photos=tmp_path / "x.zip", format="skinclinic")
    again = Dataset.objects.get(clinic=clinic, name="Again").versions.get()
    assert freezing.fingerprint_of(again) == frozen.sha256
    assert Entry.objects.filter(clinic=clinic).count() == 6


@pytest.mark.parametrize("missing", ["photos.csv", "dataset.json"])
def test_an_export_without_its_tables_is_refused(frozen, other_clinic, tmp_path, missing, capsys):
    call_command("export_dataset", "Tumours", out=tmp_path / "out")
    (tmp_path / "out" / missing).unlink()
    with pytest.raises(CommandError):
        call_command(
            "import_dataset", "New", photos=tmp_path / "out", format="skinclinic", clinic=other_clinic.slug
        )
    assert "no whole export" in capsys.readouterr().err
    assert not Entry.objects.filter(clinic=other_clinic).exists()


def test_drawings_stay_marked_after_the_way_there_and_back(frozen, other_clinic, tmp_path):
    DatasetItem.objects.filter(version=frozen).update(is_synthetic=True)
    call_command("export_dataset", "Tumours", out=tmp_path / "x.zip")
    call_command(
        "import_dataset", "T", photos=tmp_path / "x.zip", format="skinclinic", clinic=other_clinic.slug
    )
    assert Entry.objects.filter(clinic=other_clinic, photo__is_synthetic=True).count() == 6


def test_a_file_that_holds_more_than_the_picture_is_not_exported(frozen, monkeypatch):
    """The checker finds what somebody put into a stored file, or what reached a table, and names it."""
    item = frozen.items.select_related("entry__photo").order_by("content_sha256").first()
    read = store.read
    for option in (False, True):
        key = item.entry.photo.thumbnail_key if option else item.entry.photo.file_key

        def with_comment(asked, key=key):
            data = read(asked)
            return photo_bytes.jpeg_with_segment(data, 0xFE, b"Given Surname") if asked == key else data

        monkeypatch.setattr(store, "read", with_comment)
        monkeypatch.setattr(imaging, "sha256", lambda data: item.content_sha256)
        with pytest.raises(Refused, match=r"photos/.*a comment|clinic-.*a comment"):
            list(
                b"".join(member.read())
                for member in export.members(frozen, export.Options(thumbnails=option))
            )
    monkeypatch.undo()


def test_what_leads_to_a_person_reaches_no_table(frozen):
    item = frozen.items.order_by("content_sha256").first()
    for name, value in (
        ("ethnicity", "born 1984-02-15"),
        ("subtype", "me@example.org"),
        ("impression", "010-1234-5678"),
    ):
        before = getattr(item, name)
        DatasetItem.objects.filter(pk=item.pk).update(**{name: value})
        with pytest.raises(Refused, match=f"{item.content_sha256[:16]}.*{name}"):
            zip_of(frozen)
        DatasetItem.objects.filter(pk=item.pk).update(**{name: before})
    Patient.objects.filter(entries=item.entry).update(code="P-77")
    DatasetItem.objects.filter(pk=item.pk).update(text="P 77, seen 2012-05-07: naevus")
    text = zipfile.ZipFile(io.BytesIO(zip_of(frozen, texts=True))).read("photos.csv").decode()
    assert "–, seen –: naevus" in text or item.entry.patient_id is None


def test_a_file_that_was_asked_for_comes_from_a_page_that_says_so(
    client_for, admin_user, frozen, monkeypatch
):
    """Led to the file itself, a browser would stay on the page that asks, as if nothing had happened."""
    client, address = client_for(admin_user), reverse("dataset-export", args=[frozen.pk])
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=11))
    asked = client.get(address, headers={"Referer": f"http://testserver{reverse('datasets')}"})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode()))
    assert asked.status_code == 403 and fields["next"] == address and "confirm_file" in fields
    # Also after a wrong password.
    wrong = client.post(reverse("confirm"), fields | {"confirm_password": "wrong"})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', wrong.content.decode()))
    page = client.post(reverse("confirm"), fields | {"confirm_password": factories.PASSWORD}).content.decode()
    assert f'content="0; url={address}"' in page and f'href="{reverse("datasets")}"' in page
    assert client.get(address)["Content-Type"] == "application/zip"
