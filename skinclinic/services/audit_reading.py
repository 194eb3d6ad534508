"""What an admin may read of the audit: everything of the clinic, and what its people do outside any clinic."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from skinclinic.models import AuditEvent, BinItem, Clinic, Member, Patient
from skinclinic.services import patients
from skinclinic.vocabulary import days
from skinclinic.web.inputs import Filters, is_key

# The groups that the page offers, by how their actions begin or end.
GROUPS: dict[str, Q] = {
    "looks": Q(action__endswith=".view") | Q(action__endswith=".open") | Q(action__endswith=".photo")
    | Q(action__endswith=".photos") | Q(action__in=("study.results", "study.answers", "study.log")),
    "files": Q(action__endswith=".fetch") | Q(action__endswith=".export") | Q(action__endswith=".print")
    | Q(action="dataset.texts"),
    "sign-ins": Q(action__startswith="sign_in") | Q(action__startswith="sign_out")
    | Q(action__startswith="password.") | Q(action__startswith="second_factor.") | Q(action__startswith="email.")
    | Q(action__startswith="account.") | Q(action__startswith="token.") | Q(action__startswith="session."),
    "people": Q(action__startswith="member.") | Q(action__startswith="invitation.")
    | Q(action__startswith="settings.") | Q(action__startswith="job.")
    | Q(action__startswith="service.") | Q(action__startswith="webhook."),
    "deletions": Q(action__endswith=".delete") | Q(action__endswith=".erase") | Q(action__startswith="bin.")
    | Q(action__in=("patient.merge", "patient.erase_again", "photo.cover", "photo.remove")),
    "changes": Q(action__endswith=".change") | Q(action__endswith=".make") | Q(action__endswith=".withdraw")
    | Q(action="change"),
    "archive": Q(action__startswith="entry.") | Q(action__startswith="dataset.") | Q(action__startswith="import."),
    "models": Q(action__startswith="model.") | Q(action__startswith="threshold.")
    | Q(action__startswith="evaluation."),
    "studies": Q(action__startswith="study.") | Q(action__startswith="reading."),
}  # fmt: skip


@dataclass(frozen=True)
class AuditFilters(Filters):
    """``person``: the key of a user. ``patient``: a code, or "#12", the number of one that is gone. ``day``: of the
    server's zone."""

    ALLOWED = {"group": GROUPS}

    person: str = ""
    group: str = ""
    patient: str = ""
    day: str = ""

    @classmethod
    def tidy(cls, name: str, text: str) -> str:
        text = super().tidy(name, text)[:64]
        if name == "person":
            return text if is_key(text) else ""
        if name == "day":
            return text if days.day(text) else ""
        return text


def of_clinic(clinic: Clinic) -> QuerySet[AuditEvent]:
    """Rows of the clinic, newest first, and of what its people do outside any, such as signing in. Where there is no
    other clinic, all rows."""
    if not Clinic.objects.exclude(pk=clinic.pk).exists():
        return AuditEvent.objects.filter(Q(clinic_key=clinic.pk) | Q(clinic_key=None))
    people = list(Member.objects.filter(clinic=clinic).values_list("user", flat=True))
    outside = Q(clinic_key=None) & (
        Q(user_key__in=people) | Q(subject_kind="skinclinic.user", subject_key__in=people)
    )
    return AuditEvent.objects.filter(Q(clinic_key=clinic.pk) | outside)


def narrowed(clinic: Clinic, rows: QuerySet[AuditEvent], asked: AuditFilters) -> QuerySet[AuditEvent]:
    """The rows that are asked for; none for a patient that nobody knows."""
    if asked.person:
        rows = rows.filter(user_key=int(asked.person))
    if asked.group:
        rows = rows.filter(GROUPS[asked.group])
    if asked.patient:
        rows = rows.filter(patient_key__in=patient_keys(clinic, asked.patient))
    if (day := days.day(asked.day)) is not None:
        begin = timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
        rows = rows.filter(at__gte=begin, at__lt=begin + datetime.timedelta(days=1))
    return rows


def patient_keys(clinic: Clinic, text: str) -> list[int]:
    """Whom a code means, also one that lies in the bin; or a number itself."""
    if text.startswith("#"):
        return [int(text[1:])] if is_key(text[1:]) else []
    found = patients.with_code(clinic, text)
    if found is not None:
        return of_patient(found)
    binned = BinItem.objects.filter(clinic=clinic, kind=BinItem.Kind.PATIENT, told__code__iexact=text)
    return list(binned.values_list("key", flat=True))


def of_patient(patient: Patient) -> list[int]:
    """Its key, and those of others that became it."""
    merged = BinItem.objects.filter(kind=BinItem.Kind.MERGE, into=patient).exclude(
        ended_how=BinItem.Ended.RESTORED
    )
    return [patient.pk, *merged.values_list("key", flat=True)]


def who_saw(rows: QuerySet[AuditEvent], most: int = 200) -> list[Mapping[str, Any]]:
    """Each person and link among the rows, with how often and when last, the last first."""
    people = rows.order_by().values("user_key", "user_name", "via", "via_key", "via_name")
    return list(people.annotate(times=Count("id"), last=Max("at")).order_by("-last")[:most])


def codes_of(clinic: Clinic, keys: set[int]) -> dict[int, str]:
    """What patients are called now; those that are gone have no code."""
    return dict(Patient.objects.filter(clinic=clinic, pk__in=keys).values_list("pk", "code"))
