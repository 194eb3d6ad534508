"""The jobs that check and write imports."""

from collections.abc import Sequence

from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs, work
from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Job


def _note_failures(rows: Sequence[Job]) -> None:
    for row in rows:
        if row.state != Job.State.FAILED or not (found := Import.objects.filter(pk=row.subject).first()):
            continue
        if row.error_code == work.CANCELLED:
            imports.cancelled(found, row.error)
        else:
            imports.fail(found, row.error)


@job(imports.CHECK_JOB, on_change=_note_failures)
def check(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Read and decode everything; nothing is written to the archive."""
    for row in rows:
        imports.run_check(
            Import.objects.get(pk=row.subject), lambda done, total, row=row: _say_checked(row, done, total)
        )
    return [lambda: None for _row in rows]


def _say_checked(row: Job, done: int, total: int) -> None:
    """How many photos are checked; the report of the finished check takes its place."""
    jobs.progress(row, min(done / max(total, 1), 1.0))
    Import.objects.filter(pk=row.subject, state=Import.State.CHECKING).update(
        report={"checked": min(done, total), "of": total}
    )


@job(imports.WRITE_JOB, on_change=_note_failures)
def write(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Write photo after photo until done or paused."""
    for row in rows:
        found = Import.objects.select_related("clinic", "source", "created_by").get(pk=row.subject)
        total = max(found.total, 1)
        imports.run_write(
            found, lambda done, row=row, total=total: jobs.progress(row, min(done / total, 1.0))
        )
    return [lambda: None for _row in rows]


@job(imports.UNDO_JOB, on_change=_note_failures)
def undo(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Take out photo after photo what an import brought."""
    for row in rows:
        found = Import.objects.select_related("clinic", "source", "created_by").get(pk=row.subject)
        imports.run_undo(
            found, lambda done, total, row=row: jobs.progress(row, min(done / max(total, 1), 1.0))
        )
    return [lambda: None for _row in rows]
