"""The job that sends letters."""

from collections.abc import Sequence
from functools import partial
from smtplib import SMTPRecipientsRefused

from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job, Letter
from skinclinic.services import letters


@job(letters.JOB, transient=(OSError,), queue=jobs.MAIL)
def send(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Give each letter to the mail server. One may arrive twice if this is killed in between."""
    return [_send(row) for row in rows]


def _send(row: Job) -> Outcome:
    letter = Letter.objects.filter(job=row).exclude(text="").first()
    if letter is None:
        return JobError("letter_gone", "There is nothing to send any more.")
    try:
        letters.send(letter)
    except SMTPRecipientsRefused:
        return JobError("address_refused", "The mail server takes no mail for this address.")
    return partial(letters.forget_text, letter)
