"""The API over the clinic's rows: three people, one shape of error, bad input."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.test import APIClient
from rest_framework.views import APIView

from classifier.api.fhir.answering import FhirView
from classifier.services.analysis import assessments
from skinclinic.api.permissions import KnownParameters
from skinclinic.models import AuditEvent, Diagnosis, Lesion, Member, Patient, Photo
from skinclinic.services import diagnoses
from tests import factories, results
from tests.cases import each

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    """api(user) -> an API client signed in as that user (or nobody)."""

    def make(user=None) -> APIClient:
        client = APIClient()
        if user:
            client.force_authenticate(user)
        return client

    return make


def error_of(response) -> dict:
    body = response.json()
    assert set(body) == {"error"}
    assert body["error"]["code"]
    assert body["error"]["message"]
    return body["error"]


def test_token_by_password_opens_the_api(clinician, clinic):
    client = APIClient()
    answer = client.post("/api/token/", {"username": "clara", "password": factories.PASSWORD})
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get("/api/me/").json()["clinics"] == [
        {"slug": clinic.slug, "name": clinic.name, "role": "clinician"}
    ]


def test_nobody_gets_401_in_the_shape_of_errors(api):
    response = api().get("/api/patients/")
    assert response.status_code == 401
    assert error_of(response)["code"] == "not_authenticated"


def test_wrong_password_is_a_400_and_locks_in_the_end(clinician):
    client = APIClient()
    statuses = [
        client.post("/api/token/", {"username": "clara", "password": "wrong"}).status_code for _ in range(7)
    ]
    assert statuses == [400] * 5 + [429] * 2
    right = client.post("/api/token/", {"username": "clara", "password": factories.PASSWORD})
    assert error_of(right)["code"] == "locked"


def test_patients_are_made_changed_and_filtered(api, clinician, clinic):
    client = api(clinician)
    made = client.post("/api/patients/", {"code": "A-1", "birth_year": 1960, "sex": "female"})
    assert made.status_code == 201
    assert made.json()["clinic"] == clinic.slug
    pk = made.json()["id"]
    assert client.patch(f"/api/patients/{pk}/", {"skin_type": 3}).json()["skin_type"] == 3
    # A row that was read may be sent whole; what is only told of it may not be sent otherwise.
    whole = client.get(f"/api/patients/{pk}/").json()
    assert client.patch(f"/api/patients/{pk}/", whole).json() == whole | {"effects": []}
    other = client.patch(f"/api/patients/{pk}/", whole | {"id": pk + 1})
    assert other.status_code == 400 and "only told" in other.json()["error"]["fields"]["id"][0]
    assert [row["code"] for row in client.get("/api/patients/?code=A-1").json()["results"]] == ["A-1"]
    assert client.get("/api/patients/?code=A-2").json()["results"] == []


@each(
    "sent, field",
    [
        ({}, "code"),
        ({"code": "x" * 65}, "code"),
        ({"code": "a\x00b"}, "code"),
        ({"code": "900101-1234567"}, "code"),
        ({"code": "010-1234-5678"}, "code"),
        ({"code": "\u202egnp.exe"}, "code"),
        ({"code": "Given Surname"}, "code_is_no_name"),
        ({"code": "김민지", "code_is_no_name": False}, "code_is_no_name"),
        ({"code": "B", "ethnicity": "me@example.org"}, "ethnicity"),
        ({"code": "B", "birth_year": 3000}, "birth_year"),
        ({"code": "B", "birth_year": "soon"}, "birth_year"),
        ({"code": "B", "skin_type": 9}, "skin_type"),
        ({"code": "B", "sex": "robot"}, "sex"),
    ],
)
def test_wrong_patients_are_refused_by_field(api, clinician, sent, field):
    response = api(clinician).post("/api/patients/", sent)
    assert response.status_code == 400
    assert field in error_of(response)["fields"]
    assert not Patient.objects.exists()


def test_a_code_that_only_looks_like_a_name_is_said_to_be_none(api, clinician, clinic):
    client = api(clinician)
    made = client.post("/api/patients/", {"code": "Green Team", "code_is_no_name": True})
    assert made.status_code == 201 and "code_is_no_name" not in made.json()
    row = f"/api/patients/{made.json()['id']}/"
    # What stands is not asked about again; another name is.
    assert client.patch(row, {"code": "Green Team", "sex": "male"}).status_code == 200
    assert client.patch(row, {"code": "Jane Doe"}).status_code == 400
    assert client.patch(row, {"code": "Jane Doe", "code_is_no_name": True}).json()["code"] == "Jane Doe"
    lesion = Lesion.objects.create(clinic=clinic, patient_id=made.json()["id"])
    sent = client.patch(f"/api/lesions/{lesion.pk}/", {"note": "call 010-1234-5678"})
    assert sent.status_code == 400 and "telephone" in str(error_of(sent)["fields"]["note"])


def test_the_same_code_twice_is_refused(api, clinician, clinic):
    factories.make_patient(clinic, "A-1")
    response = api(clinician).post("/api/patients/", {"code": "a-1"})
    assert response.status_code == 400
    assert Patient.objects.count() == 1


def test_reader_may_look_but_not_change_and_outsider_sees_nothing(api, coordinator, outsider, photo, clinic):
    patient = factories.make_patient(clinic)
    rows = {
        "patients": patient.pk,
        "lesions": photo.lesion_id,
        "photos": photo.pk,
    }
    for name, pk in rows.items():
        assert api(coordinator).get(f"/api/{name}/{pk}/").status_code == 200
        assert api(coordinator).patch(f"/api/{name}/{pk}/", {}).status_code == 403
        assert api(outsider).get(f"/api/{name}/{pk}/").status_code == 404
        assert api(outsider).patch(f"/api/{name}/{pk}/", {}).status_code == 404
        assert api(outsider).get(f"/api/{name}/").json()["results"] == []
        assert api(outsider).get(f"/api/{name}/?clinic={clinic.slug}").json()["results"] == []
    assert api(coordinator).post("/api/patients/", {"code": "X"}).status_code == 403
    assert api(coordinator).delete(f"/api/photos/{photo.pk}/").status_code == 403
    assert Photo.objects.filter(pk=photo.pk).exists()


def test_when_a_photo_was_taken_is_the_cameras_clock(api, clinician, photo, settings):
    """No zone is made up: neither on the way out nor on the way in."""
    settings.TIME_ZONE = "Asia/Seoul"
    client, address = api(clinician), f"/api/photos/{photo.pk}/"
    for sent, kept in {
        "2024-05-03T23:30:11": "2024-05-03T23:30:11",
        "2024-05-03T23:30:11+02:00": "2024-05-03T23:30:11+02:00",
        "2024-05-03T23:30:11Z": "2024-05-03T23:30:11+00:00",
        None: None,
        "": None,
    }.items():
        answer = client.patch(address, {"captured_at": sent}, format="json")
        assert answer.status_code == 200
        assert answer.json()["captured_at"] == client.get(address).json()["captured_at"] == kept
    client.patch(address, {"captured_at": "2024-05-03T23:30:11-03:00"}, format="json")
    client.patch(address, {"kind": "overview"}, format="json")
    noted = AuditEvent.objects.filter(action="photo.change").first()
    assert noted.subject_key == photo.pk and noted.after == {"kind": "overview"}
    assert client.get(address).json()["captured_at"] == "2024-05-03T23:30:11-03:00"
    # Tomorrow it is somewhere already; no camera was at the day after. What stands may be sent back.
    coming = timezone.now() + timedelta(days=3)
    assert client.patch(address, {"captured_at": coming.isoformat()}, format="json").status_code == 400
    Photo.objects.filter(pk=photo.pk).update(captured_at=coming.replace(microsecond=0), captured_offset=None)
    whole = client.get(address).json()["captured_at"]
    assert client.patch(address, {"captured_at": whole}, format="json").status_code == 200


@pytest.mark.parametrize(
    "sent", ["yesterday", "03.05.2024", 5, "0001-01-01T00:00:00", "9999-12-31T23:59:59", ["x"]]
)
def test_a_time_that_is_none_is_refused_by_its_field(api, clinician, photo, sent):
    answer = api(clinician).patch(f"/api/photos/{photo.pk}/", {"captured_at": sent}, format="json")
    assert answer.status_code == 400
    assert "captured_at" in error_of(answer)["fields"]


@pytest.mark.parametrize("pk", ["0", "abc", str(2**80)])
def test_ids_that_are_none_get_404(api, clinician, pk):
    for name in ("patients", "lesions", "photos", "diagnoses", "analyses", "models"):
        assert api(clinician).get(f"/api/{name}/{pk}/").status_code == 404


def test_a_lesion_cannot_join_another_clinics_patient(api, clinician, other_clinic):
    stranger = factories.make_patient(other_clinic, "theirs")
    response = api(clinician).post("/api/lesions/", {"patient": stranger.pk, "site": "nose"})
    assert response.status_code == 400
    assert not Lesion.objects.exists()


def test_pages_are_keyset_pages(api, clinician, clinic):
    for number in range(5):
        factories.make_patient(clinic, f"K-{number}")
    client, seen, address = api(clinician), [], "/api/patients/?page_size=2"
    while address:
        page = client.get(address).json()
        seen += [row["code"] for row in page["results"]]
        address = page["next"]
        last = page
    assert seen == [f"K-{number}" for number in (4, 3, 2, 1, 0)]
    before = client.get(last["previous"]).json()
    assert [row["code"] for row in before["results"]] == ["K-2", "K-1"]
    assert client.get(before["previous"]).json()["previous"] is None and "page_size=2" in before["next"]
    assert client.get("/api/patients/?cursor=nonsense").status_code == 404


def test_a_size_or_a_filter_that_makes_no_sense_is_refused_and_not_passed_over(api, clinician):
    client = api(clinician)
    for wrong in (
        "page_size=null",
        "page_size=0",
        "page_size=-1",
        "page_size=1.5",
        "unfiled=null",
        "is_proven=maybe",
    ):
        answer = client.get(f"/api/lesions/?{wrong}")
        assert answer.status_code == 400, wrong
        assert list(error_of(answer)["fields"]) == [wrong.partition("=")[0]]
    for right in ("page_size=200", "page_size=1000", "page_size=", "unfiled=true", "unfiled=", "is_proven=0"):
        assert client.get(f"/api/lesions/?{right}").status_code == 200, right


def test_a_parameter_that_there_is_none_of_is_refused_at_every_address(api, clinician, photo):
    """Also where a field of the body was put into the address: the photo would be filed under nobody."""
    client = api(clinician)
    for address in (
        "me/",
        "sites/",
        "codes/",
        "patients/",
        f"photos/{photo.pk}/",
        f"photos/{photo.pk}/image/",
    ):
        for asked in ("nosuch=1", "format=json&format=json" if address != "patients/" else "code=A&code=B"):
            answer = client.get(f"/api/v1/{address}?{asked}")
            assert answer.status_code == 400, (address, asked)
            assert list(error_of(answer)["fields"]) == [asked.partition("=")[0]]
    sent = client.post("/api/v1/patients/?sex=male", {"code": "A-1"})
    assert sent.status_code == 400 and not Patient.objects.exists()
    assert client.get("/api/v1/codes/?clinic=" + photo.clinic.slug).status_code == 200
    assert client.delete(f"/api/v1/photos/{photo.pk}/?reason=duplicate").status_code == 200
    # New views are held to it, too; those of FHIR hold themselves to it.
    views = [found for found in _views(get_resolver()) if not issubclass(found, FhirView)]
    assert len(views) > 40
    assert {view for view in views if KnownParameters not in view.permission_classes} == {
        SpectacularAPIView,
        SpectacularSwaggerSplitView,
    }


def _views(resolver):
    """Classes of the API's views, as addresses lead to them."""
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _views(pattern)
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield pattern.callback.cls


