"""The jobs that fill and freeze large datasets."""

from collections.abc import Sequence

from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job
from skinclinic.services.refused import Refused


@job(datasets.FILL_JOB)
def fill_dataset(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Put what the version's search finds into it."""
    return [_fill(row) for row in rows]


@job(freezing.FREEZE_JOB)
def freeze_dataset(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Read every file of the version, then freeze it."""
    return [_freeze(row) for row in rows]


def _version(row: Job) -> DatasetVersion | None:
    return DatasetVersion.objects.filter(pk=row.subject).select_related("clinic", "frozen_by").first()


def _fill(row: Job) -> Outcome:
    version = _version(row)
    if version is None:
        return lambda: None
    if version.is_frozen:
        return JobError("frozen", "The version was frozen meanwhile.")
    return lambda: datasets.set_members(version, datasets.entries_of(version))


def _freeze(row: Job) -> Outcome:
    version = _version(row)
    if version is None or version.is_frozen:
        return lambda: None
    count = max(version.items.count(), 1)
    looked = freezing.look(version, verify=True, say=lambda done: jobs.progress(row, min(done / count, 1.0)))
    if looked.problems:
        return JobError("refused", " ".join(looked.problems))

    def store() -> None:
        try:
            freezing.fix(version, version.frozen_by, looked)
        except Refused as refused:
            raise JobError("refused", str(refused)) from None

    return store
