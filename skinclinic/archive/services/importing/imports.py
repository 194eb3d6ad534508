"""An import from its files to the archive: begun, checked, mapped, written, paused, resumed, discarded.

uploaded ──check──▶ checking ──▶ refused ──(mapping, other files)──▶ checking
                        └──▶ ready ──start──▶ running ⇄ paused
                                                 └──▶ done ──undo──▶ undoing ──▶ undone
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from skinclinic.archive import labels as archive_labels
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.archive.models import DatasetItem, DatasetVersion, Import, SavedMapping, Source
from skinclinic.archive.services.exporting import read_back
from skinclinic.archive.services.importing import check as import_check
from skinclinic.archive.services.importing import comparing, described, undoing
from skinclinic.archive.services.importing import dataset as dataset_of_import
from skinclinic.archive.services.importing import tables as import_tables
from skinclinic.archive.services.importing import write as import_write
from skinclinic.archive.services.importing.row_errors import refusal
from skinclinic.engine import jobs, work
from skinclinic.files import whole
from skinclinic.models import Clinic, Job, User
from skinclinic.services import audit, quotas, scanning
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.counts import gettext as _

CHECK_JOB, WRITE_JOB, UNDO_JOB = "import-check", "import-write", "import-undo"
State = Import.State
BUSY = (State.CHECKING, State.RUNNING, State.UNDOING)
# Of these something may be in the archive.
UNDOABLE = (State.DONE, State.PAUSED, State.FAILED)
# Of so many photos a request asks whether any is in a frozen dataset; of more the work does, and says so in its report.
LOOKED_AT_ONCE = 2000
CHECKABLE = (State.UPLOADED, State.REFUSED, State.READY, State.FAILED)


class NotNow(Exception):
    """The import is in a state in which this cannot be done; the message says which."""


def begin(
    *,
    clinic: Clinic,
    user: User | None,
    name: str,
    format: str,
    role: str,
    photos: str,
    metadata: str = "",
    provenance: dict | None = None,
    **said,
) -> Import:
    """Make an import of ``photos`` (a folder or ZIP; "" for photos the source has already) with the table ``metadata``,
    as yet unchecked; with neither while its files are being taken in, which are then named all at once. ``said``: other
    fields of an import, such as columns, labels, words, defaults, level.

    Its photos go to the source of the same name, which is made with ``provenance`` if there is none. Raises
    NotNow if that is the clinic's own source.
    """
    said = {name: value for name, value in said.items() if value}
    with transaction.atomic():
        known = {key: value for key, value in (provenance or {}).items() if value}
        source, made = Source.objects.get_or_create(
            clinic=clinic, name=name, defaults={"created_by": user, **known}
        )
        if source.is_own:
            raise NotNow(
                _("“%(name)s” is the source of the clinic's own photos. Choose another name.")
                % {"name": name}
            )
        if not made and known:
            Source.objects.filter(pk=source.pk).update(**known)
        if population := said.get("defaults", {}).get("ethnicity"):
            Source.objects.filter(pk=source.pk, population="").update(population=population)
        return Import.objects.create(
            clinic=clinic, name=name, format=format, role=role, source=source, photos=photos, metadata=metadata,
            created_by=user, **said,
        )  # fmt: skip


def folder(row: Import) -> Path:
    """Where the import keeps its uploaded files and its plan."""
    return settings.SKINCLINIC_HOME / "imports" / str(row.pk)


def is_half_come(row: Import) -> bool:
    """Whether its files are being taken in, or were when the process that did it was killed."""
    return not (row.photos or row.metadata)


def _plan(row: Import) -> Path:
    folder(row).mkdir(parents=True, exist_ok=True)
    return folder(row) / "plan.jsonl"


def changes_file(row: Import) -> Path:
    """What the last check found the source to have changed (read by ``comparing.lines``)."""
    return folder(row) / "changes.jsonl"


def request_check(row: Import) -> None:
    """Have a worker check it. Raises NotNow while it is being written or is done."""
    _request(CHECK_JOB, row)


def request_write(row: Import) -> None:
    """Have a worker write a checked import, or go on with a paused or failed one. Raises NotNow, also when the check
    found errors."""
    _request(WRITE_JOB, row)


@contextmanager
def here(kind: str, row: Import) -> Iterator[None]:
    """Do in this process what the job of this kind asks for: the block runs it. Should the process die in it, a
    worker goes on. Raises NotNow."""
    with transaction.atomic():
        job = _request(kind, row)
        jobs.take(job)
    try:
        with jobs.held([job]):
            yield
    except BaseException as error:
        jobs.finish(job, error if isinstance(error, Exception) else jobs.JobError("stopped", "Stopped."))
        raise
    jobs.finish(job, lambda: None)


@transaction.atomic
def _request(kind: str, row: Import) -> Job:
    """Together: a row that says "checking" has a job, whatever becomes of this process."""
    if kind == CHECK_JOB:
        if is_half_come(row):
            raise NotNow(_("The files of this import have not come. Discard it, and send them in a new one."))
        _move(row, CHECKABLE, State.CHECKING, report={}, error="")
    elif kind == UNDO_JOB:
        _start_undo(row)
    else:
        _start_write(row)
    return work.ask(kind, row.pk, row.clinic)


def _start_write(row: Import) -> None:
    row.refresh_from_db()
    if not is_fine(row.report):
        raise NotNow(_("The import has not been checked, or its check found errors. Check it first."))
    try:
        quotas.check_photos(row.clinic, row.report.get("new", 0))
    except quotas.OverQuota as refused:
        raise NotNow(str(refused)) from None
    _move(row, (State.READY, State.PAUSED, State.FAILED), State.RUNNING, error="")


def request_undo(row: Import) -> None:
    """Have a worker take everything out again that the import brought. Raises NotNow, also when something of it is in a
    frozen dataset, which is held for good; of a large import the report of the work says that."""
    _request(UNDO_JOB, row)


def _start_undo(row: Import) -> None:
    if not row.entries.exists() and not row.changes.exists():
        raise NotNow(_("It is not known what this import brought; it cannot be undone."))
    frozen = DatasetItem.objects.filter(entry__of_import=row, version__state=DatasetVersion.State.FROZEN)
    is_small = not row.entries.order_by("pk")[LOOKED_AT_ONCE : LOOKED_AT_ONCE + 1].exists()
    if is_small and (count := frozen.values("entry").distinct().count()):
        names = sorted({str(item.version) for item in frozen.select_related("version__dataset")[:2000]})
        raise NotNow(
            _("%(count)d of its photos are in frozen datasets (%(names)s); the import cannot be undone.")
            % {"count": count, "names": ", ".join(names[:10])}
        )
    _move(row, UNDOABLE, State.UNDOING, error="")


def run_undo(row: Import, say=lambda done, total: None) -> Import:
    """Undo now; the row becomes UNDONE, or stays as it was where something is needed, and its report says what."""
    told = undoing.undo(row, say)
    is_over = not told.get("needed")
    with transaction.atomic():
        now = Import.objects.select_for_update().get(pk=row.pk)
        state = State.UNDONE if is_over else _before_undo(now)
        Import.objects.filter(pk=row.pk, state=State.UNDOING).update(
            state=state, report=now.report | {"undo": told}, written=0 if is_over else now.written
        )
        if is_over:
            audit.record("import.undone", row, facts={"photos": now.written})
    if is_over:
        remove_files(row)
    row.refresh_from_db()
    return row


def _before_undo(row: Import) -> str:
    return State.DONE if row.finished_at else State.PAUSED


def replace_table(row: Import, table: Iterable[bytes]) -> None:
    """Put another table in the place of the import's; the photos stay. It is to be checked again. Raises NotNow,
    OSError."""
    path = folder(row) / import_tables.TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = whole.new_draft(path)
    try:
        with draft.open("wb") as file:
            for chunk in table:
                file.write(chunk)
        whole.flush(draft)
        with transaction.atomic():
            _move(row, CHECKABLE, State.UPLOADED, metadata=str(path), report={}, error="", encoding="")
        whole.put(draft, path)
    finally:
        whole.remove(draft)


def decide(row: Import, decisions: dict) -> None:
    """Say what of the source's changes is taken and what is kept (``changes.wanted``). Raises NotNow."""
    chosen = comparing.as_chosen(changes_file(row), decisions)
    report = row.report | {"chosen": chosen}
    _move(row, (*CHECKABLE, State.PAUSED), row.state, decisions=decisions, report=report)