def test_list_of_lesions_takes_the_same_queries_for_1_and_30(
    api, clinician, clinic, django_assert_max_num_queries
):
    client = api(clinician)
    for seed in range(3):
        factories.make_photo(clinic, clinician, seed=seed)
    Lesion.objects.bulk_create(Lesion(clinic=clinic, created_by=clinician) for _ in range(30))
    with django_assert_max_num_queries(5):
        assert len(client.get("/api/lesions/").json()["results"]) == 33


def test_pathology_proves_and_is_withdrawn(api, clinician, photo):
    client = api(clinician)
    sent = {
        "lesion": photo.lesion_id,
        "kind": "pathology",
        "disease": "bcc",
        "confirmed_by": "histopathology",
    }
    made = client.post("/api/diagnoses/", sent)
    assert made.status_code == 201
    assert made.json()["icd10"] == "C44.9"
    assert client.get(f"/api/lesions/{photo.lesion_id}/").json()["proven_disease"] == "bcc"
    assert client.post(f"/api/diagnoses/{made.json()['id']}/withdraw/").json()["withdrawn_at"]
    assert client.post(f"/api/diagnoses/{made.json()['id']}/withdraw/").status_code == 409
    assert client.get(f"/api/lesions/{photo.lesion_id}/").json()["is_proven"] is False


