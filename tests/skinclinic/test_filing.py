"""Filing photos that came first: one, several, into a known lesion, and back again."""

from datetime import datetime

import pytest
from django.utils import timezone

from skinclinic.models import Diagnosis, Lesion, Patient, Photo
from skinclinic.services import diagnoses, filing
from tests import factories
from tests.cases import each


@pytest.fixture
def patient(clinic):
    return factories.make_patient(clinic, "P-0001", birth_year=1956)


@pytest.fixture
def client(client_for, clinician):
    return client_for(clinician)


@pytest.fixture
def several(clinic, clinician):
    return [factories.make_photo(clinic, clinician, seed=seed, name=f"{seed}.jpg") for seed in (1, 2, 3)]


def address_of(photos):
    return "/filing/?ids=" + ",".join(str(photo.pk) for photo in photos)


def everything():
    """All that filing may change."""
    return (
        list(Photo.objects.order_by("pk").values("pk", "kind", "captured_at", "lesion__created_at")),
        sorted(Lesion.objects.values_list("created_at", "site", "site_x", "note", "photo_count", "is_proven")),
        list(Lesion.objects.order_by("created_at").values("patient")),
        list(Diagnosis.objects.order_by("pk").values("pk", "withdrawn_at")),
        list(Patient.objects.values("code")),
    )  # fmt: skip


class TestOne:
    def test_under_a_new_patient(self, client, photo, clinician):
        sent = {
            "code": "N-1", "birth_year": "1980", "sex": "male", "skin_type": "3", "site": "nose", "site_x": "0.5",
            "site_y": "0.25", "kind": "dermoscopic", "captured_on": "2024-05-06",
        }  # fmt: skip
        response = client.post(f"/photos/{photo.pk}/filing/", sent)
        before = photo.lesion_id
        photo.refresh_from_db()
        lesion = photo.lesion
        assert response.url == f"/lesions/{lesion.pk}/" and lesion.pk == before
        assert (lesion.patient.code, lesion.patient.birth_year, lesion.patient.created_by) == (
            "N-1",
            1980,
            clinician,
        )
        assert (lesion.site, lesion.site_x, lesion.site_y) == ("nose", 0.5, 0.25)
        assert (
            photo.kind == "dermoscopic" and timezone.localdate(photo.captured_at).isoformat() == "2024-05-06"
        )

    def test_under_a_known_patient_whatever_the_case(self, client, photo, patient):
        client.post(f"/photos/{photo.pk}/filing/", {"code": " p-0001 ", "kind": "close_up"})
        assert Lesion.objects.get().patient == patient
        assert Patient.objects.count() == 1

    def test_into_a_lesion_of_the_patient(self, client, photo, patient, clinic, clinician):
        known = Lesion.objects.create(clinic=clinic, patient=patient, site="back", created_by=clinician)
        impression = diagnoses.record(lesion=photo.lesion, user=clinician, kind="impression", disease="mm")
        sent = {"code": "P-0001", "kind": "close_up", "lesion": str(known.pk), "site": "nose"}
        client.post(f"/photos/{photo.pk}/filing/", sent)
        known.refresh_from_db()
        impression.refresh_from_db()
        assert known.cover == photo and known.photo_count == 1 and known.site == "back"
        assert impression.lesion == known
        assert Lesion.objects.count() == 1

    def test_a_day_that_was_right_keeps_its_hour(self, client, photo, patient):
        taken = timezone.make_aware(datetime(2024, 5, 6, 8, 30))
        Photo.objects.filter(pk=photo.pk).update(captured_at=taken, captured_offset=120)
        client.post(
            f"/photos/{photo.pk}/filing/", {"code": "P-0001", "kind": "close_up", "captured_on": "2024-05-06"}
        )
        photo.refresh_from_db()
        assert (photo.captured_at, photo.captured_offset) == (taken, 120)
        client.post(f"/photos/{photo.pk}/filing/", {"code": "P-0001", "kind": "close_up", "captured_on": ""})
        photo.refresh_from_db()
        assert (photo.captured_at, photo.captured_offset) == (None, None)

    def test_a_photo_that_shares_its_lesion_leaves_the_others(
        self, client, photo, patient, clinic, clinician
    ):
        other = factories.make_photo(clinic, clinician, seed=9, lesion=photo.lesion)
        client.post(f"/photos/{photo.pk}/filing/", {"code": "P-0001", "kind": "close_up"})
        photo.refresh_from_db()
        other.refresh_from_db()
        assert photo.lesion.patient == patient and other.lesion.patient is None
        assert (photo.lesion.photo_count, other.lesion.photo_count) == (1, 1)

    def test_the_form_shows_what_is_known(self, client, photo, patient):
        Lesion.objects.filter(pk=photo.lesion_id).update(patient=patient, site="nose")
        Photo.objects.filter(pk=photo.pk).update(captured_at=timezone.make_aware(datetime(2024, 5, 6, 8, 30)))
        page = client.get(f"/photos/{photo.pk}/filing/").content.decode()
        assert 'value="P-0001"' in page and 'value="2024-05-06"' in page
        assert '<option value="nose" selected>' in page

    @each(
        "sent",
        [
            {"code": ""},
            {"code": "a@b.kr"},
            {"code": "홍길동"},
            {"code": "a\0b"},
            {"code": "N-1", "birth_year": "1500"},
            {"code": "P-0001", "lesion": "999999"},
            {"code": "P-0001", "lesion": "9" * 19},
            {"code": "P-0001", "lesion": "x"},
            {"code": "N-1", "lesion": "1"},
            {"code": "P-0001", "kind": "x-ray"},
            {"code": "P-0001", "kind": ""},
            {"code": "P-0001", "captured_on": "2999-01-01"},
            {"code": "P-0001", "captured_on": "yesterday"},
            {"code": "P-0001", "site": "moon"},
            {"code": "P-0001", "site": "nose", "site_x": "7", "site_y": "7"},
        ],
    )
    def test_what_is_refused_changes_nothing_and_stays_typed(self, client, photo, patient, sent):
        before = everything()
        form = {"kind": "overview", "captured_on": "2024-05-06"} | sent
        response = client.post(f"/photos/{photo.pk}/filing/", form)
        assert response.status_code == 422
        assert everything() == before
        page = response.content.decode()
        assert "is-invalid" in page or 'aria-invalid="true"' in page or "errorlist" in page
        if sent["code"].isascii() and sent["code"].isprintable():
            assert f'value="{sent["code"]}"' in page

    def test_a_lesion_of_somebody_else_is_not_taken(self, client, photo, patient, clinic, other_clinic):
        theirs = Lesion.objects.create(
            clinic=other_clinic, patient=factories.make_patient(other_clinic, "P-0001")
        )
        another = Lesion.objects.create(clinic=clinic, patient=factories.make_patient(clinic, "P-2"))
        for lesion in (theirs, another):
            sent = {"code": "P-0001", "kind": "close_up", "lesion": str(lesion.pk)}
            assert client.post(f"/photos/{photo.pk}/filing/", sent).status_code == 422

    def test_two_pathologies_do_not_become_one_lesion(self, client, photo, patient, clinic, clinician):
        known = Lesion.objects.create(clinic=clinic, patient=patient)
        for lesion, disease in ((photo.lesion, "mm"), (known, "sk")):
            diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease=disease)
        before = everything()
        sent = {"code": "P-0001", "kind": "close_up", "lesion": str(known.pk)}
        response = client.post(f"/photos/{photo.pk}/filing/", sent)
        assert response.status_code == 422 and "Withdraw one of them" in response.content.decode()
        assert everything() == before


