"""What a clinic keeps for a while only: shown before, taken later, by erasing, and in the audit."""

import html
import os
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reader_study.models import Reader, Study
from skinclinic.archive.models import Dataset, DatasetVersion, Import
from skinclinic.archive.services.exporting import export
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Biopsy, Erasure, Lesion, Member, Patient, Retention
from skinclinic.services import diagnoses, plans, retention, visit_records
from tests import factories
from tests.skinclinic.pages import audited

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=4000)
RULES = {"patients_years": 10, "exports_days": 30, "imports_days": 30, "readers_months": 12}


def aged(row, **more):
    """The row, made long ago."""
    type(row)._base_manager.filter(pk=row.pk).update(created_at=LONG_AGO, **more)
    return row


@pytest.fixture
def held(clinic, clinician, curator):
    patients = {
        name: aged(factories.make_patient(clinic, name, research_consent=consent))
        for name, consent in (
            ("old", "refused"), ("consents", "given"), ("planned", ""), ("came", ""), ("awaited", ""), ("noted", ""),
            ("pictured", ""), ("diagnosed", ""),
        )
    }  # fmt: skip
    lesions = {
        name: aged(Lesion.objects.create(clinic=clinic, patient=patients[name]))
        for name in ("old", "awaited", "pictured", "diagnosed")
    }
    Biopsy.objects.create(clinic=clinic, lesion=lesions["awaited"], taken_on=LONG_AGO)
    visit_records.add_note(clinician, "called", patient=patients["noted"])
    photo = factories.make_photo(clinic, clinician, lesion=lesions["pictured"])
    aged(photo, captured_at=timezone.now())
    diagnoses.record(lesion=lesions["diagnosed"], user=clinician, kind="impression", disease="bcc")
    plans.see_again(
        aged(Lesion.objects.create(clinic=clinic, patient=patients["planned"])),
        clinician,
        timezone.localdate() + timedelta(days=9),
    )
    Lesion.objects.create(clinic=clinic, patient=patients["came"])
    factories.make_patient(clinic, "new")
    dataset = Dataset.objects.create(clinic=clinic, name="Cohort")
    version = DatasetVersion.objects.create(clinic=clinic, dataset=dataset, number=1, sha256="ab")
    folder = export.folder_of(version)
    folder.mkdir(parents=True)
    os.utime(folder, (LONG_AGO.timestamp(),) * 2)
    imported = imports.begin(
        clinic=clinic, user=curator, name="Half", format="csv", role="both", photos="p.zip"
    )
    (imports.folder(imported) / "p").mkdir(parents=True)
    aged(imported)
    study = Study.objects.create(clinic=clinic, name="Over", state="closed", closed_at=LONG_AGO)
    reader = Reader.objects.create(study=study, code="R01", name="Rita", email="r@example.org")
    return {**patients, "folder": folder, "reader": reader}


def test_nothing_goes_unless_a_rule_is_set_and_its_warning_is_over(
    held, clinic, admin_user, clinician, client_for
):
    assert client_for(clinician).get("/clinic/retention/").status_code == 403
    client = client_for(admin_user)
    assert "Nothing goes by itself." in client.get("/clinic/retention/").content.decode()
    looked = client.post("/clinic/retention/", {**RULES, "look": "1"}).content.decode()
    for words in (
        "1 patient;",
        "tables of 1 export;",
        "1 unfinished import;",
        "name and address of 1 reader;",
    ):
        assert f"at once: {words}" in looked
    assert not Retention.objects.exists()
    assert client.post("/clinic/retention/", {"patients_years": "0"}).status_code == 422
    client.post("/clinic/retention/", RULES)
    rules = Retention.objects.get()
    assert rules.begins_on == timezone.localdate() + retention.WARNED_FOR
    # Saved again as they are, they begin no later.
    Retention.objects.update(begins_on=timezone.localdate())
    client.post("/clinic/retention/", RULES)
    assert Retention.objects.get().begins_on == timezone.localdate()
    Retention.objects.update(begins_on=timezone.localdate() + timedelta(days=1))
    retention.ask_daily()
    assert jobs.run_waiting(retention.JOB) == 0 and retention.run(clinic) == {}
    Retention.objects.update(begins_on=timezone.localdate())
    retention.ask_daily()
    retention.ask_daily()
    assert jobs.run_waiting(retention.JOB) == 1
    retention.ask_daily()
    assert jobs.run_waiting(retention.JOB) == 0
    assert set(Patient.objects.values_list("code", flat=True)) == {
        "consents", "planned", "came", "awaited", "noted", "pictured", "diagnosed", "new",
    }  # fmt: skip
    assert Erasure.objects.get().reason == "retention"
    assert not held["folder"].exists() and not Import.objects.exists()
    reader = Reader.objects.get()
    assert (reader.code, reader.name, reader.email) == ("R01", "", "")
    event = AuditEvent.objects.get(action="retention.run")
    assert event.facts == {"patients_years": 1, "exports_days": 1, "imports_days": 1, "readers_months": 1}