def pause(row: Import) -> None:
    """Stop after the photo at hand. Raises NotNow."""
    _move(row, (State.RUNNING,), State.PAUSED)


def discard(row: Import) -> None:
    """Forget an import that has written nothing yet, with its files. Raises NotNow."""
    pk = row.pk
    with transaction.atomic():
        removed, _rows = Import.objects.filter(pk=pk, state__in=CHECKABLE, written=0).delete()
        if not removed:
            raise NotNow(_("This import is at work or has written photos; it cannot be discarded."))
        # A source that only this import would have filled.
        if row.source_id:
            Source.objects.filter(pk=row.source_id, entries=None, imports=None).delete()
    remove_files(row)


def remove_files(row: Import) -> None:
    """Remove the uploaded files and the plan."""
    shutil.rmtree(settings.SKINCLINIC_HOME / "imports" / str(row.pk), ignore_errors=True)


def set_mapping(
    row: Import,
    *,
    columns: dict | None = None,
    labels: dict | None = None,
    words: dict | None = None,
    **said,
) -> None:
    """Say which columns and words mean what; the import is to be checked again. Raises NotNow.

    A label is a disease key, a background disease's name, columns.LEAVE_OUT, or "" for not decided; so is the
    meaning of a word of another field, {field: {word: value}}. ``said``: other fields of the import, as they are.
    """
    values = {**said}
    if words is not None:
        values["words"] = {
            name: {**row.words.get(name, {}), **words.get(name, {})} for name in {**row.words, **words}
        }
    if columns is not None:
        values["columns"] = columns
    if labels is not None:
        values["labels"] = row.labels | {word: tidy_label(label) for word, label in labels.items()}
    if not Import.objects.filter(pk=row.pk, state__in=CHECKABLE).update(**values, state=State.UPLOADED):
        raise NotNow(_("This import is being read or written; its mapping cannot be changed now."))
    row.refresh_from_db()


