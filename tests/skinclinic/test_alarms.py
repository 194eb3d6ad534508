"""Admins learn of what is out of the ordinary."""

import pytest
from django.test import Client

from skinclinic.models import AuditEvent, Letter
from skinclinic.services import alarms, audit
from tests import factories
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def test_admins_are_told_once_an_hour(clinic, clinician, admin_user, outsider, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ALARM_SIGN_INS, settings.ALARM_LOOKS, settings.ALARM_FETCHES = 3, 4, 0
    patient = factories.make_patient(clinic)
    for _time in range(3):
        Client(REMOTE_ADDR="192.0.2.66").post(url("login"), {"username": "clara", "password": "wrong"})
        audit.record("patient.view", patient, by=clinician)
        audit.record("report.print", patient, by=clinician)
    alarms.look()
    told = set(Letter.objects.values_list("address", "subject"))
    assert told == {
        (admin_user.email, f"Out of the ordinary: 3 wrong passwords {who} within an hour.")
        for who in (f"for {clinician}", "from 192.0.2.66")
    }
    alarms.look()
    assert Letter.objects.count() == 2
    audit.record("lesion.view", patient, by=clinician)
    alarms.look()
    assert "looked at 4 pages" in Letter.objects.latest("pk").subject and Letter.objects.count() == 3
    rows = AuditEvent.objects.filter(action="alarm")
    assert {row.facts["what"] for row in rows} == {"account", "address", "looks"}
    assert {row.clinic_key for row in rows} == {clinic.pk}