def test_many_patients_are_looked_at_some_at_a_time_and_counted_together(
    held, clinic, admin_user, client_for, monkeypatch
):
    monkeypatch.setattr(retention, "LOOKED_AT", 2)
    last = aged(factories.make_patient(clinic, "last"))
    shortly = timezone.now() - 10 * timedelta(days=365.25) + timedelta(days=3)
    Patient.objects.filter(pk=factories.make_patient(clinic, "shortly").pk).update(created_at=shortly)
    client = client_for(admin_user)

    def walked(page: str, headers: dict) -> list[str]:
        """What is told of patients, page after page."""
        told = []
        while True:
            lines = page.partition('id="foreseen"')[2].partition("</ul>")[0]
            told.append(re.search(r"at once: (\d+) patients?; within 30 days: (\d+)", lines).groups())
            further = re.search(r' href="(/clinic/retention/\?[^"]+)"', lines)
            if not further:
                return told
            with CaptureQueriesContext(connection) as asked:
                response = client.get(html.unescape(further[1]), headers=headers)
            page = response.content.decode()
            assert ("<html" in page) is not bool(headers)
            (of_now, of_soon) = [one["sql"] for one in asked if one["sql"].count("EXISTS(") == 8]
            # Neither patients nor what is theirs are looked at beyond those.
            assert all(sql.count('_id" > ') + sql.count('"id" > ') == 9 for sql in (of_now, of_soon)), of_now
            assert not Retention.objects.exclude(patients_years=10).exists()

    looked = client.post("/clinic/retention/", {**RULES, "look": "1"}).content.decode()
    expected = [("1", "1")] * 4 + [("2", "2"), ("2", "3")]
    assert walked(looked, {"HX-Request": "true"}) == expected
    assert walked(looked, {}) == expected, "without scripts, page by page"
    assert not Retention.objects.exists() and Patient.objects.filter(pk=last.pk).exists()
    client.post("/clinic/retention/", {"patients_years": 10})
    saved = client.get("/clinic/retention/").content.decode()
    assert walked(saved, {"HX-Request": "true"}) == expected
    # What an address says that is nonsense is passed over.
    assert ">at once: 1 patient; within" in client.get("/clinic/retention/?after=x&now=-1&soon=").text


def test_somebody_who_left_is_forgotten_on_request(clinic, admin_user, clinician, client_for):
    client, member = client_for(admin_user), Member.objects.get(user=clinician)
    address = f"/clinic/members/{member.pk}/anonymise/"
    assert "still has access" in client.post(address, follow=True).content.decode()
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert address in client.get("/clinic/members/").content.decode()
    client.post(address)
    clinician.refresh_from_db()
    assert (clinician.username, clinician.email, clinician.is_active) == (f"left-{clinician.pk}", "", False)
    assert not clinician.has_usable_password() and "Clara" not in str(clinician)
    assert audited("member.anonymise")


def test_of_rules_that_are_none_nothing_is_foretold(admin_user, client_for):
    client = client_for(admin_user)
    assert "Nothing goes by itself." in client.get("/clinic/retention/").content.decode()
    wrong = client.post("/clinic/retention/", {"patients_years": "0"})
    assert wrong.status_code == 422 and "Nothing goes by itself." not in wrong.content.decode()
