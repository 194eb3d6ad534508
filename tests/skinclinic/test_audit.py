"""The audit's rows: what they tell, that they stay, and that tampering is found, by doing it in SQL."""

import io
import threading
from itertools import count

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import RequestFactory

from skinclinic.models import AuditEvent, AuditHead, Job, Lesion
from skinclinic.models.audit import AddedOnly
from skinclinic.services import audit, audit_chain, audit_check
from skinclinic.web import acting
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db
ROW = "skinclinic_auditevent"
HEAD = "skinclinic_audithead"


def sql(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(row=ROW, head=HEAD), values)


def verified(*arguments: str) -> str:
    """What ``verify_audit`` wrote; raises CommandError where it finds anything."""
    written = io.StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=written, stderr=written)
    except CommandError as error:
        error.args = (f"{error} {written.getvalue()}",)
        raise
    return written.getvalue()


def test_a_row_tells_who_what_and_of_whom(clinic, clinician):
    patient = factories.make_patient(clinic, "P-77")
    lesion = Lesion.objects.create(clinic=clinic, patient=patient, note="told in confidence")
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    request.user = clinician
    with acting.acting(acting.Acting(request=request, request_id="a" * 12)):
        audit.record(
            "lesion.change",
            lesion,
            reason="a mistake\0",
            **audit.changes({"note": ["old", "new"], "x": [1, 2]}, ["note"]),
        )
    row = AuditEvent.objects.get(action="lesion.change")
    assert (row.clinic_key, row.patient_key, row.subject_kind, row.subject_key) == (
        clinic.pk, patient.pk, "skinclinic.lesion", lesion.pk,
    )  # fmt: skip
    assert (row.user_key, row.user_name, row.via, row.address, row.request) == (
        clinician.pk, "Clara", "session", "203.0.113.7", "a" * 12,
    )  # fmt: skip
    assert (row.before, row.after) == ({"note": None, "x": 1}, {"note": "changed", "x": 2})
    assert row.reason == "a mistake"
    # Nothing in it names the patient.
    assert "P-77" not in str(vars(row)) and "old" not in row.details
    patient_key, lesion_key = patient.pk, lesion.pk
    lesion.delete()
    patient.delete()
    kept = AuditEvent.objects.get(action="lesion.change")
    assert (kept.patient_key, kept.subject_key) == (patient_key, lesion_key)


def test_names_are_those_of_the_clinics_own_things(clinic, clinician, photo):
    audit.record("member.role", clinician.memberships.get(), by=clinician)
    audit.record("photo.view", photo)
    seen, member = AuditEvent.objects.filter(action__in=("member.role", "photo.view"))
    assert "Clara" in member.subject_name and member.clinic_key == clinic.pk
    assert seen.subject_name == "" and seen.clinic_key == clinic.pk


def test_jobs_and_commands_are_named(clinic):
    row = Job.objects.create(kind="analyse", key="1")
    with acting.acting(acting.job("analyse", [row.pk])):
        audit.record("dataset.export", clinic)
    audit.record("dataset.export", clinic)
    command, worker = AuditEvent.objects.all()
    assert (worker.via, worker.via_name, worker.via_key) == ("job", "analyse", row.pk)
    assert command.via == "command" and command.via_name


def test_a_row_goes_with_its_transaction(clinic):
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("settings.change", clinic)
        raise RuntimeError
    assert not AuditEvent.objects.exists()


def test_one_row_is_one_statement(clinic, django_assert_num_queries):
    with django_assert_num_queries(1):
        audit.record("settings.change", clinic)
    with django_assert_num_queries(1):
        audit.record_all("photo.view", [clinic] * 20)


def test_rows_are_added_only(clinic):
    row = audit.record("settings.change", clinic)
    row.reason = "another"
    for change in (
        row.save, row.delete, AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(reason=""),
        lambda: AuditEvent.objects.bulk_update([row], ["reason"]),
        AuditEvent.objects.get().save,
    ):  # fmt: skip
        with pytest.raises(AddedOnly):
            change()
    assert AuditEvent.objects.get().reason == ""


@pytest.fixture(scope="module")
def written(standing):
    """Twelve rows, nine of which have their place."""
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        for number in range(12):
            audit.record("patient.view", clinic, facts={"number": number, "share": 1e22})
            if number == 8:
                audit_chain.seal()
        standing.keep(clinic=clinic)


def row(number: int) -> int:
    """The key of the row written as this one, from 1."""
    return AuditEvent.objects.order_by("id").values_list("id", flat=True)[number - 1]


def test_whole(written, clinic):
    said = verified()
    assert "12 rows, all there" in said
    assert list(AuditEvent.objects.order_by("id").values_list("seq", flat=True)) == list(range(1, 13))
    anchor = said.rsplit(maxsplit=1)[1]
    audit.record("patient.view", clinic)
    assert "13 rows" in verified("--expect", anchor)