class TestSeveral:
    def test_as_one_new_lesion(self, client, several, patient):
        response = client.post(address_of(several), {"code": "P-0001", "site": "back"})
        lesion = Lesion.objects.get()
        assert response.url == f"/patients/{patient.pk}/"
        assert (lesion.patient, lesion.photo_count, lesion.site) == (patient, 3, "back")

    def test_as_a_lesion_each(self, client, several, patient):
        client.post(address_of(several), {"code": "P-0001", "lesion": "each", "kind": "overview"})
        assert set(Lesion.objects.values_list("patient", "photo_count")) == {(patient.pk, 1)}
        assert Lesion.objects.count() == 3
        assert set(Photo.objects.values_list("kind", flat=True)) == {"overview"}

    def test_empty_kind_and_day_leave_what_each_has(self, client, several, patient):
        Photo.objects.filter(pk=several[0].pk).update(
            kind="dermoscopic", captured_at=timezone.make_aware(datetime(2024, 5, 6, 8)), captured_offset=540
        )
        before = list(Photo.objects.order_by("pk").values_list("kind", "captured_at", "captured_offset"))
        client.post(address_of(several), {"code": "P-0001"})
        assert (
            list(Photo.objects.order_by("pk").values_list("kind", "captured_at", "captured_offset")) == before
        )

    def test_ids_may_come_one_by_one(self, client, several):
        query = "&".join(f"ids={photo.pk}" for photo in several)
        assert client.get(f"/filing/?{query}").context["photos"] == several

    @each("ids", ["", "x", "0", "-1", "9" * 30, "1,\0", "1.5", "٣"])
    def test_ids_that_are_none_are_not_found(self, client, several, ids):
        assert client.get("/filing/", {"ids": ids}).status_code == 404

    def test_one_photo_of_another_clinic_spoils_all(self, client, several, outsider, other_clinic):
        theirs = factories.make_photo(other_clinic, outsider, seed=7)
        assert client.get(address_of([*several, theirs])).status_code == 404
        assert client.post(address_of([theirs, *several]), {"code": "N-1"}).status_code == 404
        assert not Patient.objects.exists()


