"""Why a job failed, in the reader's language."""

import re
from collections.abc import MutableMapping

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.engine.jobs import UNEXPECTED
from skinclinic.models import Job

# What was kept of a photo that could not be read once named its path on the server.
_WITH_PATH = "The stored photo cannot be read: "
# {code: why, in a sentence} of errors whose own words, in English, hold more: each app adds what its jobs fail of.
reasons: MutableMapping[str, str | Promise] = {}
_NUMBER = re.compile(r"\(number ([0-9a-f]{8})\)")


def words_of(job: Job) -> str:
    """What was stored; what nobody foresaw is told by its number, and never in the words of a library."""
    if job.error.startswith(_WITH_PATH):
        return _("The stored photo could not be read.")
    if job.error_code != "unexpected":
        # Some is kept in English and meant to be translated when it is shown.
        said = _(job.error) if job.error else ""
        return with_reason(reasons.get(job.error_code), said) if said == job.error else said
    if number := numbered(job):
        return _(UNEXPECTED) % {"number": number}
    return _("Something unexpected went wrong; it was logged for your administrator.")


def with_reason(reason: str | Promise | None, said: str) -> str:
    """What was said in English; in other languages after the reason, as far as that is known."""
    if reason is None or (get_language() or "en").startswith("en"):
        return said
    return f"{reason} ({said})"


def numbered(job: Job) -> str:
    """The number under which the log says what went wrong; "" where there is none."""
    found = _NUMBER.search(job.error)
    return found[1] if found else ""
