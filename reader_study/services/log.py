"""The study's log: one line for everything that somebody may ask about later."""

from reader_study.models import Reader, Study, StudyEvent
from skinclinic.models import User


def note(
    study: Study,
    kind: str,
    *,
    by: User | None = None,
    reader: Reader | None = None,
    reason: str = "",
    **details,
) -> StudyEvent:
    """Add a line; ``details`` must be JSON-safe."""
    return StudyEvent.objects.create(
        study=study, kind=kind, by=by, reader=reader, reason=reason, details=details
    )
