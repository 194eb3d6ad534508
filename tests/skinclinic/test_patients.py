"""Patients: codes that name nobody, the list, the page with the body picture."""

from datetime import UTC, datetime

import pytest

from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services import identifying, patient_codes
from tests import crowd, factories
from tests.cases import each


@pytest.fixture
def patient(clinic):
    return factories.make_patient(clinic, "P-0001", birth_year=1956, sex="female", skin_type=3)


class TestCodes:
    @each(
        "code, reason",
        [
            ("kim@example.org", "email"),
            ("x kim@example.co.kr", "email"),
            ("900101-1234567", "resident_number"),
            ("9001012234567", "resident_number"),
            ("900101 5234567", "resident_number"),
            ("010-1234-5678", "phone"),
            ("01012345678", "phone"),
            ("Kim +82 10-1234-5678", "phone"),
            ("\u202egnp.exe", "marks"),
            ("P-1\u200b", "marks"),
            ("\ufffd\ufffd-1", "lost"),
            ("P-0001", ""),
            ("2026-11-22/3", ""),
            ("901301-1234567", ""),  # there is no 13th month
            ("1234567890123456", ""),
        ],
    )
    def test_what_tells_who_it_is_is_refused(self, code, reason):
        assert patient_codes.refused(code) == reason

    @each("code, doubt", [
        ("김민지", "name"), ("홍길동", "name"), ("Jane Doe", "name"), ("DOE, JANE", "name"),
        ("Ana-Maria O'Neil", "name"),
        ("P-0001", ""), ("KR 0012", ""), ("환자-12", ""), ("alpha", ""), ("A1 B2", ""),
        *((name, "name") for name in (
            "Given Surname 19840215", "Jane Doe 84", "jane doe 1984", "DOE, JANE 840215", "Doe_Jane_1984",
            "84 Jane Doe", "Jane Doe (F/84)", "Ana-Maria O'Neil 12", "Doe J. 84", "Jane Doe #3", "Zoë Müller 7",
            "Jane Doe 1984-02-15",
            "김민지 84", "김민지84", "김민지(여/84)", "84 김민지", "김민지_840215", "김 민지 1984", "남궁민수 19840215",
            "KIM MINJI 0012", "MINJI KIM 0012", "0012-KIM-MINJI", "PARK JI SUNG 7", "smith john 0012", "NGUYEN_LAN_3",
            "김민지님 84", "환자 김민지 12", "P-12 김민지", "이준 84",
        )),
        *((code, "") for code in (
            "DEMO-004", "SNU-DERM-004", "PAT_1516", "Study Group 12", "Patient 84", "SNU DERM 0012", "연구 12",
            "피부과-84", "신환 2026-11", "서울 12", "흑색종 84", "Arm B 12", "Site A 1984", "ham_0001",
            "clinic-north-12", "MEL 84", "SNUH DERM 0012", "DERM CLINIC 0012", "KIM LAB 0012", "HAN RIVER 001",
            "GREEN TEAM 012", "UPPER ARM 012", "SEOUL ST MARY 0012", "MIN ARM 012", "LEFT HAND 012", "YOUNG ADULT 003",
            "2026-11-22/3", "Case 12 left arm", "김-84", "X 19840215", "KR-19840215-2", "증례 3", "B2 C3 D4",
        )),
    ])  # fmt: skip
    def test_what_looks_like_a_name_is_asked_about(self, code, doubt):
        assert patient_codes.doubtful(code) == doubt

    @each("kept", [True, False])
    def test_names_of_files_are_kept_unless_they_name_somebody(self, kept):
        names = (
            "IMG_1234.JPG PXL_20240501_123456789.jpg KakaoTalk_20240501_123456789.jpg 20240501_123456.jpg "
            "lesion.jpg 1.jpg P-0001.jpg ISIC_0024306.jpg PAT_8_15_820.png 이마.jpg 왼팔_근접.jpg Upper_Back.jpg "
            "nevus_dark.png IMG-20240501-WA0001.jpg d290f1ee-6c54-4b01-90e6-d701748f0851.jpg"
            if kept
            else "Given_Surname_900101.JPG kim_minsu.jpg 홍길동.jpg 홍길동_왼팔.jpg 12345678.jpg 010-1234-5678.jpg "
            "900101-1234567.jpg Doe_1984-02-15.png MINSU_KIM_1.jpg DSC_Jane_Doe.jpg a@b.co.kr.jpg"
        )
        for name in names.split():
            removed = f"name removed.{name.rpartition('.')[2].lower()}"
            assert identifying.kept_file_name(name) == (name if kept else removed)

    def test_one_spelling(self):
        assert patient_codes.tidy("  P   1 ") == "P 1"
        assert patient_codes.tidy("\u1112\u1161\u11ab") == "한"


