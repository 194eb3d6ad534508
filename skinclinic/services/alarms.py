"""Telling admins by mail, within minutes and once an hour, what of the last hour's audit is out of the ordinary:
passwords guessed, a code of a second factor that came again, one person looking at or fetching very much."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import now_and_then
from skinclinic.models import Clinic, Member, Role, User
from skinclinic.models.audit import AuditEvent
from skinclinic.services import audit, letters
from skinclinic.web.counts import gettext as _

log = logging.getLogger(__name__)
ALARM = "alarm"
EVERY_SECONDS = 300
LOOKED_BACK = timedelta(hours=1)
# More rows of an hour than these are not gone through; so many are out of the ordinary themselves.
MOST_ROWS = 50_000
FETCHED = ("fetch", "export", "print")


@dataclass
class Found:
    """What somebody did in the last hour: how often, in which clinics."""

    count: int = 0
    clinics: set[int] = field(default_factory=set)


@now_and_then(EVERY_SECONDS)
def look() -> None:
    """Find what is out of the ordinary, and tell what was not told yet."""
    rows = list(_last_hour())
    told = {(row.facts.get("what"), row.facts.get("who")) for row in rows if row.action == ALARM}
    for (what, who), found in _counted(rows).items():
        most = limits()[what]
        if most and found.count >= most and (what, who) not in told:
            _tell(what, who, found)


def limits() -> dict[str, int]:
    """How often an hour is out of the ordinary; 0: never."""
    return {
        "account": settings.ALARM_SIGN_INS,
        "address": settings.ALARM_SIGN_INS,
        "code": 1,
        "looks": settings.ALARM_LOOKS,
        "fetches": settings.ALARM_FETCHES,
    }


def _last_hour() -> Iterator[AuditEvent]:
    since = clock.now() - LOOKED_BACK
    for row in AuditEvent.objects.order_by("-id")[:MOST_ROWS].iterator():
        if row.at < since:
            return
        yield row


def _counted(rows: Iterable[AuditEvent]) -> dict[tuple[str, str], Found]:
    counted: dict[tuple[str, str], Found] = defaultdict(Found)
    clinics = _Clinics()
    for row in rows:
        for what, who in _kinds(row):
            found = counted[what, who]
            found.count += 1
            person = row.user_key or row.subject_key
            found.clinics |= {row.clinic_key} if row.clinic_key else clinics.of(person)
    return counted


def _kinds(row: AuditEvent) -> Iterator[tuple[str, str]]:
    """What a row counts for, and of whom."""
    if row.action == "sign_in.refused":
        if row.subject_key:
            yield "account", str(row.subject_key)
        if row.address:
            yield "address", row.address
    elif row.action == "second_factor.used_again":
        yield "code", str(row.subject_key)
    elif row.user_key and row.patient_key and row.action.endswith(".view"):
        yield "looks", str(row.user_key)
    elif row.user_key and row.action.rpartition(".")[2] in FETCHED:
        yield "fetches", str(row.user_key)


class _Clinics:
    """The clinics of people, asked once each."""

    def __init__(self) -> None:
        self._known: dict[int, set[int]] = {}

    def of(self, person: int | None) -> set[int]:
        if person is None:
            return set()
        if person not in self._known:
            members = Member.objects.filter(user=person, is_active=True)
            self._known[person] = set(members.values_list("clinic", flat=True))
        return self._known[person]


def _tell(what: str, who: str, found: Found) -> None:
    words = _words(what, who, found.count)
    text = "\n".join([words, "", _("The page Audit tells more."), settings.PUBLIC_ADDRESS])
    log.warning("out of the ordinary in the last hour: %s of %s, %d times", what, who, found.count)
    facts = {"what": what, "who": who, "count": found.count}
    if not found.clinics:
        audit.record(ALARM, facts=facts)
    for clinic in Clinic.objects.filter(pk__in=found.clinics):
        with transaction.atomic():
            audit.record(ALARM, clinic=clinic, facts=facts)
            for address in admins(clinic):
                letters.post(clinic, address, words, text)


def admins(clinic: Clinic) -> list[str]:
    """The addresses of a clinic's admins, who are told of alarms."""
    admins = Member.objects.filter(clinic=clinic, role=Role.ADMIN, is_active=True).exclude(user__email="")
    return list(admins.values_list("user__email", flat=True))


def _words(what: str, who: str, count: int) -> str:
    said = {
        "account": _("Out of the ordinary: %(count)d wrong passwords for %(who)s within an hour."),
        "address": _("Out of the ordinary: %(count)d wrong passwords from %(who)s within an hour."),
        "code": _("Out of the ordinary: a code of the second factor of %(who)s came a second time."),
        "looks": _("Out of the ordinary: %(who)s looked at %(count)d pages of patients within an hour."),
        "fetches": _("Out of the ordinary: %(who)s fetched %(count)d files within an hour."),
    }
    person = User.objects.filter(pk=who).first() if what != "address" else None
    return said[what] % {"who": person or who, "count": count}
