"""The audit as admins read it: filters, pages by key, CSV, and who saw one patient."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from skinclinic.models import AuditEvent, Lesion
from skinclinic.services import audit, tokens
from skinclinic.services.binning import bin, emptying
from skinclinic.services.tokens import Wanted
from tests import factories
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
