"""Why a job failed, in the reader's language."""

import re

from django.utils.translation import gettext as _

from skinclinic.engine.jobs import UNEXPECTED
from skinclinic.models import Job

# What was kept of a photo that could not be read once named its path on the server.
_WITH_PATH = "The stored photo cannot be read: "
_NUMBER = re.compile(r"\(number ([0-9a-f]{8})\)")


def words_of(job: Job) -> str:
    """What was stored; what nobody foresaw is told by its number, and never in the words of a library."""
    if job.error.startswith(_WITH_PATH):
        return _("The stored photo could not be read.")
    if job.error_code != "unexpected":
        # Some is kept in English and meant to be translated when it is shown.
        return _(job.error) if job.error else ""
    if number := numbered(job):
        return _(UNEXPECTED) % {"number": number}
    return _("Something unexpected went wrong; it was logged for your administrator.")


def numbered(job: Job) -> str:
    """The number under which the log says what went wrong; "" where there is none."""
    found = _NUMBER.search(job.error)
    return found[1] if found else ""
