"""When a record is computed anew: asked for by the reconciler, done by a job."""

import logging
from datetime import timedelta

from classifier.models import Monitor
from classifier.services.following import cases, counting, figures, photos, records
from classifier.services.following.used import Used
from skinclinic.engine import clock, work
from skinclinic.engine.housekeeping import now_and_then
from skinclinic.models import Clinic

log = logging.getLogger(__name__)
JOB = "follow-model"
LOOK_SECONDS = 60
# What is new is computed no more often than this: pathology, answers alone; and anyway once a day.
PROOFS_AFTER, ANSWERS_AFTER, ANYWAY_AFTER = timedelta(minutes=10), timedelta(hours=6), timedelta(days=1)


@now_and_then(LOOK_SECONDS)
def look() -> None:
    """Begin the records that are missing, and ask for those that are due."""
    for clinic in Clinic.objects.order_by("pk"):
        try:
            if records.lacks(clinic):
                records.begin(clinic)
        except Exception:
            log.exception("the model in use in %s cannot be followed; the other clinics go on", clinic.slug)
    for row in Monitor.objects.filter(ended_at=None).select_related("clinic"):
        if is_due(row):
            ask(row)


def is_due(row: Monitor) -> bool:
    """Whether there is something new of which the record does not know."""
    age = clock.since(row.computed_at)
    if age < PROOFS_AFTER:
        return False
    return (
        age >= ANYWAY_AFTER
        or cases.proofs_changed_since(row.clinic_id, row.computed_at)
        or (age >= ANSWERS_AFTER and cases.answers(row).filter(analysed_at__gte=row.computed_at).exists())
    )


def ask(row: Monitor) -> bool:
    """Have it computed; False while that is under way."""
    return work.ask_once(JOB, row.pk, row.clinic)


def run(row: Monitor) -> None:
    """Compute the record: evidence and alarms first, then the figures."""
    began = clock.now()
    found = cases.find(row)
    used = Used(row.clinic_id, found.cases)
    counting.count(row, found.cases, photos.find(row), used.of_promise(row.threshold_set).cases)
    Monitor.objects.filter(pk=row.pk).update(figures=figures.compute(row, found, used), computed_at=began)
