"""The pathology form: what it takes, what it refuses, and that nothing typed is lost."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from skinclinic.models import Diagnosis, Lesion
from skinclinic.services import diagnoses
from tests.cases import each
from tests.skinclinic.pages import audited


@pytest.fixture
def lesion(clinic, clinician):
    return Lesion.objects.create(clinic=clinic, created_by=clinician)


@pytest.fixture
def send(client_for, clinician, lesion):
    def post(**fields):
        form = {"diagnosis": "bcc", "confirmed_by": "histopathology"} | fields
        return client_for(clinician).post(f"/lesions/{lesion.pk}/pathology/", form)

    return post


def test_a_disease_of_the_list(send, lesion, clinician):
    response = send(diagnosis="bcc", diagnosed_on="2024-02-29", text="nodular, margins free")
    assert response.url == f"/lesions/{lesion.pk}/"
    row = Diagnosis.objects.get()
    assert (row.disease, row.icd10, row.kind, row.confirmed_by) == (
        "bcc",
        "C44.9",
        "pathology",
        "histopathology",
    )
    assert (row.diagnosed_on, row.text, row.created_by) == (
        date(2024, 2, 29),
        "nodular, margins free",
        clinician,
    )
    lesion.refresh_from_db()
    assert lesion.is_proven


def test_a_name_typed_without_choosing(send):
    assert send(diagnosis="", diagnosis_typed="악성흑색종").status_code == 302
    assert Diagnosis.objects.get().disease == "mm"


def test_another_code_with_its_name(send):
    assert send(diagnosis="icd10:L40.0", text="Psoriasis vulgaris").status_code == 302
    row = Diagnosis.objects.get()
    assert (row.disease, row.icd10, row.text) == ("", "L40.0", "Psoriasis vulgaris")


@each(
    "fields, wrong",
    [
        ({"diagnosis": ""}, "diagnosis"),
        ({"diagnosis": "", "diagnosis_typed": "carcinoma"}, "diagnosis"),
        ({"diagnosis": "", "diagnosis_typed": "C44.9"}, "diagnosis"),
        ({"diagnosis": "icd10:nonsense"}, "diagnosis"),
        ({"diagnosis": "zzz", "diagnosis_typed": "bcc"}, "diagnosis"),
        ({"diagnosis": "b\0cc"}, "diagnosis"),
        ({"diagnosis": "icd10:L40.0"}, "text"),
        ({"diagnosis": "listed:Psoriasis vulgaris", "text": "x" * 1999}, "text"),
        ({"diagnosis": "listed:Nothing of the kind"}, "diagnosis"),
        ({"confirmed_by": ""}, "confirmed_by"),
        ({"confirmed_by": "crystal ball"}, "confirmed_by"),
        ({"diagnosed_on": "2026-02-30"}, "diagnosed_on"),
        ({"diagnosed_on": "0000-00-00"}, "diagnosed_on"),
        ({"diagnosed_on": "1810-01-01"}, "diagnosed_on"),
        ({"diagnosed_on": "99999999999-01-01"}, "diagnosed_on"),
        ({"text": "x" * 2001}, "text"),
        ({"text": "a\0b"}, "text"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(send, fields, wrong):
    response = send(**fields)
    assert response.status_code == 422
    assert list(response.context["pathology"].errors) == [wrong]
    assert not Diagnosis.objects.exists()


def test_tomorrow_is_refused_and_today_is_not(send):
    today = timezone.localdate()
    assert send(diagnosed_on=(today + timedelta(days=1)).isoformat()).status_code == 422
    assert send(diagnosed_on=today.isoformat()).status_code == 302


def test_what_was_typed_comes_back(send):
    page = send(diagnosis="", diagnosis_typed="carcinoma", text="a long report").content.decode()
    assert 'value="carcinoma"' in page and "a long report" in page
    assert 'value="histopathology" selected' in page and 'data-state="error"' in page
    assert re.search(r'id="pathology-diagnosis"[^>]*autofocus', page)


def test_own_words_are_a_diagnosis(send, client_for, clinician, lesion):
    """Typed, or chosen to be taken as typed; correcting begins with the same two texts."""
    send(diagnosis="", diagnosis_typed="Sclerotic fibroma", text="2 cm")
    send(diagnosis="as-typed", diagnosis_typed="carcinoma")
    assert list(Diagnosis.objects.order_by("id").values_list("disease", "icd10", "text")) == [
        ("", "", "Sclerotic fibroma; 2 cm"),
        ("", "", "carcinoma"),
    ]
    page = client_for(clinician).get(f"/lesions/{lesion.pk}/").content.decode()
    assert 'value="as-typed"' in page and 'value="carcinoma"' in page


def test_a_diagnosis_of_the_list_is_kept_by_name_and_code_and_shown_in_the_reader_s_language(
    send, client_for, clinician, lesion
):
    send(diagnosis="listed:Merkel cell carcinoma", diagnosis_typed="메르켈세포암종", text="12 mm")
    send(diagnosis="", diagnosis_typed="혈관각화종")
    send(diagnosis="listed:Extranodal NK/T-cell lymphoma, nasal type", text="Stage I; no nodes")
    assert list(Diagnosis.objects.order_by("id").values_list("disease", "icd10", "text")) == [
        ("", "C44.9", "Merkel cell carcinoma; 12 mm"),
        ("", "D23.9", "Angiokeratoma"),
        ("", "C86.0", "Extranodal NK/T-cell lymphoma, nasal type; Stage I; no nodes"),
    ]
    client = client_for(clinician)
    clinician.language = "ko"
    clinician.save()
    client.cookies["django_language"] = "ko"
    page = client.get(f"/lesions/{lesion.pk}/", headers={"accept-language": "ko"}).content.decode()
    assert "림프절외NK/T세포림프종; Stage I; no nodes" in page and "메르켈세포암종; 12 mm" in page
    assert 'value="listed:Extranodal NK/T-cell lymphoma, nasal type"' in page
    assert ">Stage I; no nodes</textarea>" in page.replace("\n", "")
    for typed in ("angiokeratoma", "Merkel"):
        assert f"case-{lesion.pk}" not in client.get("/", {"show": "all", "q": typed}).content.decode()
    for typed in ("nk/t", "림프절외", "림프종", "natural", "C86"):
        shown = f"case-{lesion.pk}" in client.get("/", {"show": "all", "q": typed}).content.decode()
        assert shown is (typed != "natural"), typed


def test_a_correction_starts_from_what_is_recorded(send, client_for, clinician, lesion):
    send(diagnosis="icd10:L40.0", text="Psoriasis")
    page = client_for(clinician).get(f"/lesions/{lesion.pk}/").content.decode()
    assert 'value="icd10:L40.0"' in page and "Correct the pathology" in page
    send(diagnosis="mm")
    assert list(Diagnosis.objects.order_by("id").values_list("withdrawn_by", flat=True)) == [
        clinician.pk,
        None,
    ]


def test_the_history_shows_both(send, client_for, clinician, lesion):
    send(diagnosis="bcc")
    send(diagnosis="scc")
    page = client_for(clinician).get(f"/lesions/{lesion.pk}/").content.decode()
    assert (
        "Basal cell carcinoma" in page and "Squamous cell carcinoma" in page and "Withdrawn by Clara" in page
    )


class TestWho:
    def test_pathology(self, client_for, clinician, coordinator, outsider, lesion):
        address, form = (
            f"/lesions/{lesion.pk}/pathology/",
            {"diagnosis": "bcc", "confirmed_by": "histopathology"},
        )
        assert client_for(coordinator).post(address, form).status_code == 403
        assert client_for(outsider).post(address, form).status_code == 404
        assert client_for(clinician).get(address).status_code == 405
        assert client_for(clinician).post("/lesions/999999/pathology/", form).status_code == 404
        assert not Diagnosis.objects.exists()

    def test_withdrawing(self, client_for, clinician, curator, coordinator, outsider, lesion):
        row = diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="bcc")
        address = f"/diagnoses/{row.pk}/withdraw/"
        assert client_for(coordinator).post(address).status_code == 403
        assert client_for(outsider).post(address).status_code == 404
        assert client_for(curator).get(address).status_code == 405
        assert client_for(curator).post("/diagnoses/999999/withdraw/").status_code == 404
        lesion.refresh_from_db()
        assert lesion.is_proven
        assert client_for(curator).post(address).url == f"/lesions/{lesion.pk}/"
        lesion.refresh_from_db()
        assert not lesion.is_proven and audited("diagnosis.make", "diagnosis.withdraw")

    def test_an_impression_is_its_author_s(self, client_for, clinician, curator, lesion):
        row = diagnoses.record(lesion=lesion, user=clinician, kind="impression", disease="bcc")
        address = f"/diagnoses/{row.pk}/withdraw/"
        assert client_for(curator).post(address).status_code == 403
        assert client_for(clinician).post(address).status_code == 302
        row.refresh_from_db()
        assert row.withdrawn_by == clinician
