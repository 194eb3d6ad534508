"""Consent to the archive in words: its history, and what a change of it has done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from skinclinic.models import Patient, User
from skinclinic.services import consent, records
from skinclinic.services.records import Saved


@dataclass(frozen=True)
class Line:
    """One change of the consent."""

    words: str
    by: User | None
    at: datetime


def history(patient: Patient) -> list[Line]:
    """Who recorded, changed or dated it, newest first."""
    return [Line(_words(change.fields), change.by, change.at) for change in records.consent_history(patient)]


def said_of(saved: Saved) -> Iterator[tuple[str, str]]:
    """("warning" or "info", text) of what followed from saving a patient."""
    answer = saved.changed.get("research_consent")
    if answer is None or not isinstance(saved.row, Patient):
        return
    if not saved.row.permits_archive and answer[0] == Patient.Consent.GIVEN:
        done = [effect.text for effect in saved.effects] or [_("No photo of this patient was in use.")]
        yield "warning", " ".join([_("The consent is taken back."), *done])
    for effect in consent.left_out(saved.row) if saved.row.permits_archive else ():
        yield "info", effect.text


def _words(fields: dict[str, list]) -> str:
    labels: dict[Any, Any] = dict(Patient.Consent.choices)
    before, after = fields.get("research_consent", (None, None))
    day = fields.get("consent_on", (None, None))[1]
    parts = []
    if after is not None:
        parts.append(f"{labels.get(before, before)} → {labels.get(after, after)}")
    if day:
        parts.append(_("dated %(day)s") % {"day": day})
    elif after is None:
        parts.append(_("date taken out"))
    return ", ".join(str(part) for part in parts)