def test_diagnosis_of_another_clinics_lesion_is_404(api, outsider, photo):
    sent = {"lesion": photo.lesion_id, "kind": "impression", "disease": "bcc"}
    assert api(outsider).post("/api/diagnoses/", sent).status_code == 404
    assert not Diagnosis.objects.exists()


def test_members_are_an_admins_business_and_one_admin_stays(api, admin_user, clinician, clinic):
    member = Member.objects.get(user=admin_user)
    assert api(clinician).get("/api/members/").json()["results"] == []
    assert api(clinician).patch(f"/api/members/{member.pk}/", {"role": "curator"}).status_code == 403
    response = api(admin_user).patch(f"/api/members/{member.pk}/", {"role": "curator"})
    assert response.status_code == 409
    assert error_of(response)["code"] == "last_admin"


def test_invitation_gives_its_link_once(api, admin_user, clinician):
    sent = {"email": "new@example.org", "role": "clinician"}
    assert api(clinician).post("/api/invitations/", sent).status_code == 403
    made = api(admin_user).post("/api/invitations/", sent)
    assert made.status_code == 201
    assert "/join/" in made.json()["link"]
    (listed,) = api(admin_user).get("/api/invitations/").json()["results"]
    assert "link" not in listed
    revoke = f"/api/invitations/{listed['id']}/revoke/"
    assert api(clinician).post(revoke).status_code == 403
    assert api(admin_user).post(revoke).json()["revoked_at"]
    assert api(admin_user).post(revoke).status_code == 409


