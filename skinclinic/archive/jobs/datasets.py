"""The jobs that do to large datasets what a request does to small ones, and count their figures."""

from collections.abc import Callable, Sequence

from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.datasets import counted, datasets, dividing, freezing, large
from skinclinic.archive.services.datasets.large import Say
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job
from skinclinic.services.refused import Refused

Act = Callable[[DatasetVersion, Say], Outcome]


def _of_draft(kind: str) -> Callable[[Act], Act]:
    """Declare the job of this kind: the act gets the draft, and says the share that is done."""

    def declare(act: Act) -> Act:
        def one(row: Job) -> Outcome:
            version = _version(row)
            if version is None:
                return lambda: None
            if version.is_frozen:
                return JobError("frozen", "The version was frozen meanwhile.")
            try:
                store = act(version, lambda share: jobs.progress(row, min(share, 1.0)))
            except Refused as refused:
                return JobError("refused", str(refused))
            return store if isinstance(store, Exception) else _finishing(kind, version, store)

        def run(rows: Sequence[Job]) -> Sequence[Outcome]:
            return [one(row) for row in rows]

        job(kind)(run)
        return act

    return declare


def _finishing(kind: str, version: DatasetVersion, store: Callable[[], None]) -> Callable[[], None]:
    def finish() -> None:
        try:
            store()
        except Refused as refused:
            raise JobError("refused", str(refused)) from None
        if DatasetVersion.objects.filter(pk=version.pk).exists():
            large.done(kind, version)

    return finish


def _nothing() -> None:
    pass


def _version(row: Job) -> DatasetVersion | None:
    return DatasetVersion.objects.filter(pk=row.subject).select_related("clinic", "frozen_by").first()


@_of_draft(large.FILL_JOB)
def _fill(version: DatasetVersion, say: Say) -> Outcome:
    """Put what the version's search finds into it."""
    datasets.set_members_in_parts(version, datasets.entries_of(version), say)
    return _nothing


@_of_draft(large.REFRESH_JOB)
def _refresh(version: DatasetVersion, say: Say) -> Outcome:
    """Take over what the archive says now."""
    datasets.refresh(version, say)
    return _nothing


@_of_draft(large.CONTINUE_JOB)
def _continue(version: DatasetVersion, say: Say) -> Outcome:
    """Fill a new version from the one before."""
    datasets.copy(version, say)
    return _nothing


@_of_draft(large.TAKE_OUT_JOB)
def _take_out(version: DatasetVersion, say: Say) -> Outcome:
    """Take out the photos that were chosen."""
    datasets.take_out_in_parts(version, say)
    return _nothing


@_of_draft(large.DISCARD_JOB)
def _discard(version: DatasetVersion, say: Say) -> Outcome:
    """Throw the draft away."""
    datasets.discard_in_parts(version, say)
    return _nothing


@_of_draft(large.UNSPLIT_JOB)
def _unsplit(version: DatasetVersion, say: Say) -> Outcome:
    """Take the sides from its photos."""
    return lambda: dividing.unsplit(version)


@_of_draft(large.SPLIT_JOB)
def _split(version: DatasetVersion, say: Say) -> Outcome:
    """Divide it; where that was asked to be as once (``expected``), only if it comes out so."""
    asked = dict((version.asked or {}).get(large.SPLIT_JOB) or {})
    if not asked:
        return _nothing
    expected = asked.pop("expected", None)
    division = dividing.divide(version, **asked)
    say(0.5)
    if expected is not None and division.said != expected:
        return _nothing
    return lambda: dividing.store_split(version, division)


@job(large.FREEZE_JOB)
def freeze_dataset(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Read every file of the version, then freeze it."""
    return [_freeze(row) for row in rows]


def _freeze(row: Job) -> Outcome:
    version = _version(row)
    if version is None or version.is_frozen:
        return lambda: None
    if problems := freezing.problems(version, at_work=True):
        return JobError("refused", " ".join(problems))
    count = max(version.items.count(), 1)
    looked = freezing.look(version, verify=True, say=lambda done: jobs.progress(row, min(done / count, 1.0)))
    if looked.problems:
        return JobError("refused", " ".join(looked.problems))

    def store() -> None:
        try:
            counted.ask(freezing.fix(version, version.frozen_by, looked))
        except Refused as refused:
            raise JobError("refused", str(refused)) from None

    return store


@job(counted.JOB)
def count_datasets(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Count what pages show of large versions."""
    return [_count(row) for row in rows]


def _count(row: Job) -> Outcome:
    version = _version(row)
    if version is None:
        return lambda: None
    there = counted.kept([version]).get(version.pk)
    if there and there.is_current and there.at and there.at >= row.created_at:
        # Two had asked.
        return lambda: None
    marked: dict[str, list[int]] = {}
    values = counted.count(version, lambda share: jobs.progress(row, min(share, 1.0)), marked)
    outside, parts = marked.get(counted.OUTSIDE), counted.in_parts(version, marked)
    return lambda: counted.keep(version, values, outside, parts)
