"""Letters: mails that a job sends, so that no page waits for a mail server and none is lost with one."""

import uuid

from django.db import transaction

from skinclinic.engine import jobs
from skinclinic.models import Clinic, Job, Letter
from skinclinic.services import mail
from skinclinic.services.secret_links import secret_of

JOB = "mail"
# Stands for the secret in the text of a letter that is not sent yet.
SECRET = "THE-SECRET-OF-THIS-LINK"
REPLACED = "A newer link has replaced the one in this letter."


@transaction.atomic
def post(clinic: Clinic, address: str, subject: str, text: str, *, nonce: str = "") -> Letter | None:
    """Have a letter sent; None without an address or a mail server. ``SECRET`` in the text becomes the secret of
    ``nonce``."""
    if not address or not mail.can_mail():
        return None
    job = jobs.enqueue(JOB, uuid.uuid4().hex, clinic=clinic)
    return Letter.objects.create(
        clinic=clinic,
        job=job,
        address=address,
        subject=" ".join(subject.split())[:300],
        text=text,
        nonce=nonce,
    )


def send(letter: Letter) -> None:
    """Give it to the mail server. Raises OSError when that does not take it."""
    text = letter.text.replace(SECRET, secret_of(letter.nonce)) if letter.nonce else letter.text
    mail.send(letter.address, letter.subject, text)


def forget_text(letter: Letter) -> None:
    """It is sent, or is not to be sent any more: what it said is nobody's business now."""
    Letter.objects.filter(pk=letter.pk).update(text="", nonce="")


def retry(letter: Letter) -> bool:
    """Try again to send a letter that could not be sent; False where there is nothing to try."""
    return bool(letter.text) and jobs.retry(letter.job)


@transaction.atomic
def withdraw(letter: Letter | None) -> None:
    """Its link has been replaced: one that was not sent never will be."""
    if letter is None or letter.is_sent:
        return
    jobs.cancel(letter.job, "replaced", REPLACED)
    if Job.objects.filter(pk=letter.job_id, state=Job.State.FAILED).exists():
        forget_text(letter)
