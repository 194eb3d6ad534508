"""Consent to the archive: its date, and what follows at once where it is taken back.

The apps above say what they hold of a patient's photos: each registers a place with ``on_withdrawal``.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from skinclinic.models import Patient, User


@dataclass(frozen=True)
class Effect:
    """One thing that follows, in words that hold before and after: how many, of what (a stable key)."""

    key: str
    count: int
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"what": self.key, "count": self.count, "text": self.text}


# (patient, user, act): what follows in one place; with ``act`` it is done, else only looked up.
Place = Callable[[Patient, User | None, bool], Iterable[Effect]]
_places: list[Place] = []
# (patient): what was taken out before and does not come back by itself when the consent is given again.
_left_out: list[Callable[[Patient], Iterable[Effect]]] = []


_acting: ContextVar[tuple[User, list[Effect]] | None] = ContextVar("acting", default=None)


def on_withdrawal(place: Place) -> Place:
    """Register a place where photos of consenting patients are used."""
    _places.append(place)
    return place


def on_return(function: Callable[[Patient], Iterable[Effect]]) -> Callable[[Patient], Iterable[Effect]]:
    """Register what says which photos stay out when a consent is given again."""
    _left_out.append(function)
    return function


def left_out(patient: Patient) -> list[Effect]:
    """What a consent that is given again does not bring back."""
    return [effect for function in _left_out for effect in function(patient)]


def foreseen(patient: Patient) -> list[Effect]:
    """What would follow if the consent were taken back now; nothing where there is none to take back."""
    if not patient.permits_archive:
        return []
    return [effect for place in _places for effect in place(patient, None, False)]


@transaction.atomic
def take_effect(patient: Patient, user: User | None) -> list[Effect]:
    """Take the patient's photos out wherever consent is needed, in the transaction that saves the patient; done
    twice, nothing more happens. Without a ``user`` it is the one of ``by``."""
    acting = _acting.get()
    if acting and user is None:
        user = acting[0]
    effects = [effect for place in _places for effect in place(patient, user, True)]
    if acting:
        acting[1].extend(effects)
    return effects


@contextmanager
def by(user: User) -> Iterator[list[Effect]]:
    """Who does it where it follows from something else, such as photos that are filed under a patient who refused;
    what followed is in the list that this gives."""
    done: list[Effect] = []
    token = _acting.set((user, done))
    try:
        yield done
    finally:
        _acting.reset(token)


def dated(patient: Patient, changes: dict[str, Any]) -> dict[str, Any]:
    """What else changes with a consent: a new answer without a date of its own is of today, none has no date."""
    answer = changes.get("research_consent", patient.research_consent)
    if answer == Patient.Consent.NOT_ASKED:
        if changes.get("consent_on", patient.consent_on) is not None:
            return {"consent_on": None}
        return {}
    if "research_consent" in changes and changes.get("consent_on") is None:
        return {"consent_on": timezone.localdate()}
    return {}


def first_date(answer: str, day: date | None) -> date | None:
    """The date of a new patient's consent, by the same rule."""
    return None if answer == Patient.Consent.NOT_ASKED else day or timezone.localdate()
