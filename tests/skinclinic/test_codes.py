"""A clinic's own codes: changed over the shipped ones, put back, told in the audit, read by programs."""

import csv
import io
import json

import pytest
from django.test import Client

from skinclinic.models import AuditEvent, ClinicCode
from skinclinic.services import codes
from tests import factories
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db
BCC = {
    "of": "disease:bcc", "system": "SNOMED CT", "code": "254701007", "display": "Basal cell carcinoma of skin",
    "version": "20250201", "source": "our coder",
}  # fmt: skip


@pytest.fixture
def admin(client_for, admin_user):
    return client_for(admin_user)


def test_an_admin_adds_a_code_for_this_clinic_alone(admin, clinic, other_clinic):
    assert codes.table(clinic).disease("bcc") is None
    assert messages_of(admin.post(url("codes"), BCC)) == "Saved."
    code = codes.table(clinic).disease("bcc")
    assert (code.system, code.code, code.version) == ("SCT", "254701007", "20250201")
    assert codes.table(other_clinic).disease("bcc") is None
    assert [one.system for one in codes.table(clinic).of("disease", "bcc")] == [
        "SCT", "ICD-10", "ICD-10-CM", "ICD-O-3",
    ]  # fmt: skip
    told = AuditEvent.objects.get(action="settings.codes")
    assert (told.before["code"], told.after["code"]) == ("", "254701007")
    assert told.facts == {"kind": "disease", "concept": "bcc", "system": "SCT"}
    page = admin.get(url("audit")).content.decode()
    assert "Code changed" in page and "254701007" in page


def test_a_shipped_code_is_changed_removed_and_put_back(admin, clinic):
    place = {"kind": "site", "concept": "nose", "system": "SCT"}
    admin.post(url("codes"), {"of": "site:nose", "system": "SCT", "code": "45206002", "display": "Nose"})
    assert codes.table(clinic).site("nose").code == "45206002"
    admin.post(url("codes-act"), place | {"act": "remove"})
    assert codes.table(clinic).site("nose") is None
    assert "removed here" in admin.get(url("codes")).content.decode()
    admin.post(url("codes-act"), place | {"act": "restore"})
    assert codes.table(clinic).site("nose").code == "113179006"
    admin.post(url("codes"), BCC)
    admin.post(url("codes-act"), place | {"act": "remove"})
    assert "2 codes are as shipped again" in messages_of(admin.post(url("codes-act"), {"act": "restore_all"}))
    assert not ClinicCode.objects.exists()


def test_what_is_put_as_it_is_shipped_is_no_change(admin, clinic):
    shipped = codes.table(clinic).site("nose")
    sent = {
        name: getattr(shipped, name) for name in ("system", "code", "display", "version", "source")
    } | {"of": "site:nose"}  # fmt: skip
    admin.post(url("codes"), sent)
    assert not ClinicCode.objects.exists() and not AuditEvent.objects.filter(action="settings.codes").exists()
    admin.post(url("codes"), sent | {"source": "ours"})
    admin.post(url("codes"), sent)
    assert not ClinicCode.objects.exists()
    assert AuditEvent.objects.filter(action="settings.codes").count() == 2


def test_what_cannot_be_a_code_is_refused_with_its_reason(admin):
    for wrong, said in (
        ({"code": "254701008"}, "check digit"),
        ({"system": "my list"}, "no system that is known"),
        ({"of": "site:elbow"}, "Select a valid choice"),
        ({"code": ""}, "required"),
        ({"code": "1" * 60}, "at most 40"),
    ):
        answer = admin.post(url("codes"), BCC | wrong)
        assert answer.status_code == 422 and said in answer.content.decode()
    assert admin.post(url("codes-act"), {"kind": "x", "act": "remove"}).status_code == 404
    assert not ClinicCode.objects.exists()


def test_only_admins_change_them(client_for, clinician):
    client = client_for(clinician)
    assert client.get(url("codes")).status_code == client.post(url("codes"), BCC).status_code == 403
    assert client.post(url("codes-act"), {"act": "restore_all"}).status_code == 403


def test_the_form_holds_the_row_that_was_asked_for(admin):
    page = admin.get(url("codes") + "?of=disease:scc&system=SCT").content.decode()
    assert 'value="254651007"' in page and '<option value="disease:scc" selected' in page
    assert admin.get(url("codes") + "?of=nothing&system=%00").status_code in (200, 400)


def test_the_table_is_taken_along_as_csv_and_json_and_read_by_programs(admin, clinic, clinician):
    admin.post(url("codes"), BCC)
    text = admin.get(url("codes-file", "csv")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    of_json = json.loads(admin.get(url("codes-file", "json")).content)
    assert [row["code"] for row in rows] == [row["code"] for row in of_json]
    assert admin.get(url("codes-file", "xml")).status_code == 404
    program = Client(headers={"Authorization": f"Token {factories.make_token(clinician, scope='read')}"})
    told = program.get("/api/v1/codes/").json()
    assert [row["code"] for row in told] == [row["code"] for row in rows]
    assert told[0] == {
        "kind": "disease", "concept": "bcc", "name": "Basal cell carcinoma", "system": "SCT",
        "uri": "http://snomed.info/sct", "code": "254701007", "display": "Basal cell carcinoma of skin",
        "version": "20250201", "source": "our coder",
    }  # fmt: skip
    assert program.get("/api/v1/codes/?clinic=elsewhere").status_code == 404
    assert program.get("/api/v1/codes/?kind=site").status_code == 400