def test_settings_of_a_clinic(api, admin_user, clinician, outsider, clinic):
    address = f"/api/clinics/{clinic.slug}/"
    assert api(clinician).patch(address, {"impression_first": True}).status_code == 403
    assert api(outsider).patch(address, {"impression_first": True}).status_code == 404
    assert api(admin_user).patch(address, {"impression_first": True}).json()["impression_first"] is True


def test_schema_and_its_page_are_for_who_is_signed_in_and_without_inline_code(api, client_for, clinician):
    assert api().get("/api/schema/").status_code == 401
    assert api().get("/api/docs/").url == "/login/?next=/api/v1/docs/"
    program = Client(headers={"Authorization": f"Token {factories.make_token(clinician)}"})
    schema = program.get("/api/schema/?format=json")
    assert schema.status_code == 200
    told = schema.json()["paths"]
    untold = [path for path, every in told.items() for one in every.values() if "400" not in one["responses"]]
    assert untold == [], "each refuses a parameter that there is none of"
    for name in (
        "study-results/{id}/",
        "study-results/{id}/file/",
        "analyses/{id}/similar/",
        "photos/{id}/dicom/",
    ):
        assert "409" in told[f"/api/v1/{name}"]["get"]["responses"], name
    assert schema["Content-Disposition"].startswith("attachment")
    shown = client_for(clinician).get("/api/docs/")
    assert "Content-Disposition" not in shown
    page = shown.content.decode()
    assert "<style" not in page
    assert "<script>" not in page


def test_answers_are_files_to_a_browser_and_never_pages(api, clinician, photo):
    asked = {
        "/api/": 401, "/api/patients/": 200, "/api/patients/999/": 404, "/api/nowhere/": 404,
        f"/api/photos/{photo.pk}/image/": 200,
    }  # fmt: skip
    for address, status in asked.items():
        answer = api(None if status == 401 else clinician).get(address)
        assert answer.status_code == status, address
        assert answer["Content-Disposition"].startswith('attachment; filename="'), address
        assert (
            answer["X-Content-Type-Options"] == "nosniff"
            and "default-src 'self'" in answer["Content-Security-Policy"]
        )
        assert "Access-Control-Allow-Origin" not in answer
        if answer["Content-Type"].startswith("application/json"):
            assert 'filename="api.json"' in answer["Content-Disposition"], address


