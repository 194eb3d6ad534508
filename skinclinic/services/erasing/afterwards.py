"""What is left to do once the rows of a patient are gone: the list of erasures, files, sessions, and what a database
keeps of deleted rows. Everything here may be done twice."""

from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.db import OperationalError, connection
from django.utils import timezone

from skinclinic.files import store
from skinclinic.models import Erasure, SavedSearch, Session
from skinclinic.services.erasing import ledger, places
from skinclinic.services.erasing.trace import Trace

_OF_SIGN_IN = (SESSION_KEY, HASH_SESSION_KEY, "_auth_user_backend")


class StillThere(OSError):
    """A file could not be removed now."""


def finish(erasure: Erasure) -> None:
    """Do all of it; ``done_at`` is the caller's to note. Raises OSError, and may then be tried again."""
    ledger.note(erasure)
    trace = Trace.of_json(erasure.trace)
    store.delete(*trace.files)
    if left := [key for key in trace.files if store.is_file(key)]:
        raise StillThere(f"{len(left)} files cannot be removed")
    places.scrub(erasure, trace)


def note_done(erasure: Erasure) -> None:
    Erasure.objects.filter(pk=erasure.pk).update(done_at=timezone.now())


@places.afterwards
def in_sessions(erasure: Erasure, trace: Trace) -> None:
    """What pages keep for a while: the receipt of a filing, a message that names a code."""
    for row in Session.objects.filter(expire_date__gt=timezone.now()).iterator(500):
        content: dict[str, Any] = row.get_decoded()
        kept = {
            key: value for key, value in content.items() if key in _OF_SIGN_IN or not _tells(value, trace)
        }
        if len(kept) < len(content):
            Session.objects.filter(pk=row.pk).update(session_data=Session.objects.encode(kept))


@places.afterwards
def in_searches(erasure: Erasure, trace: Trace) -> None:
    """Searches that somebody keeps under a code."""
    for row in SavedSearch.objects.filter(clinic=erasure.clinic_id):
        filters = trace.without(row.filters, instead="")
        name = trace.without(row.name, instead=f"#{row.pk}")
        if (filters, name) != (row.filters, row.name):
            SavedSearch.objects.filter(pk=row.pk).update(filters=filters, name=name)


def forget_deleted_rows() -> None:
    """SQLite leaves deleted rows in its file, and in its log, until something else is written there. Raises OSError."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except OperationalError as error:
        raise StillThere("the database is busy") from error


def _tells(value: Any, trace: Trace) -> bool:
    return trace.without(value) != value
