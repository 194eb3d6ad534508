"""What a clinic keeps for a while only: rules, what they will take and when, and the daily run that takes it.

The apps above register what they hold (``keeps``). Whoever sets a rule sees first what it will take; it begins some
days later.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from skinclinic.engine import clock, jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.models import (
    Biopsy,
    Clinic,
    Diagnosis,
    Erasure,
    FollowUp,
    Lesion,
    Note,
    Patient,
    Photo,
    Retention,
    User,
)
from skinclinic.services import audit
from skinclinic.services.binning.items import Gone
from skinclinic.services.erasing import erase

log = logging.getLogger(__name__)
JOB = "retention"
PATIENTS = "patients_years"
# From saving a rule until it takes anything.
WARNED_FOR = timedelta(days=14)
LOOKED_AHEAD = timedelta(days=30)
# So many patients are looked at in a request to tell what goes.
LOOKED_AT = 2000
# (clinic, from before when, act): how many go; with ``act`` they are gone.
Rule = Callable[[Clinic, datetime, bool], int]
_rules: dict[str, tuple[timedelta, Rule]] = {}


@dataclass(frozen=True)
class Foreseen:
    """Of one rule: how many go now, and how many until some weeks from now. ``after``: the key of the last patient who
    was looked at, where there are more; None where these are all."""

    name: str
    now: int = 0
    soon: int = 0
    after: int | None = None


def keeps(name: str, unit: timedelta) -> Callable[[Rule], Rule]:
    """Register what a column of ``Retention`` rules over, which counts in ``unit``."""

    def register(rule: Rule) -> Rule:
        _rules[name] = (unit, rule)
        return rule

    return register


def of(clinic: Clinic) -> Retention:
    """The clinic's rules; none, as long as nobody has set any."""
    return Retention.objects.filter(clinic=clinic).first() or Retention(clinic=clinic)


def foreseen(rules: Retention, begun: Foreseen | None = None) -> list[Foreseen]:
    """What the rules will take, set or not saved yet; of many patients among the first LOOKED_AT, or with those that
    were looked at before and counted as ``begun``, among the next."""
    return [
        _among_patients(rules.clinic, limit, begun or Foreseen(name))
        if name == PATIENTS
        else Foreseen(name, rule(rules.clinic, limit, False), rule(rules.clinic, limit + LOOKED_AHEAD, False))
        for name, rule, limit in _set(rules, clock.now())
    ]


def _among_patients(clinic: Clinic, limit: datetime, begun: Foreseen) -> Foreseen:
    """Those that were counted before, and those that go of the next LOOKED_AT patients."""
    after = begun.after or 0
    there = Patient.objects.filter(clinic=clinic, is_archived=False, pk__gt=after).order_by("pk")
    keys = list(there.values_list("pk", flat=True)[: LOOKED_AT + 1])
    if not keys:
        return replace(begun, after=None)
    up_to, is_more = keys[:LOOKED_AT][-1], len(keys) > LOOKED_AT

    def going(before: datetime) -> int:
        return patients_due(clinic, before, after, up_to).count()

    now, soon = begun.now + going(limit), begun.soon + going(limit + LOOKED_AHEAD)
    return Foreseen(begun.name, now, soon, up_to if is_more else None)


@transaction.atomic
def save(rules: Retention, user: User) -> None:
    """Keep the rules; what they take from then on goes after some days."""
    before = of(rules.clinic)
    changed = {name: [getattr(before, name), getattr(rules, name)] for name in _rules}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if not changed:
        return
    rules.begins_on = timezone.localdate(clock.now()) + WARNED_FOR
    rules.changed_by = user
    rules.save()
    told = audit.changes(changed)
    audit.record(
        "settings.change", rules, clinic=rules.clinic, by=user, before=told["before"], after=told["after"]
    )


@broom
def ask_daily() -> None:
    """Ask for the run of today, once."""
    today = timezone.localdate(clock.now())
    for rules in Retention.objects.filter(begins_on__lte=today).select_related("clinic"):
        if any(getattr(rules, name) for name in _rules) and _not_on(rules, today):
            jobs.enqueue(JOB, f"{rules.clinic_id}:{today}", subject=rules.clinic_id, clinic=rules.clinic)


