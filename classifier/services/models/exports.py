"""Models as files that other programs run: asked for, written by a job, kept for some days, taken away.

The files lie in the cache, which no backup saves: they can be made again from the model at any time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from classifier.models import ModelExport, ModelVersion
from classifier.runtimes.export_files import FILES
from classifier.services.models import taking_away
from skinclinic.engine import jobs, work
from skinclinic.engine.housekeeping import now_and_then
from skinclinic.files import whole
from skinclinic.models import Clinic, User, WorkState
from skinclinic.services import audit
from skinclinic.services.people import lock
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.zip_stream import Member

if TYPE_CHECKING:
    from classifier.runtimes.exporting import Exported

JOB = "export-model"
KEPT_FOR = timedelta(days=7)
# So many of a clinic are made or lie there at a time: three models in both formats. Each is as large as its model.
MOST_AT_ONCE = 6
_BUSY = (WorkState.WAITING, WorkState.RUNNING)
Format = ModelExport.Format


class NotThere(Exception):
    """The files are not made yet, or are there no more."""


@transaction.atomic
def ask(version: ModelVersion, format: str, clinic: Clinic, user: User) -> ModelExport:
    """Have a model written in this format; asking twice gives the same files. Raises Refused.

    Whether the person may have the model is the caller's to ask.
    """
    if format not in Format.values:
        raise Refused(
            "format",
            _("There is no such format. There are: %(names)s.") % {"names": ", ".join(Format.values)},
        )
    lock(clinic)
    row = ModelExport.objects.filter(clinic=clinic, model_version=version, format=format).first()
    if row is None or (row.state == WorkState.DONE and not is_there(row)):
        _check_room(clinic)
        row = row or ModelExport.objects.create(
            clinic=clinic, model_version=version, format=format, asked_by=user
        )
        work.ask(JOB, row.pk, clinic)
        audit.record("model.export", version, clinic=clinic, by=user, facts={"format": format})
    elif row.can_go_on:
        go_on(row)
    row.refresh_from_db()
    return row


@transaction.atomic
def go_on(row: ModelExport) -> bool:
    """Take one up again that was stopped or failed; False where it has not. Raises Refused."""
    lock(row.clinic)
    job = work.last([JOB], row.pk)
    if job is None or not row.can_go_on:
        return False
    _check_room(row.clinic)
    return jobs.retry(job)


def delete(row: ModelExport, user: User) -> None:
    """Delete the files before their time; what waits or is being made is stopped."""
    folder = folder_of(row)
    with transaction.atomic():
        lock(row.clinic)
        if job := work.last([JOB], row.pk):
            work.cancel(job, user)
        facts = {"format": row.format}
        audit.record("model.export_delete", row.model_version, clinic=row.clinic, by=user, facts=facts)
        row.delete()
    whole.remove(folder)


def _check_room(clinic: Clinic) -> None:
    """Raises Refused where the clinic has as many as it may."""
    rows = ModelExport.objects.filter(clinic=clinic).select_related("model_version")
    if sum(row.state in _BUSY or is_there(row) for row in rows) >= MOST_AT_ONCE:
        raise Refused(
            "",
            _(
                "%(n)d models made for other programs are kept or being made in this clinic, as many as may be at a "
                "time. Delete one on the page of its model, or wait: each goes seven days after it was made."
            )
            % {"n": MOST_AT_ONCE},
        )


def parent() -> Path:
    """Where all of them lie."""
    return settings.CACHE_DIR / "model-exports"


def folder_of(row: ModelExport) -> Path:
    """A name of its own for these weights, so that a database that was put back finds no other model's files."""
    return parent() / f"{row.pk}-{row.model_version.weights_sha256[:16]}-{row.format}"


def make(row: ModelExport, say: Callable[[float], None]) -> "Exported":
    """Write the files. Raises CannotExport, ModelRejected, OSError."""
    from classifier.runtimes import exporting

    return exporting.export(row.model_version.path, row.format, folder_of(row), say)


def store(row: ModelExport, made: "Exported") -> None:
    """Keep what was made known."""
    ModelExport.objects.filter(pk=row.pk).update(outputs=list(made.outputs), library=made.library[:120])


def is_there(row: ModelExport) -> bool:
    """Whether it can be taken away now."""
    return row.state == WorkState.DONE and bool(_files(row))


def _files(row: ModelExport) -> list[Path]:
    """Its files, and nothing else that lies beside them; none where one of them is gone, or is no plain file."""
    folder = folder_of(row)
    paths = [folder / name for name in FILES[row.format]]
    are_whole = not folder.is_symlink() and all(path.is_file() and not path.is_symlink() for path in paths)
    return paths if are_whole else []


def kept_until(row: ModelExport) -> datetime | None:
    return row.finished_at + KEPT_FOR if row.finished_at and row.state == WorkState.DONE else None


def size(row: ModelExport) -> int:
    """Bytes of its files; 0 where there are none."""
    try:
        return sum(path.stat().st_size for path in _files(row))
    except OSError:
        return 0


def members(row: ModelExport) -> list[Member]:
    """The files, and the model's card as the clinic knows it. Raises NotThere."""
    if not is_there(row):
        raise NotThere
    try:
        found = [
            Member(path.name, path.stat().st_size, partial(taking_away.pieces, path)) for path in _files(row)
        ]
    except OSError:
        raise NotThere from None
    return [taking_away.card_member(row.model_version, row.clinic), *found]


@now_and_then(3600)
def forget_old() -> None:
    """Delete what was made longer ago than it is kept, and files of no row."""
    old = ModelExport.objects.filter(finished_at__lt=Now() - KEPT_FOR)
    for row in old.select_related("model_version"):
        row.delete()
        whole.remove(folder_of(row))
    kept = {str(key) for key in ModelExport.objects.values_list("pk", flat=True)}
    for path in parent().glob("*-*-*"):
        if not path.name.startswith(whole.DRAFT) and path.name.partition("-")[0] not in kept:
            whole.remove(path)
    whole.sweep(parent().glob(f"{whole.DRAFT}*"))
