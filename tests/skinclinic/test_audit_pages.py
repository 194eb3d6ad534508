"""The audit as admins read it: filters, pages by key, CSV, and who saw one patient."""

import csv
import io
import re
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from skinclinic.models import AuditEvent, Lesion
from skinclinic.presenters import audit as words
from skinclinic.services import audit, audit_reading, tokens
from skinclinic.services.binning import bin, emptying
from skinclinic.services.tokens import Wanted
from skinclinic.views import audit as views
from tests import factories
from tests.plans import with_no_index_but
from tests.readings import body_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(clinic, clinician):
    """Somebody whose lesion two people have looked at."""
    patient = factories.make_patient(clinic, "P-0815")
    lesion = Lesion.objects.create(clinic=clinic, patient=patient, created_by=clinician)
    audit.record("lesion.view", lesion, by=clinician)
    return patient


def shown(client, query: str = "") -> str:
    response = client.get(f"/clinic/audit/{query}")
    assert response.status_code == 200
    return response.content.decode()


def rows(page: str) -> int:
    return page.count('class="audit-line"')


def test_only_admins_read_it(clinician, curator, coordinator, client_for, patient):
    for user in (clinician, curator, coordinator):
        client = client_for(user)
        for address in ("/clinic/audit/", "/clinic/audit.csv", f"/patients/{patient.pk}/seen/"):
            assert client.get(address).status_code == 403
        assert "/seen/" not in client.get(f"/patients/{patient.pk}/").content.decode()


def test_filters(clinic, other_clinic, outsider, clinician, admin_user, client_for, patient):
    audit.record("settings.change", other_clinic, by=outsider)
    audit.record("sign_in", outsider, by=outsider)
    audit.record("sign_in", clinician, by=clinician)
    audit.record("dataset.export", clinic, by=clinician, reason="Vote <17>", before={"n": 1}, after={"n": 2})
    client = client_for(admin_user)
    page = shown(client)
    assert "Oscar" not in page and "Lesion looked at" in page and "Signed in" in page
    assert "Vote &lt;17&gt;" in page and "1 → 2" in page
    assert f'href="/patients/{patient.pk}/seen/">P-0815</a>' in page
    assert rows(shown(client, f"?person={clinician.pk}&group=looks")) == 1
    assert rows(shown(client, "?group=files")) == 1
    assert rows(shown(client, "?patient=p-0815")) == AuditEvent.objects.filter(patient_key=patient.pk).count()
    for nobody in ("?patient=P-9", "?patient=%23x"):
        assert "No patient has this code" in shown(client, nobody)
    for nothing in (
        "?day=2001-01-01",
        f"?person={admin_user.pk}&group=files",
    ):
        assert "Nothing fits" in shown(client, nothing)
    today = timezone.localdate()
    assert rows(shown(client, f"?day={today}")) and not rows(
        shown(client, f"?day={today - timedelta(days=1)}")
    )
    for nonsense in (
        "?day=x&person=x&group=x&cursor=x",
        f"?person={'9' * 30}&day=2026-02-30",
        "?day=9999-12-31",
        "?day=0001-01-01",
        "?patient=%00",
    ):
        shown(client, nonsense)


def test_pages_and_the_whole_as_csv(clinic, clinician, admin_user, client_for, patient):
    for number in range(60):
        audit.record("photo.view", clinic, by=clinician, facts={"number": number})
    client = client_for(admin_user)
    first = shown(client, "?group=looks")
    assert rows(first) == 50 and "number 59" in first
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = client.get(older).content.decode()
    assert "number 0<" in second and "number 59<" not in second
    data = body_of(client.get("/clinic/audit.csv?group=looks&patient=&day="))
    table = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    seen = [row for row in table if row["action"] == "photo.view"]
    assert len(seen) == 60 and seen[0]["user_name"] == "Clara" and seen[0]["facts"] == '{"number": 0}'
    assert {row["mac"] for row in seen} == set(
        AuditEvent.objects.filter(action="photo.view").values_list("mac", flat=True)
    )
    told = AuditEvent.objects.get(action="audit.export")
    assert told.user_key == admin_user.pk and told.facts["group"] == "looks"


def test_a_day_is_a_list_of_its_own_page_by_page_and_as_csv(
    clinic, clinician, admin_user, client_for, monkeypatch
):
    for number in range(60):
        audit.record("photo.view", clinic, by=clinician, facts={"number": number})
    client, today = client_for(admin_user), timezone.localdate()
    first = shown(client, f"?group=looks&day={today}")
    assert rows(first) == 50 and "number 59" in first
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = client.get(older).content.decode()
    assert "number 0<" in second and "number 59<" not in second
    monkeypatch.setattr(views, "_AT_ONCE", 7)
    for query in (f"day={today}", ""):
        table = list(
            csv.DictReader(
                io.StringIO(body_of(client.get(f"/clinic/audit.csv?group=looks&{query}")).decode("utf-8-sig"))
            )
        )
        seen = [row["facts"] for row in table if row["action"] == "photo.view"]
        assert seen == [f'{{"number": {number}}}' for number in range(60)]
    assert not rows(shown(client, f"?day={today - timedelta(days=1)}"))


