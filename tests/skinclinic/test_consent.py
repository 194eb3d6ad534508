"""Consent to the archive: recorded in every form and by the API, dated, and kept with who and when."""

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from skinclinic.models import Patient
from skinclinic.services import diagnoses
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(clinic):
    return factories.make_patient(clinic, "P-0001")


@pytest.fixture
def client(client_for, clinician):
    return client_for(clinician)


def send(client, method: str, path: str, **sent):
    return client.generic(method, f"/api/patients/{path}", json.dumps(sent), content_type="application/json")


@each("answer", ["given", "refused"])
def test_it_is_recorded_with_its_date_and_shown_with_its_history(client, clinician, patient, answer):
    form = {"code": "P-0001", "research_consent": answer, "consent_on": "2026-02-03"}
    assert 'name="research_consent"' in client.get("/patients/new/").content.decode()
    client.post(f"/patients/{patient.pk}/edit/", form)
    patient.refresh_from_db()
    assert (patient.research_consent, patient.consent_on) == (answer, date(2026, 2, 3))
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "2026-02-03" in page and "Not asked →" in page and "Clara" in page
    assert f'value="{answer}" selected' in client.get(f"/patients/{patient.pk}/edit/").content.decode()


def test_a_new_answer_without_a_date_is_of_today_and_none_has_no_date(client, patient):
    address, today = f"/patients/{patient.pk}/edit/", timezone.localdate()
    seen = {"seen": json.dumps({"research_consent": "", "consent_on": None})}
    client.post(address, {"research_consent": "given", "code": "P-0001"} | seen)
    patient.refresh_from_db()
    assert patient.consent_on == today
    Patient.objects.filter(pk=patient.pk).update(consent_on="2020-01-01")
    # The date in the form is still that of the answer before. What followed from it is said on the page that comes.
    seen = {"seen": json.dumps({"research_consent": "given", "consent_on": "2020-01-01"})}
    sent = {"research_consent": "refused", "consent_on": "2020-01-01", "code": "P-0001"} | seen
    page = client.post(address, sent, follow=True).content.decode()
    assert "The consent is taken back. No photo of this patient was in use." in page
    patient.refresh_from_db()
    assert (patient.research_consent, patient.consent_on) == ("refused", today)
    client.post(address, {"research_consent": "", "consent_on": "2020-01-01", "code": "P-0001"})
    patient.refresh_from_db()
    assert (patient.research_consent, patient.consent_on) == ("", None)
    assert patient.changes.count() == 3


@each(
    "sent, field",
    [
        ({"research_consent": "given", "consent_on": "tomorrow"}, "consent_on"),
        (
            # Two days: midnight may come between this and the test.
            {"research_consent": "given", "consent_on": str(timezone.localdate() + timedelta(days=2))},
            "consent_on",
        ),
        ({"research_consent": "given", "consent_on": "1810-01-01"}, "consent_on"),
        ({"research_consent": "perhaps"}, "research_consent"),
        ({"consent_on": "2026-01-01"}, "research_consent"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_by_form_and_api(client, patient, sent, field):
    before = Patient.objects.values().get()
    for address in (f"/patients/{patient.pk}/edit/", "/patients/new/"):
        answer = client.post(address, {"code": "P-0001" if "edit" in address else "P-2"} | sent)
        assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    for method, path, more in (("PATCH", f"{patient.pk}/", {}), ("POST", "", {"code": "P-2"})):
        answer = send(client, method, path, **sent, **more)
        assert answer.status_code == 400 and list(answer.json()["error"]["fields"]) == [field]
    assert Patient.objects.values().get() == before


def test_the_filing_form_asks_a_new_patient(client, clinic, clinician):
    photo = factories.make_photo(clinic, clinician)
    part = client.get(
        f"/photos/{photo.pk}/filing/patient/?code=P-9&research_consent=given&consent_on=2026-01-02"
    )
    assert 'value="given" selected' in part.content.decode() and 'value="2026-01-02"' in part.content.decode()
    form = {"code": "P-9", "kind": "close_up", "research_consent": "given", "consent_on": "2026-01-02"}
    assert client.post(f"/photos/{photo.pk}/filing/", form).status_code == 302
    made = Patient.objects.get(code="P-9")
    assert (made.research_consent, made.consent_on) == ("given", date(2026, 1, 2))
    assert made.changes.get().by == clinician


def test_the_api_shows_and_takes_it(client, clinician):
    made = send(client, "POST", "", code="P-1", research_consent="given").json()
    assert (made["research_consent"], made["consent_on"]) == ("given", str(timezone.localdate()))
    row = Patient.objects.get(pk=made["id"])
    assert row.changes.get().fields["research_consent"] == ["", "given"]
    answer = send(client, "PATCH", f"{row.pk}/", research_consent="refused", consent_on="2026-01-02").json()
    assert (answer["research_consent"], answer["consent_on"], answer["effects"]) == (
        "refused",
        "2026-01-02",
        [],
    )
    assert send(client, "GET", f"{row.pk}/").json()["research_consent"] == "refused"
    # A form that does not speak of it takes nobody's consent back.
    Patient.objects.filter(pk=row.pk).update(research_consent="given")
    client.post(f"/patients/{row.pk}/edit/", {"code": "P-1"})
    row.refresh_from_db()
    assert row.research_consent == "given"


def test_who_is_to_be_asked_is_listed_and_the_archive_says_so(client_for, client, curator, clinic, clinician):
    photos = [factories.make_photo(clinic, clinician, seed=n) for n in range(3)]
    people = [factories.make_patient(clinic, f"P-{n}") for n in range(4)]
    for photo, person in zip(photos, people, strict=False):
        photo.lesion.patient = person
        photo.lesion.save()
    for photo in photos[:2]:
        diagnoses.record(lesion=photo.lesion, user=clinician, kind="pathology", disease="bcc")
    Patient.objects.filter(pk=people[1].pk).update(research_consent="refused")
    listed = client.get("/patients/?only=to-ask")
    assert listed.context["patients"] == [people[0]]
    assert f"/patients/{people[0].pk}/edit/" in listed.content.decode()
    page = client_for(curator).get("/archive/datasets/from-clinic/").content.decode()
    assert "/patients/?only=to-ask" in page and "1 patient with a proven lesion was not asked yet" in page
    send(client, "PATCH", f"{people[0].pk}/", research_consent="given")
    assert "Nobody is left to be asked" in client.get("/patients/?only=to-ask").content.decode()
    page = client_for(curator).get("/archive/datasets/from-clinic/").content.decode()
    assert "only=to-ask" not in page and "1 photo waits" in page