def tidy_label(label: str) -> str:
    """A label in its one spelling."""
    label = archive_labels.tidy(label)
    return label.casefold() if label.casefold() in BY_KEY else label


def save_mapping(row: Import, name: str, user: User) -> SavedMapping:
    """Keep the import's mapping under a name; one of the same name is replaced."""
    return SavedMapping.objects.update_or_create(
        clinic=row.clinic, name=name,
        defaults={
            "format": row.format, "columns": row.columns, "labels": row.labels, "words": row.words,
            "defaults": row.defaults, "created_by": user,
        },
    )[0]  # fmt: skip


def run_check(row: Import, say=lambda done, total: None) -> Import:
    """Check now; the row becomes READY or REFUSED and holds the report."""
    plan = _plan(row)
    draft = whole.new_draft(plan)
    try:
        if row.format == Import.Format.EXPORT and not row.metadata:
            read_back.take_table(row, plan.parent)
        if row.format == Import.Format.CROISSANT and not row.metadata:
            described.take_table(row, plan.parent)
        _scan_tables(row)
        report = import_check.check(row, draft, changes_file(row), say)
        if fine := is_fine(report):
            whole.flush(draft)
            whole.put(draft, plan)
    except TableRefused as refused:
        report, fine = {"refused": refusal(refused)}, False
    except scanning.NotScanned as away:
        raise jobs.JobError(away.code, str(away)) from away
    except OSError as error:
        raise jobs.JobError(
            "check_stopped",
            _("The check stopped (%(error)s). Mend that and check again.")
            % {"error": error.strerror or error},
        ) from error
    finally:
        whole.remove(draft)
    # Somebody may have discarded it meanwhile.
    Import.objects.filter(pk=row.pk, state=State.CHECKING).update(
        report=report,
        state=State.READY if fine else State.REFUSED,
        total=sum(report.get("labels", {}).values()),
        written=0,
        error="",
    )
    row.refresh_from_db()
    return row


def _scan_tables(row: Import) -> None:
    """Those sent, taken of an export or named by a command. Raises TableRefused, NotScanned, OSError."""
    try:
        for path in filter(None, (row.metadata, row.second)):
            scanning.check_file(Path(path), clinic=row.clinic)
    except scanning.Infected as refused:
        raise TableRefused(import_tables.INFECTED, found=refused.found, name=refused.name) from None


def is_fine(report: dict) -> bool:
    """Whether a check was made and found nothing that stands against writing."""
    if report.get("refused") or "errors" not in report:
        return False
    return not (report["errors"] or report["unknown_labels"])


def run_write(row: Import, say=lambda done: None) -> Import:
    """Write now, until it is done or somebody pauses it."""

    def go_on(done: int) -> bool:
        still = Import.objects.filter(pk=row.pk, state=State.RUNNING).update(written=done)
        say(done)
        return bool(still)

    done = import_write.write(row, _plan(row), go_on)
    if done == row.total:
        _finish(row, dict(dataset_of_import.told_by(row, import_write.lines(_plan(row)))))
    row.refresh_from_db()
    return row


def _finish(row: Import, told: dict[int, dict]) -> None:
    """Note that all is written and put it into the dataset, unless somebody has just paused the import."""
    values = {"state": State.DONE, "written": row.total, "finished_at": timezone.now(), "error": ""}
    with transaction.atomic():
        if not Import.objects.filter(pk=row.pk, state=State.RUNNING).update(**values):
            return
        dataset_of_import.fill(row, told)
        # By whom it was asked for; a worker does it.
        audit.record("import.done", row, by=row.created_by, facts={"photos": row.total})
    remove_files(row)


def fail(row: Import, error: str) -> None:
    """Note that the import stopped by an error; it can be taken up again."""
    now = Import.objects.filter(pk=row.pk)
    now.filter(state=State.UNDOING).update(state=State.DONE, error=error)
    now.filter(state__in=BUSY).update(state=State.FAILED, error=error)


def cancelled(row: Import, reason: str) -> None:
    """Note that a person stopped it: a check leaves nothing behind, what is written stays."""
    now = Import.objects.filter(pk=row.pk)
    now.filter(state=State.CHECKING).update(state=State.UPLOADED, report={}, error=reason)
    now.filter(state=State.RUNNING).update(state=State.PAUSED, error=reason)
    now.filter(state=State.UNDOING).update(state=State.DONE, error=reason)


def _move(row: Import, states, to: str, **values) -> None:
    if not Import.objects.filter(pk=row.pk, state__in=states).update(state=to, **values):
        row.refresh_from_db()
        raise NotNow(_("The import is now: %(state)s.") % {"state": row.get_state_display()})
    row.refresh_from_db()