def test_what_few_rows_are_is_found_by_an_index_however_many_there_are(clinic, clinician, admin_user):
    """A day long ago, what is seldom done, and whether somebody came from this address before."""
    audit.record("threshold.set", clinic, by=admin_user)
    audit.record("sign_in", clinician, by=clinician)
    day = audit_reading.AuditFilters(day=str(timezone.localdate() - timedelta(days=900)))
    seldom = audit_reading.AuditFilters(group="models")
    assert audit_reading.narrowed(clinic, audit_reading.of_clinic(clinic), seldom).count() == 1
    is_server = connection.vendor == "postgresql"
    if not is_server:
        # It goes by the keys, and sorts nothing.
        plan = audit_reading.of_clinic(clinic).order_by("-id")[:51].explain()
        assert "SCAN" in plan and "TEMP B-TREE" not in plan
    cases = [("audit_by_day", day), ("audit_by_action", seldom)]
    for index, asked in cases if is_server else cases[:1]:
        found = audit_reading.narrowed(clinic, audit_reading.of_clinic(clinic), asked)
        found = found.order_by(*audit_reading.order_of(asked))[:51]
        with with_no_index_but(index) if is_server else nullcontext():
            plan = found.explain()
        assert index in plan and "TEMP B-TREE" not in plan
    before = AuditEvent.objects.filter(action="sign_in", user_key=1, address="192.0.2.1").order_by("-id")[:1]
    with with_no_index_but("audit_sign_ins") if is_server else nullcontext():
        assert "audit_sign_ins" in before.explain()


def test_groups_are_the_same_by_name_and_by_query(clinic):
    AuditEvent.objects.bulk_create(
        AuditEvent(at=timezone.now(), action=action, nonce=action) for action in words.ACTIONS
    )
    made = AuditEvent.objects.filter(nonce__in=words.ACTIONS)
    for group in audit_reading.GROUPS.values():
        found = set(made.filter(group.where).values_list("action", flat=True))
        assert found == {action for action in words.ACTIONS if group.has(action)} != set()
    assert set(audit_reading._actions()) == set(AuditEvent.objects.values_list("action", flat=True))


def test_who_saw_this_patient_also_after_the_patient_is_gone(
    clinician, coordinator, admin_user, client_for, patient
):
    client, address = client_for(admin_user), f"/patients/{patient.pk}/seen/"
    client_for(coordinator).get(f"/patients/{patient.pk}/")
    assert f'href="{address}"' in client.get(f"/patients/{patient.pk}/").content.decode()
    page = client.get(address).content.decode()
    assert "Cora" in page and "Clara" in page and "Lesion looked at" in page and "Patient looked at" in page
    item = bin.put(patient, admin_user, reason="mistake")
    assert "Patient moved to the bin" in shown(client, "?patient=P-0815")
    emptying.empty(item, admin_user)
    assert "No patient has this code" in shown(client, "?patient=P-0815")
    gone = shown(client, f"?patient=%23{patient.pk}")
    assert f"patient #{patient.pk}, not here any more" in gone and "P-0815" not in gone
    assert "Deleted for good" in gone and "Cora" in gone


def test_nobody_yet(clinic, admin_user, client_for):
    AuditEvent.objects.all()._raw_delete("default")
    patient = factories.make_patient(clinic)
    AuditEvent.objects.all()._raw_delete("default")
    assert "Nobody yet" in client_for(admin_user).get(f"/patients/{patient.pk}/seen/").content.decode()


def test_rows_are_told_in_the_words_of_who_reads(clinic, clinician, admin_user, client_for, patient):
    token, _key = tokens.make(clinician, Wanted("PACS", "read", clinic), by=clinician)
    tokens.revoke(token, by=clinician, why="owner")
    audit.record(
        "patient.change",
        patient,
        by=clinician,
        before={"sex": "male", "code": "P-1"},
        after={"sex": "female", "code": "P-1"},
    )
    client = client_for(admin_user)
    page = shown(client)
    assert "Read only" in page and "revoked by its owner" in page and "Male → Female" in page
    assert "P-1 → P-1" not in page, "what stayed is no change"
    assert "read →" not in page, "of what was made or ended there is one side only"
    assert not re.search(r"\dT\d\d:\d\d[^<]*</li>", page), "days as people write them"
    client.cookies["django_language"] = "ko"
    page = shown(client)
    for word in ("토큰:", "읽기 전용", "남성 → 여성", "소유자가 폐기"):
        assert word in page
    assert "api token" not in page and "expires_at" not in page