TAMPERING = {
    "changed": (["UPDATE {row} SET user_name = 'Somebody' WHERE id = %s", [4]], "Row 4 (id"),
    "changed before it has its place": (["UPDATE {row} SET action = 'sign_in' WHERE id = %s", [11]], "Row 11 (id"),
    "the time": (["UPDATE {row} SET at = '2020-01-01 00:00:00' WHERE id = %s", [2]], "Row 2 (id"),
    "the details": (["UPDATE {row} SET details = '{{}}' WHERE id = %s", [3]], "Row 3 (id"),
    "missing": (["DELETE FROM {row} WHERE id IN (%s, %s)", [4, 5]], "Rows 4 to 5 are missing"),
    "the first": (["DELETE FROM {row} WHERE id = %s", [1]], "Row 1 is missing"),
    "the last with a place": (["DELETE FROM {row} WHERE id = %s", [9]], "Row 9 is missing"),
    "missing and closed up": (
        ["DELETE FROM {row} WHERE id = %s", [4], "UPDATE {row} SET seq = -seq WHERE seq > 4", [],
         "UPDATE {row} SET seq = -seq - 1 WHERE seq < 0", [], "UPDATE {head} SET seq = seq - 1", []],
        "is not the row that stood there",
    ),
    "re-ordered": (
        ["UPDATE {row} SET seq = -1 WHERE seq = 6", [], "UPDATE {row} SET seq = 6 WHERE seq = 7", [],
         "UPDATE {row} SET seq = 7 WHERE seq = -1", []],
        "Row 6 (id",
    ),
    "a copy put in": (
        ["INSERT INTO {row} (at, user_name, via, via_name, address, request, action, subject_kind, subject_name,"
         " reason, details, nonce, mac, chain) SELECT at, user_name, via, via_name, address, request, action,"
         " subject_kind, subject_name, reason, details, 'new', mac, '' FROM {row} WHERE id = %s", [5]],
        "Row 13 (id",
    ),
    "put in before the first": (["UPDATE {row} SET seq = 0, chain = 'x' WHERE id = %s", [12]], "before the first"),
    "put in next behind the last": (["UPDATE {row} SET seq = 12, chain = 'x' WHERE id = %s", [12]], "put in behind"),
    "put in behind the last": (["UPDATE {row} SET seq = 20, chain = 'x' WHERE id = %s", [12]], "put in behind"),
    "the head changed": (["UPDATE {head} SET seq = 8", [], "DELETE FROM {row} WHERE id = %s", [9]], "head"),
    "the head gone": (["DELETE FROM {head}", []], "head"),
    "everything gone": (["DELETE FROM {row}", []], "Rows 1 to 9 are missing"),
}  # fmt: skip


@each("what", TAMPERING)
def test_tampering_is_found_and_named(written, what):
    steps, said = TAMPERING[what]
    for statement, numbers in zip(steps[::2], steps[1::2], strict=True):
        sql(statement, *[row(number) for number in numbers])
    with pytest.raises(CommandError, match="is not whole") as found:
        verified()
    assert said in str(found.value)


def test_a_noted_anchor_finds_an_end_that_was_cut_off_with_its_head(written):
    """Who has an older head can put it back; the anchor is noted where they cannot reach."""
    old = AuditHead.objects.values_list("seq", "chain", "mac").get()
    anchor = verified().rsplit(maxsplit=1)[1]
    sql("DELETE FROM {row} WHERE seq > 9")
    sql("UPDATE {head} SET seq = %s, chain = %s, mac = %s", *old)
    verified()
    with pytest.raises(CommandError, match="anchor"):
        verified("--expect", anchor)
    with pytest.raises(CommandError, match="no anchor"):
        verified("--expect", "yesterday")


def test_another_secret_key(written, settings):
    verified()
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(CommandError, match="was SECRET_KEY changed"):
        verified()
    settings.SECRET_KEY_FALLBACKS = [old]
    audit.record("patient.view", None)
    assert "13 rows" in verified()


def test_many_rows_are_verified_in_pieces(written, monkeypatch):
    monkeypatch.setattr(audit_check, "AT_ONCE", 5)
    monkeypatch.setattr(audit_chain, "AT_ONCE", 2)
    assert "12 rows" in verified()


@pytest.mark.django_db(transaction=True)
def test_places_given_by_two_at_once(clinic):
    """Each row has one place, whoever gives it."""
    keys, stop = count(), threading.Event()

    def write() -> None:
        for _ in range(15):
            audit.record("patient.view", facts={"number": next(keys)})
        connection.close()

    def place() -> None:
        while not stop.is_set():
            audit_chain.seal()
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    sealers = [threading.Thread(target=place) for _ in range(2)]
    for thread in writers + sealers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    assert "30 rows" in verified()