def run(clinic: Clinic) -> dict[str, int]:
    """Take what the clinic's rules take now; {rule: how many}."""
    rules = of(clinic)
    now = clock.now()
    if rules.begins_on is None or rules.begins_on > timezone.localdate(now):
        return {}
    counts = {name: rule(clinic, limit, True) for name, rule, limit in _set(rules, now)}
    with transaction.atomic():
        Retention.objects.filter(clinic=clinic).update(ran_at=now)
        if any(counts.values()):
            audit.record("retention.run", rules, clinic=clinic, facts=counts)
    return counts


@keeps(PATIENTS, timedelta(days=365.25))
def patients(clinic: Clinic, limit: datetime, act: bool) -> int:
    """Patients who did not consent to the archive, have not come since, and with whom nothing is planned."""
    due = patients_due(clinic, limit)
    if not act:
        return due.count()
    count = 0
    for patient in _beyond_doubt(due, limit):
        try:
            erase.erase(patient, None, reason=Erasure.Reason.RETENTION)
        except Gone:
            continue
        count += 1
    return count


def patients_due(
    clinic: Clinic, limit: datetime, after: int = 0, up_to: int | None = None
) -> QuerySet[Patient]:
    """Those that the rule takes, or of them those whose keys are above ``after`` and not above ``up_to``."""

    def of(model: type[Model], to_patient: str, **since: object) -> QuerySet[Any]:
        # The bounds again: the database sees of itself only that keys are equal, and would look through all rows.
        bounds = {f"{to_patient}__gt": after} | ({f"{to_patient}__lte": up_to} if up_to else {})
        return model._default_manager.filter(**{to_patient: OuterRef("pk")}, **bounds, **since)

    since = (
        of(Lesion, "patient", created_at__gte=limit),
        of(Photo, "lesion__patient", created_at__gte=limit),
        of(Photo, "lesion__patient", captured_at__gte=limit),
        of(Diagnosis, "lesion__patient", created_at__gte=limit),
        of(Note, "patient", created_at__gte=limit),
        of(Note, "lesion__patient", created_at__gte=limit),
        of(FollowUp, "lesion__patient", ended_at=None),
        of(Biopsy, "lesion__patient", ended_at=None),
    )
    found = Patient.objects.filter(clinic=clinic, is_archived=False, created_at__lt=limit, pk__gt=after)
    if up_to:
        found = found.filter(pk__lte=up_to)
    found = found.exclude(research_consent=Patient.Consent.GIVEN)
    for later in since:
        found = found.exclude(Exists(later))
    return found.order_by("pk")


def _beyond_doubt(due: QuerySet[Patient], limit: datetime) -> Iterator[Patient]:
    """Those of whom nothing was written after something that is as young as ``limit``, of whatever clinic: what was,
    came later than its moment says, from a machine whose clock was years behind."""
    kept = {model: _first_since(model, limit) for model in (Patient, Lesion, Photo, Diagnosis, Note)}

    def came_late(rows: QuerySet[Any]) -> bool:
        first = kept[rows.model]
        return first is not None and rows.filter(pk__gte=first).exists()

    for patient in due:
        lesions = patient.lesions.all()
        written = (
            Patient.objects.filter(pk=patient.pk), lesions, Photo.objects.filter(lesion__in=lesions),
            Diagnosis.objects.filter(lesion__in=lesions), patient.notes.all(), Note.objects.filter(lesion__in=lesions),
        )  # fmt: skip
        if any(came_late(rows) for rows in written):
            log.error("patient %s is kept: a clock was years behind when something was written", patient.pk)
        else:
            yield patient


def _first_since(model: type[Model], limit: datetime) -> int | None:
    """The lowest key of what says that it was written since."""
    rows = model._default_manager.filter(created_at__gte=limit).order_by("pk")
    return rows.values_list("pk", flat=True).first()


def _set(rules: Retention, now: datetime) -> list[tuple[str, Rule, datetime]]:
    """(name, rule, limit) of those that are set."""
    return [
        (name, rule, now - value * unit)
        for name, (unit, rule) in _rules.items()
        if (value := getattr(rules, name))
    ]


def _not_on(rules: Retention, today: date) -> bool:
    return rules.ran_at is None or timezone.localdate(rules.ran_at) < today
