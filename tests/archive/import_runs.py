"""Imports that a test takes through their jobs."""

from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.engine import jobs


def checked(row: Import) -> Import:
    """The import when it has been checked."""
    imports.request_check(row)
    jobs.run_waiting(imports.CHECK_JOB)
    row.refresh_from_db()
    return row


def told(row: Import, kind: str = "errors") -> str:
    """The ``errors`` or ``notes`` of its report, each with its column and rows."""
    return " | ".join(f"{one['column']} {in_words(one)} {one['rows']}" for one in row.report[kind])
