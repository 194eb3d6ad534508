"""What requests leave in the audit: who came in and who tried, what was looked at, what was changed."""

import pytest
from django.db import connection, transaction
from django.test import Client

from skinclinic.models import AuditEvent, Lesion
from skinclinic.services import audit, people, second_opinions
from skinclinic.web import acting
from skinclinic.web.audited import Writing
from tests import factories

pytestmark = pytest.mark.django_db


def told(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


def test_coming_in_going_and_trying_in_vain(clinician):
    client = Client(REMOTE_ADDR="198.51.100.9")
    for name in ("clara", "nobody-has-this", "nobody-has-this"):
        client.post("/login/", {"username": name, "password": "guessed wrong 1"})
    client.post("/login/", {"username": "clara", "password": factories.PASSWORD})
    client.post("/logout/")
    known, unknown, again = AuditEvent.objects.filter(action="sign_in.refused").order_by("id")
    assert (known.subject_key, known.user_key, known.address) == (clinician.pk, None, "198.51.100.9")
    # What nobody is called may be a password; that it was the same twice can be seen.
    assert unknown.subject_key is None and unknown.facts == again.facts
    assert "nobody" not in unknown.details and "guessed" not in unknown.details
    assert told("sign_in").user_key == told("sign_out").user_key == clinician.pk
    assert told("sign_in").via == "session"


def test_a_program_acts_for_its_person(clinician, photo):
    token = factories.make_token(clinician)
    program = Client(headers={"Authorization": f"Token {token}"})
    assert program.get(f"/api/photos/{photo.pk}/").status_code == 200
    row = told("photo.view")
    assert (row.user_key, row.via, row.via_name, row.subject_key) == (
        clinician.pk, "token", "a program", photo.pk,
    )  # fmt: skip
    assert token not in str(vars(row))
    program.get("/api/patients/?cursor=x")
    program.get("/api/patients/")
    assert told("list.fetch").facts == {"page": "api-patient-list"}


def test_a_request_has_an_id(clinician, client_for, photo):
    client = client_for(clinician)
    answer = client.get(f"/photos/{photo.pk}/", headers={"X-Request-ID": "from-the-proxy-77"})
    assert answer["X-Request-ID"] == told("photo.view").request == "from-the-proxy-77"
    for bad in ("short", "x" * 65, "with space and more", "line\nbreak-line"):
        made = client.get("/healthz", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert made != bad and len(made) == 32


@pytest.mark.django_db(transaction=True)
def test_the_same_look_again_is_one_row(clinician, coordinator, client_for, photo):
    mine, theirs = client_for(clinician), client_for(coordinator)
    for client in (mine, mine, theirs, mine):
        client.get(f"/photos/{photo.pk}/")
    # A refusal shows nothing.
    theirs.get(f"/photos/{photo.pk}/crop/")
    assert list(AuditEvent.objects.filter(action="photo.view").order_by("id").values_list("user_key", flat=True)) == [
        clinician.pk, coordinator.pk,
    ]  # fmt: skip
    # In the size of a screen it is part of that look; the whole file is not.
    mine.get(f"/photos/{photo.pk}/image?for=screen")
    assert not AuditEvent.objects.filter(action="photo.open").exists()
    mine.get(f"/photos/{photo.pk}/image")
    assert told("photo.open").subject_key == photo.pk


def test_what_was_rolled_back_is_no_first_look(clinician, photo):
    class Stop(Exception):
        pass

    with acting.acting(acting.Acting(via="job", name="x")):
        for _ in range(2):
            with pytest.raises(Stop), transaction.atomic():
                audit.viewed("photo.view", photo)
                raise Stop
        audit.viewed("photo.view", photo)
    assert told("photo.view").via_name == "x"


def test_writing_is_noticed_unless_it_is_taken_back(clinic, clinician):
    def written(do) -> bool:
        writing = Writing()
        with connection.execute_wrapper(writing):
            do()
        return writing.is_untold

    def taken_back() -> None:
        with transaction.atomic():
            Lesion.objects.create(clinic=clinic)
            transaction.set_rollback(True)

    assert not written(lambda: Lesion.objects.count())
    assert written(
        lambda: Lesion.objects.filter(clinic=clinic).update(note="x") or Lesion.objects.update(note="y")
    )
    assert not written(taken_back)
    # Services that write the audit themselves have told it.
    assert not written(lambda: people.rename_person(clinician, "Another"))


def test_a_change_that_no_service_tells_is_told(clinician, client_for, photo):
    client_for(clinician).post(f"/lesions/{photo.lesion_id}/assign/", {"assignee": clinician.pk})
    row = told("change")
    assert (row.subject_kind, row.subject_key, row.facts) == (
        "skinclinic.lesion", photo.lesion_id, {"page": "lesion-assign"},
    )  # fmt: skip


def test_before_and_after_of_a_patient_without_texts(clinic, clinician, client_for):
    patient = factories.make_patient(clinic, "P-77", sex="female", ethnicity="Told once")
    client_for(clinician).post(
        f"/patients/{patient.pk}/edit/", {"code": "P-78", "sex": "male", "ethnicity": "other"}
    )
    row = told("patient.change")
    assert row.before["sex"] == "female" and row.after["sex"] == "male"
    assert row.after["code"] == row.after["ethnicity"] == "changed"
    assert not {"P-77", "P-78", "Told once"} & set(row.details.split('"'))


def test_a_colleague_outside_is_the_link(clinic, clinician, photo):
    photo.lesion.patient = factories.make_patient(clinic)
    photo.lesion.save()
    opinion, secret = second_opinions.ask_outside(
        photo.lesion, clinician, name="Dr Far", photos=[photo], days=7
    )
    Client().get(f"/opinion/{secret}/")
    Client().get(f"/opinion/{secret}/photo/1")
    for action in ("opinion.view", "opinion.photo"):
        row = told(action)
        assert (row.via, row.via_key, row.via_name, row.user_key) == ("opinion", opinion.pk, "Dr Far", None)
        assert row.patient_key == photo.lesion.patient_id
        assert secret not in str(vars(row))