class TestUndo:
    @pytest.mark.parametrize(
        ("code", "lesion"),
        [("P-0001", "new"), ("P-0001", "each"), ("P-0001", "known"), ("N-1", "new"), ("N-1", "each")],
    )
    def test_everything_is_as_it_was(self, client, several, patient, clinic, clinician, code, lesion):
        known = Lesion.objects.create(
            clinic=clinic, patient=patient, site="back", note="n", created_by=clinician
        )
        diagnoses.record(lesion=several[1].lesion, user=clinician, kind="impression", disease="mm")
        diagnoses.record(lesion=several[2].lesion, user=clinician, kind="pathology", disease="sk")
        before = everything()
        chosen = str(known.pk) if lesion == "known" else lesion
        sent = {
            "code": code,
            "lesion": chosen,
            "kind": "overview",
            "captured_on": "2024-05-06",
            "site": "nose",
        }
        assert client.post(address_of(several), sent).status_code == 302
        assert everything() != before
        assert "Undo" in client.get("/").content.decode()
        assert "Undone" in client.post("/filing/undo/", follow=True).content.decode()
        assert everything() == before

    def test_it_is_offered_once_and_done_once(self, client, photo, patient):
        client.post(f"/photos/{photo.pk}/filing/", {"code": "P-0001", "kind": "close_up"})
        assert "/filing/undo/" in client.get(f"/lesions/{photo.lesion_id}/").content.decode()
        assert "/filing/undo/" not in client.get(f"/lesions/{photo.lesion_id}/").content.decode()
        client.post("/filing/undo/")
        assert "nothing to undo" in client.post("/filing/undo/", follow=True).content.decode()

    def test_what_has_moved_on_stays(self, client, photo, patient, clinic):
        client.post(f"/photos/{photo.pk}/filing/", {"code": "P-0001", "kind": "close_up"})
        elsewhere = Lesion.objects.create(clinic=clinic, patient=patient)
        Photo.objects.filter(pk=photo.pk).update(lesion=elsewhere)
        assert "Nothing was undone" in client.post("/filing/undo/", follow=True).content.decode()
        photo.refresh_from_db()
        assert photo.lesion == elsewhere

    def test_a_patient_used_meanwhile_stays(self, client, photo, clinic):
        client.post(f"/photos/{photo.pk}/filing/", {"code": "N-1", "kind": "close_up"})
        Lesion.objects.create(clinic=clinic, patient=Patient.objects.get(code="N-1"))
        client.post("/filing/undo/")
        assert Patient.objects.filter(code="N-1").exists()

    def test_a_right_taken_away_is_gone(self, client, photo, patient, clinician, clinic):
        client.post(f"/photos/{photo.pk}/filing/", {"code": "P-0001", "kind": "close_up"})
        clinic.members.filter(user=clinician).update(role="coordinator")
        assert client.post("/filing/undo/").status_code == 403

    def test_get_is_refused(self, client):
        assert client.get("/filing/undo/").status_code == 405


class TestParts:
    def test_codes_begin_with_what_is_typed(self, client, photo, clinic, patient):
        factories.make_patient(clinic, "X-P-0001")
        factories.make_patient(clinic, "Q-1")
        terms = client.get(f"/photos/{photo.pk}/filing/codes/", {"q": "p-0"}).json()["terms"]
        assert [term["value"] for term in terms] == ["P-0001", "X-P-0001"]
        assert "1956" in terms[0]["detail"] and "0 lesions" in terms[0]["detail"]

    @pytest.mark.parametrize("text", ["\0", "%", "_", "x" * 5000, ""])
    def test_odd_text_gets_an_answer(self, client, photo, text):
        assert client.get(f"/photos/{photo.pk}/filing/codes/", {"q": text}).status_code == 200
        assert client.get(f"/photos/{photo.pk}/filing/patient/", {"code": text}).status_code == 200

    def test_what_was_typed_stays_when_the_code_changes(self, client, photo):
        typed = {"code": "N-2", "birth_year": "1961", "sex": "male", "ethnicity": "Korean", "lesion": "new"}
        page = client.get(f"/photos/{photo.pk}/filing/patient/", typed).content.decode()
        assert 'value="1961"' in page and 'value="male" selected' in page and 'value="Korean"' in page

    def test_a_known_patient_brings_the_lesions(self, client, photo, clinic, patient):
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, site="sole")
        page = client.get(f"/photos/{photo.pk}/filing/patient/", {"code": "P-0001"}).content.decode()
        choice = f'name="lesion" value="{lesion.pk}"'
        assert choice in page and "Sole" in page and "birth_year" not in page
        page = client.get(f"/photos/{photo.pk}/filing/patient/", {"code": "N-1"}).content.decode()
        assert "birth_year" in page and choice not in page