def test_what_a_browser_sends_by_itself_changes_nothing(clinician):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(clinician)
    assert browser.get("/api/patients/").status_code == 200
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        sent = browser.post("/api/patients/", {"code": "P-1"}, "application/json", headers=headers)
        assert sent.status_code == 403
    assert not Patient.objects.exists()


def test_a_body_of_a_kind_that_nothing_here_reads_is_refused(api, clinician):
    for kind in ("text/xml", "text/plain", "application/x-yaml", "x"):
        sent = api(clinician).generic("POST", "/api/patients/", b'{"code": "P-1"}', content_type=kind)
        assert (sent.status_code, sent.json()["error"]["code"]) == (415, "unsupported_media_type"), kind
    assert not Patient.objects.exists()


@pytest.mark.parametrize(("slug", "status"), [("\x00", 400), (5, 403), (["hanok"], 403), ({"a": 1}, 403)])
def test_a_row_for_a_clinic_that_is_none_is_refused(client_for, admin_user, slug, status):
    sent = {"clinic": slug, "code": "P-77"}
    response = client_for(admin_user).post("/api/patients/", sent, "application/json")
    assert response.status_code == status


def test_colleagues_impressions_come_after_ones_own(api, clinic, clinician, curator, coordinator, photo):
    type(clinic).objects.filter(pk=clinic.pk).update(impression_first=True)
    analysis = results.finished(photo, curator)
    assessments.record_impression(curator, analysis, assessments.Named(disease="mm"))
    row = photo.lesion.diagnoses.get()
    proof = diagnoses.record(lesion=photo.lesion, user=curator, kind="pathology", disease="mm")

    def seen(user):
        client = api(user)
        listed = [one["id"] for one in client.get("/api/diagnoses/").json()["results"]]
        answers = client.get(f"/api/diagnoses/{row.pk}/").status_code
        assert (answers == 200) == (row.pk in listed) and proof.pk in listed
        found = client.get("/api/diagnoses/?disease=mm&kind=impression").json()["results"]
        assert (len(found) == 1) == (row.pk in listed)
        return answers

    assert [seen(user) for user in (curator, coordinator, clinician)] == [200, 200, 404]
    assert api(clinician).post(f"/api/diagnoses/{row.pk}/withdraw/").status_code == 404
    assessments.record_impression(clinician, analysis, None)
    threshold_set = analysis.model_version.threshold_sets.first()
    assessments.decide(
        clinician, analysis, "change", named=assessments.Named(disease="nevus"), threshold_set=threshold_set
    )
    assert seen(clinician) == 200


def test_a_filter_does_not_tell_which_rows_other_clinics_have(api, outsider, clinic, photo):
    patient = factories.make_patient(clinic)
    for path, key in [
        (f"lesions/?patient={patient.pk}", patient.pk),
        (f"diagnoses/?lesion__patient={patient.pk}", patient.pk),
        (f"follow-ups/?lesion={photo.lesion_id}", photo.lesion_id),
        (f"analyses/?photo={photo.pk}", photo.pk),
    ]:
        answers = [api(outsider).get(f"/api/{one}") for one in (path, path.replace(f"={key}", "=99999"))]
        assert {answer.status_code for answer in answers} == {400}, path
    client = api(outsider)
    assert client.get("/api/lesions/?patient=").status_code == 200


def test_the_address_of_the_api_leads_a_browser_to_its_page_and_tells_programs_what_there_is(
    clinician, client_for
):
    client = client_for(clinician)
    opened = client.get("/api/", headers={"accept": "text/html,application/xhtml+xml,*/*"})
    assert opened.status_code == 302 and opened.url == "/api/v1/docs/" and "Content-Disposition" not in opened
    for accept in ("application/json", "*/*"):
        assert "patients" in client.get("/api/", headers={"accept": accept}).json()
