"""Writing down who saw or did what: one row in the caller's transaction, so that neither is without the other.

No lock is taken: rows get their place in the chain a moment later (``audit_chain.py``). What names a patient or is
free text does not belong here: a patient is a key, and of a text only that it changed.
"""

import json
import secrets
import time
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypedDict

from django.core.exceptions import ObjectDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from skinclinic.models import BinItem, Clinic, Invitation, Member, Patient, User
from skinclinic.models.audit import AuditEvent
from skinclinic.services import audit_chain
from skinclinic.web import acting
from skinclinic.web.inputs import storable

CHANGED = "changed"
SAME_LOOK_SECONDS = 600
# How a row leads to its clinic and its patient, the nearest way first.
_WAYS = (
    "photo", "lesion", "analysis", "entry", "dataset", "version", "study", "image", "reader", "reading", "opinion",
)  # fmt: skip
_OF_PATIENTS = (BinItem.Kind.PATIENT, BinItem.Kind.MERGE)
_NAMED = (User, Member, Invitation)


class Changes(TypedDict):
    """What a row said before, and what it says now."""

    before: dict[str, Any]
    after: dict[str, Any]


def record(
    action: str,
    subject: Model | None = None,
    *,
    clinic: Clinic | int | None = None,
    by: User | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    patient: Patient | int | None = None,
) -> AuditEvent:
    """Write one row. ``subject``: a row of any model, or None; its clinic and patient are found from it unless they
    are given. ``by``: a person, else who acts in this request, job or command."""
    event = _event(
        action, subject, clinic, by, patient, reason=reason, before=before, after=after, facts=facts
    )
    event.save()
    return event


def record_all(
    action: str,
    subjects: Iterable[Model],
    *,
    clinic: Clinic | int | None = None,
    by: User | None = None,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """A row for each subject, written together."""
    rows = [_event(action, subject, clinic, by, None, reason=reason, facts=facts) for subject in subjects]
    AuditEvent.objects.bulk_create(rows, batch_size=500)


def record_each(action: str, changed: Iterable[tuple[Model, Changes]], *, by: User | None = None) -> None:
    """A row for each subject with its own ``before`` and ``after``, written together."""
    rows = [_event(action, subject, None, by, None, **told) for subject, told in changed]
    AuditEvent.objects.bulk_create(rows, batch_size=500)


def viewed(action: str, subject: Model | None, *, facts: Mapping[str, Any] | None = None) -> None:
    """Write that the person of this request has looked at something; again within ten minutes is the same look."""
    who = acting.now()
    person = who.person()
    session = getattr(getattr(who.request, "session", None), "session_key", None)
    label, key = (subject._meta.label_lower, subject.pk) if subject else ("", None)
    look = (action, label, key, who.through(), person.pk if person else None, session, who.address)
    if _looks.is_fresh(look):
        return
    record(action, subject, facts=facts)
    # Only what is really written stands for the looks that follow.
    transaction.on_commit(lambda: _looks.add(look))


class _Looks:
    """Who has looked at what in the last minutes, as far as this process knows: another one writes a row of its own."""

    MOST = 20_000

    def __init__(self) -> None:
        self._at: dict[Hashable, float] = {}

    def is_fresh(self, look: Hashable) -> bool:
        at = self._at.get(look)
        return at is not None and time.monotonic() - at < SAME_LOOK_SECONDS

    def add(self, look: Hashable) -> None:
        if len(self._at) >= self.MOST:
            self._at.clear()
        self._at[look] = time.monotonic()


_looks = _Looks()


def changes(fields: Mapping[str, Any], texts: Iterable[str] = ()) -> Changes:
    """{field: [from, to]} as ``before`` and ``after`` of ``record``; of ``texts`` only that they changed."""
    hidden = set(texts)
    return {
        "before": {name: None if name in hidden else pair[0] for name, pair in fields.items()},
        "after": {name: CHANGED if name in hidden else pair[1] for name, pair in fields.items()},
    }


def patient_key_of(subject: Model | None) -> int | None:
    """The patient a row is about, found by the way its model gives."""
    if isinstance(subject, BinItem):
        return subject.key if subject.kind in _OF_PATIENTS else subject.patient_key
    return _found(subject, Patient, "patient_id")


def _event(
    action: str,
    subject: Model | None,
    clinic: Clinic | int | None,
    by: User | None,
    patient: Patient | int | None,
    *,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> AuditEvent:
    who = acting.now()
    person = by or who.person()
    via, via_key, via_name = who.through()
    patient_key = patient_key_of(subject) if patient is None else _key(patient)
    told = {"before": before, "after": after, "facts": facts}
    event = AuditEvent(
        at=timezone.now(),
        clinic_key=_clinic_key(subject, who) if clinic is None else _key(clinic),
        user_key=person.pk if person else None,
        user_name=_text(str(person)) if person else "",
        via=via,
        via_key=via_key,
        via_name=_text(via_name),
        address=_text(who.address)[:45],
        request=who.request_id or who.job[:64],
        action=action,
        subject_kind=subject._meta.label_lower if subject else "",
        subject_key=subject.pk if subject and isinstance(subject.pk, int) else None,
        subject_name=_name_of(subject),
        patient_key=patient_key,
        reason="".join(filter(storable, reason)),
        details=_json({name: value for name, value in told.items() if value}),
        nonce=secrets.token_urlsafe(16),
    )
    event.mac = audit_chain.mac_of(event)
    return event


def _name_of(subject: Model | None) -> str:
    """What people call the row; "" for whatever belongs to a patient, and where the model has no name."""
    if subject is None:
        return ""
    has_name = isinstance(subject, _NAMED) or any(
        field.name == "name" for field in subject._meta.concrete_fields
    )
    return _text(str(subject)) if has_name else ""


def _clinic_key(subject: Model | None, who: acting.Acting) -> int | None:
    if (found := _found(subject, Clinic, "clinic_id")) is not None:
        return found
    member = getattr(who.request, "membership", None)
    return member.clinic_id if member else None


def _found(row: Model | None, model: type[Model], name: str, steps: int = 3) -> int | None:
    """The key of the row of ``model`` that a row belongs to, itself included."""
    if row is None:
        return None
    if isinstance(row, model):
        return row.pk
    if (key := getattr(row, name, None)) is not None or not steps:
        return key
    for way in _WAYS:
        if getattr(row, f"{way}_id", None) is None:
            continue
        try:
            key = _found(getattr(row, way), model, name, steps - 1)
        except ObjectDoesNotExist:  # it went before
            continue
        if key is not None:
            return key
    return None


def _key(row: Model | int) -> int:
    return row if isinstance(row, int) else row.pk


def _text(text: str) -> str:
    return "".join(filter(storable, text))[:200]


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":")) if told else ""
