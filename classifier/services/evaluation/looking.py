"""The job that looks through the photos of an evaluation, so that no page has to: with the evaluation itself, and again
where something new is asked of it (a set of thresholds) or its photos have changed."""

from collections.abc import Iterable

from classifier.models import Evaluation, ModelVersion
from skinclinic.archive.services.datasets import large
from skinclinic.engine import work
from skinclinic.models import Clinic, Job

JOB = "look-through-evaluation"
# Of a model, the newest so many are told of.
MOST_EVALUATIONS = 20
BUSY, FAILED = "busy", "failed"


def ask(row: Evaluation) -> bool:
    """Have it looked through, unless that is on its way. False where it has failed and waits for a person (on the page
    of the queue)."""
    last = work.last((JOB,), row.pk)
    if last is None or last.state == Job.State.DONE:
        work.ask(JOB, row.pk, row.clinic)
    return last is None or last.state != Job.State.FAILED


def ask_all(rows: Iterable[Evaluation]) -> str:
    """The same of several: what a page says meanwhile, BUSY, or FAILED where any has; "" of none."""
    asked = [ask(row) for row in rows]
    return "" if not asked else BUSY if all(asked) else FAILED


def ask_of_model(version: ModelVersion, clinic: Clinic) -> None:
    """The same of those of a model that are more than a request looks through."""
    rows = Evaluation.objects.filter(clinic=clinic, model_versions=version, state=Evaluation.State.DONE)
    newest = list(rows.select_related("clinic")[:MOST_EVALUATIONS])
    ask_all(row for row in newest if row.total > large.MOST_AT_ONCE)
