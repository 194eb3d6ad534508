"""The job that tells webhooks."""

from collections.abc import Sequence

from skinclinic.engine import jobs
from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Job, WebhookMessage
from skinclinic.services import webhooks


@job(webhooks.JOB, queue=jobs.MAIL, on_change=webhooks.follow_jobs)
def send(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Try each message once. One may arrive twice if this is killed in between: its ``id`` is the same then."""
    return [_send(row) for row in rows]


def _send(row: Job) -> Outcome:
    message = WebhookMessage.objects.select_related("webhook__clinic").filter(pk=row.subject).first()
    return webhooks.send(message) if message else lambda: None