class TestNew:
    def test_a_patient_is_made(self, client_for, clinician, clinic):
        form = {"code": " P-7 ", "birth_year": "1956", "sex": "male", "skin_type": "4", "ethnicity": "Korean"}
        response = client_for(clinician).post("/patients/new/", form)
        made = Patient.objects.get(clinic=clinic)
        assert response.url == f"/patients/{made.pk}/"
        assert (made.code, made.birth_year, made.sex, made.skin_type, made.ethnicity, made.created_by) == (
            "P-7", 1956, "male", 4, "Korean", clinician,
        )  # fmt: skip

    @each(
        "sent, field",
        [
            ({"code": ""}, "code"),
            ({"code": "a@b.kr"}, "code"),
            ({"code": "900101-1234567"}, "code"),
            ({"code": "p-0001"}, "code"),
            ({"code": "x" * 65}, "code"),
            ({"code": "a\0b"}, "code"),
            ({"code": "a\u202eb"}, "code"),
            ({"code": "P-2", "birth_year": "1700"}, "birth_year"),
            ({"code": "P-2", "birth_year": "2150"}, "birth_year"),
            ({"code": "P-2", "birth_year": "9" * 30}, "birth_year"),
            ({"code": "P-2", "birth_year": "soon"}, "birth_year"),
            ({"code": "P-2", "sex": "x"}, "sex"),
            ({"code": "P-2", "skin_type": "7"}, "skin_type"),
            ({"code": "P-2", "ethnicity": "y" * 81}, "ethnicity"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_kept(self, client_for, clinician, patient, sent, field):
        response = client_for(clinician).post(
            "/patients/new/", sent | {"ethnicity": sent.get("ethnicity", "kept")}
        )
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field]
        assert "kept" in response.content.decode() or field == "ethnicity"
        assert Patient.objects.count() == 1

    def test_a_name_is_asked_about_once(self, client_for, clinician):
        client = client_for(clinician)
        answer = client.post("/patients/new/", {"code": "홍길동"})
        assert answer.status_code == 422 and "names_nobody" in answer.content.decode()
        assert client.post("/patients/new/", {"code": "홍길동", "names_nobody": "on"}).status_code == 302

    def test_the_box_does_not_let_an_e_mail_address_through(self, client_for, clinician):
        form = {"code": "a@b.kr", "names_nobody": "on"}
        assert client_for(clinician).post("/patients/new/", form).status_code == 422

    def test_the_same_code_in_another_clinic_is_another_patient(self, client_for, outsider, patient):
        assert client_for(outsider).post("/patients/new/", {"code": "P-0001"}).status_code == 302

    def test_who_may(self, client_for, coordinator, client, db):
        reader = client_for(coordinator)
        assert reader.get("/patients/new/").status_code == 403
        assert reader.post("/patients/new/", {"code": "P-2"}).status_code == 403
        assert client.get("/patients/new/").status_code == 302
        assert not Patient.objects.exists()


class TestEdit:
    def test_it_is_changed(self, client_for, clinician, patient):
        client = client_for(clinician)
        assert "1956" in client.get(f"/patients/{patient.pk}/edit/").content.decode()
        client.post(f"/patients/{patient.pk}/edit/", {"code": "P-0001", "birth_year": "1957"})
        patient.refresh_from_db()
        assert (patient.birth_year, patient.sex) == (1957, "")

    def test_a_code_that_is_taken_is_refused(self, client_for, clinician, clinic, patient):
        factories.make_patient(clinic, "P-0002")
        response = client_for(clinician).post(f"/patients/{patient.pk}/edit/", {"code": "p-0002"})
        assert response.status_code == 422 and "P-0002" in response.content.decode()
        patient.refresh_from_db()
        assert patient.code == "P-0001"

    def test_an_old_code_that_looks_like_a_name_is_not_asked_about_again(self, client_for, clinician, clinic):
        named = factories.make_patient(clinic, "Jane Doe")
        response = client_for(clinician).post(
            f"/patients/{named.pk}/edit/", {"code": "Jane Doe", "sex": "female"}
        )
        assert response.status_code == 302

    def test_who_may(self, client_for, coordinator, outsider, patient):
        for method in ("get", "post"):
            assert (
                getattr(client_for(coordinator), method)(f"/patients/{patient.pk}/edit/").status_code == 403
            )
            assert getattr(client_for(outsider), method)(f"/patients/{patient.pk}/edit/").status_code == 404

    @pytest.mark.parametrize("pk", ["0", "999999", "9" * 30])
    def test_unknown_patients_are_not_found(self, client_for, clinician, pk):
        client = client_for(clinician)
        for address in (f"/patients/{pk}/", f"/patients/{pk}/edit/", f"/patients/{pk}/lesions/new/"):
            assert client.get(address).status_code == 404

    def test_other_methods_are_refused(self, client_for, clinician, patient):
        client = client_for(clinician)
        assert client.post("/patients/").status_code == 405
        assert client.post(f"/patients/{patient.pk}/").status_code == 405
        assert client.delete(f"/patients/{patient.pk}/edit/").status_code == 405


class TestList:
    def test_it_is_the_clinic_s_in_order_of_code(
        self, client_for, clinician, coordinator, outsider, clinic, patient
    ):
        other = factories.make_patient(clinic, "A-1")
        for user in (clinician, coordinator):
            assert client_for(user).get("/patients/").context["patients"] == [other, patient]
        assert client_for(outsider).get("/patients/").context["patients"] == []

    def test_part_of_a_code_finds(self, client_for, clinician, clinic, patient):
        factories.make_patient(clinic, "A%1")
        client = client_for(clinician)
        assert client.get("/patients/?q=p-00").context["patients"] == [patient]
        assert [row.code for row in client.get("/patients/", {"q": "%"}).context["patients"]] == ["A%1"]
        assert "No patient has this code" in client.get("/patients/?q=zzz").content.decode()
        assert client.get("/patients/?q=%00").context["patients"][1] == patient

    def test_every_patient_comes_once(self, client_for, clinician, clinic):
        crowd.fill(clinic, clinician, 400)
        client, codes, address = client_for(clinician), [], "/patients/"
        while address:
            response = client.get(address)
            codes += [row.code for row in response.context["patients"]]
            address = response.context["next_url"]
        assert codes == list(Patient.objects.order_by("code").values_list("code", flat=True))
        assert len(codes) > 100

    def test_a_bad_cursor_is_the_first_page(self, client_for, clinician, patient):
        assert client_for(clinician).get("/patients/?cursor=%00x").context["patients"] == [patient]

    def test_queries_do_not_grow(self, client_for, clinician, clinic, patient, django_assert_max_num_queries):
        crowd.fill(clinic, clinician, 100)
        client = client_for(clinician)
        client.get("/patients/")
        with django_assert_max_num_queries(8):
            client.get("/patients/")

    def test_a_first_visit_says_what_a_patient_is(self, client_for, clinician, coordinator):
        page = client_for(clinician).get("/patients/").content.decode()
        assert "No patients yet" in page and "Add the first patient" in page
        assert "Add the first patient" not in client_for(coordinator).get("/patients/").content.decode()


class TestFind:
    def test_a_whole_code_opens_the_patient(
        self, client_for, clinician, coordinator, outsider, clinic, patient
    ):
        client = client_for(clinician)
        page, photos = f"/patients/{patient.pk}/", f"/patients/{patient.pk}/photos/"
        assert client.get("/patients/find/", {"q": " p-0001 "}).url == page
        assert client.get("/patients/find/", {"q": "P-0001", "to": "photos"}).url == photos
        assert client_for(coordinator).get("/patients/find/", {"q": "P-0001", "to": "photos"}).url == page
        # What comes near is a list, never somebody else's page.
        assert (
            client.get("/patients/find/", {"q": "P-000", "only": "to-ask"}).url
            == "/patients/?q=P-000&only=to-ask"
        )
        assert client_for(outsider).get("/patients/find/", {"q": "P-0001"}).url == "/patients/?q=P-0001"
        for odd in ("", "\0", "x" * 500):
            assert client.get("/patients/find/", {"q": odd}).url.startswith("/patients/")

    def test_an_unknown_code_is_offered_as_a_new_patient(self, client_for, clinician, coordinator, patient):
        client = client_for(clinician)
        response = client.get("/patients/find/", {"q": 'A&B "1"'}, follow=True)
        address = "/patients/new/?code=A%26B%20%221%22"
        assert f'href="{address}"' in response.content.decode()
        assert 'value="A&amp;B &quot;1&quot;"' in client.get(address).content.decode()
        assert "New patient" not in client_for(coordinator).get("/patients/?q=none").content.decode()
        # The rule against names holds.
        assert client.post("/patients/new/?code=Jane Doe", {"code": "Jane Doe"}).status_code == 422


class TestPage:
    def test_it_shows_who_and_where(self, client_for, clinician, coordinator, outsider, clinic, patient):
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, site="nose", site_x=0.25, site_y=0.5)
        # The day it was taken, not the day it was stored.
        photo = factories.make_photo(clinic, clinician, lesion=lesion)
        Photo.objects.filter(pk=photo.pk).update(captured_at=datetime(2021, 3, 4, 12, tzinfo=UTC))
        for user in (clinician, coordinator):
            page = client_for(user).get(f"/patients/{patient.pk}/").content.decode()
            assert '<dt>Last photo</dt><dd class="num">4 Mar 2021</dd>' in page and "last 4 Mar 2021" in page
            assert "P-0001" in page and "1956" in page and "Female" in page
            assert 'data-site="nose"' in page and 'data-x="0.25"' in page
        assert "New lesion" not in page  # the coordinator only looks
        assert client_for(outsider).get(f"/patients/{patient.pk}/").status_code == 404

    def test_without_lesions_it_offers_the_first(self, client_for, clinician, patient):
        assert "Take photos" in client_for(clinician).get(f"/patients/{patient.pk}/").content.decode()

    def test_a_hidden_answer_is_not_shown(self, client_for, clinician, clinic, patient, monkeypatch):
        from skinclinic.services import worklist

        photo = factories.make_photo(clinic, clinician)
        Lesion.objects.filter(pk=photo.lesion_id).update(patient=patient, state="done", top_disease="mm")
        monkeypatch.setattr(worklist, "answer_filters", [lambda user, member, photos: set(photos)])
        for address in (f"/patients/{patient.pk}/", f"/lesions/{photo.lesion_id}/"):
            page = client_for(clinician).get(address).content.decode()
            assert "melanoma" not in page and "Your impression first" in page
