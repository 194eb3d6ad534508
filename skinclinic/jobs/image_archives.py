"""The job that sends photos to image archives."""

from collections.abc import Sequence

from skinclinic.engine import jobs
from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import ImageSending, Job
from skinclinic.services import image_archives


@job(image_archives.JOB, queue=jobs.MAIL, on_change=image_archives.follow_jobs)
def send(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Try each once. What arrived twice, as this was killed in between, is the same object there."""
    return [_send(row) for row in rows]


def _send(row: Job) -> Outcome:
    found = ImageSending.objects.select_related("archive__clinic").filter(pk=row.subject).first()
    return image_archives.try_once(found) if found else lambda: None
