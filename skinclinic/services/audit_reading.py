"""What an admin may read of the audit: everything of the clinic, and what its people do outside any clinic."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from skinclinic.models import AuditEvent, BinItem, Clinic, Member, Patient
from skinclinic.services import patients
from skinclinic.vocabulary import days
from skinclinic.web.inputs import Filters, is_key


@dataclass(frozen=True)
class Group:
    """Actions that end so, that begin so, and others by their names."""

    ends: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    def has(self, action: str) -> bool:
        return action.endswith(self.ends) or action.startswith(self.begins) or action in self.named

    @property
    def where(self) -> Q:
        """The same, asked of every row."""
        found = Q(action__in=self.named)
        for end in self.ends:
            found |= Q(action__endswith=end)
        for begin in self.begins:
            found |= Q(action__startswith=begin)
        return found


# The groups that the page offers.
GROUPS = {
    "looks": Group(
        ends=(".view", ".open", ".photo", ".photos"), named=("study.results", "study.answers", "study.log")
    ),
    "files": Group(ends=(".fetch", ".export", ".print"), named=("dataset.texts",)),
    "sign-ins": Group(
        begins=("sign_in", "sign_out", "password.", "second_factor.", "email.", "account.", "token.", "session.")
    ),
    "people": Group(
        begins=("member.", "invitation.", "settings.", "job.", "service.", "webhook.")
    ),
    "deletions": Group(
        ends=(".delete", ".erase"), begins=("bin.",),
        named=("patient.merge", "patient.erase_again", "photo.cover", "photo.remove"),
    ),
    "changes": Group(ends=(".change", ".make", ".withdraw"), named=("change",)),
    "archive": Group(begins=("entry.", "dataset.", "import.")),
    "models": Group(begins=("model.", "threshold.", "evaluation.")),
    "studies": Group(begins=("study.", "reading.")),
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
        # Nearly all rows: none is looked for by its clinic, and no list sorts them all.
        found = AuditEvent.objects.alias(whose=Coalesce("clinic_key", Value(clinic.pk)))
        return found.filter(whose=clinic.pk)
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
        rows = rows.filter(_of_group(GROUPS[asked.group]))
    if asked.patient:
        rows = rows.filter(patient_key__in=patient_keys(clinic, asked.patient))
    if (day := days.day(asked.day)) is not None:
        begin = timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
        rows = rows.filter(at__gte=begin, at__lt=begin + datetime.timedelta(days=1))
    return rows


def order_of(asked: AuditFilters) -> tuple[str, ...]:
    """The newest first, along an index that finds what is asked for: of a day years ago nothing is read that came
    since."""
    return ("-at", "-id") if asked.day else ("-id",)


def _of_group(group: Group) -> Q:
    """Rows of a group. PostgreSQL is told which of the actions that there are: of these it knows how many rows have
    them, and finds what few have by an index; how an action ends it would look for in every row."""
    if connection.vendor != "postgresql":
        return group.where
    return Q(action__in=[action for action in _actions() if group.has(action)])


def _actions() -> Iterator[str]:
    """Those that any row has, some dozens, from one to the next along their index."""
    names, last = AuditEvent.objects.order_by("action").values_list("action", flat=True), ""
    while (found := names.filter(action__gt=last).first()) is not None:
        yield found
        last = found


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