class TestWho:
    @pytest.mark.parametrize(
        "address",
        [
            "/photos/{}/filing/",
            "/photos/{}/filing/codes/",
            "/photos/{}/filing/patient/",
            "/filing/?ids={}",
        ],
    )
    def test_owner_reader_outsider(self, client_for, clinician, coordinator, outsider, photo, address):
        address = address.format(photo.pk)
        assert client_for(clinician).get(address).status_code == 200
        assert client_for(coordinator).get(address).status_code == 403
        assert client_for(outsider).get(address).status_code == 404
        assert client_for(clinician).put(address).status_code == 405
        sent = {"code": "N-1", "kind": "close_up"}
        assert client_for(coordinator).post(address, sent).status_code in (403, 405)
        assert client_for(outsider).post(address, sent).status_code in (404, 405)
        assert not Patient.objects.exists()

    def test_unknown_photos_are_not_found(self, client):
        for pk in ("0", "999999", "9" * 30):
            assert client.get(f"/photos/{pk}/filing/").status_code == 404


def test_the_lesion_follows_its_new_cover(analysis, clinic, clinician, patient):
    """An analysed photo moved into a lesion brings its answer along."""
    known = Lesion.objects.create(clinic=clinic, patient=patient)
    filing.file_photos(
        [analysis.photo], user=clinician, patient=patient, lesion=known, details=filing.Details(keep_day=True)
    )
    known.refresh_from_db()
    assert known.state == "done" and known.top_disease and known.malignant_sum is not None


class TestInAPanel:
    """As a script asks, over the cards."""

    SCRIPT = {"x-requested-with": "fetch"}

    def test_form_errors_and_receipt(self, client, several, patient):
        address = address_of(several)
        form = client.get(address, headers=self.SCRIPT).content.decode()
        assert "<html" not in form and f'action="{address}"' in form
        wrong = client.post(address, {"code": "a@b.example"}, headers=self.SCRIPT)
        assert wrong.status_code == 422 and "<html" not in wrong.content.decode()
        before = everything()
        filed = client.post(address, {"code": "P-0001"}, headers=self.SCRIPT).json()
        assert filed == {
            "said": "3 photos are filed under P-0001.", "photos": [photo.pk for photo in several], "warning": "",
        }  # fmt: skip
        # The panel offers to undo it; the next page does not offer it again.
        assert b"filing/undo" not in client.get(f"/patients/{patient.pk}/").content
        assert client.post("/filing/undo/", headers=self.SCRIPT).json()["photos"] == filed["photos"]
        assert everything() == before
        assert client.post("/filing/undo/", headers=self.SCRIPT).status_code == 409

    def test_each_photo_has_a_place_of_its_own(self, client, several, patient):
        first, second, _third = (f"photo-{photo.pk}" for photo in several)
        sent = {
            "code": "P-0001", "lesion": "each", "site": "back", "site_x": "0.9", "site_y": "0.9",
            f"{first}-site": "nose", f"{first}-site_x": "0.1", f"{first}-site_y": "0.2", f"{second}-site": "",
        }  # fmt: skip
        page = client.post(address_of(several), sent | {f"{first}-site": "moon"})
        assert page.status_code == 422 and "moon" in page.content.decode()
        assert (
            client.post(address_of(several), sent | {"lesion": "new", f"{first}-site": "moon"}).status_code
            == 302
        )
        client.post("/filing/undo/")
        client.post(address_of(several), sent)
        rows = Photo.objects.filter(pk__in=[photo.pk for photo in several]).order_by("pk")
        # The form did not speak of the third: it has the common place.
        assert [(r.lesion.site, r.lesion.site_x, r.lesion.site_y) for r in rows.select_related("lesion")] == [
            ("nose", 0.1, 0.2), ("", None, None), ("back", 0.9, 0.9),
        ]  # fmt: skip
