"""The job that sends letters."""

from collections.abc import Sequence
from functools import partial
from smtplib import SMTPRecipientsRefused

from django.utils.translation import gettext as _

from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job, Letter
from skinclinic.services import letters


class NotSent(JobError):
    """The mail server cannot be reached, or takes nothing just now."""

    def __init__(self, error: OSError):
        # What an error of SMTP says may name the server or its account.
        reason = error.strerror or type(error).__name__
        super().__init__("mail_server", _("The mail server took no letter: %(reason)s.") % {"reason": reason})


@job(letters.JOB, transient=(NotSent,), queue=jobs.MAIL)
def send(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Give each letter to the mail server. One may arrive twice if this is killed in between."""
    return [_send(row) for row in rows]


def _send(row: Job) -> Outcome:
    letter = Letter.objects.filter(job=row).exclude(text="").first()
    if letter is None:
        return JobError("letter_gone", _("There is nothing to send any more."))
    try:
        letters.send(letter)
    except SMTPRecipientsRefused:
        return JobError("address_refused", _("The mail server takes no mail for this address."))
    except OSError as error:
        raise NotSent(error) from error
    return partial(letters.forget_text, letter)
