"""The study's log: one line for everything that somebody may ask about later."""

from reader_study.models import Allocation, Reader, Study, StudyEvent
from skinclinic.models import User
from skinclinic.services import audit


def note(
    study: Study,
    kind: str,
    *,
    by: User | None = None,
    reader: Reader | None = None,
    reason: str = "",
    **details,
) -> StudyEvent:
    """Add a line; ``details`` must be JSON-safe. The audit, which outlives the study, tells it as well."""
    audit.record(
        f"study.{kind}", study, by=by, reason=reason, facts={"reader": reader.code} if reader else None
    )
    return StudyEvent.objects.create(
        study=study, kind=kind, by=by, reader=reader, reason=reason, details=details
    )


def allocation(place: Allocation | None) -> dict:
    """The place of the list that a reader got, as a line's details."""
    return {"place": place.place, "arm": place.arm, "blocks": place.blocks} if place else {}
