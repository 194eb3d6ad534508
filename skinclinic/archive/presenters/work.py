"""The archive's long work as pages show it: imports, filling and freezing datasets, looking for duplicates."""

from datetime import timedelta
from functools import cached_property
from typing import Self

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from skinclinic.archive.models import BulkChange, DatasetVersion, Import
from skinclinic.archive.presenters import receipts
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import counted, large
from skinclinic.archive.services.importing import imports
from skinclinic.engine import work
from skinclinic.models import Clinic, Job, WorkState
from skinclinic.presenters import job_names
from skinclinic.presenters.work import Progress, shown
from skinclinic.web.counts import gettext as _
from skinclinic.web.requests import MemberRequest

job_names.NAMES |= {
    "bulk-change": gettext_lazy("Change of many photos"),
    "bulk-gather": gettext_lazy("Change of many photos"),
    "dataset-fill": gettext_lazy("Filling a dataset"),
    "dataset-refresh": gettext_lazy("Taking over corrections"),
    "dataset-continue": gettext_lazy("New version of a dataset"),
    "dataset-take-out": gettext_lazy("Taking photos out of a dataset"),
    "dataset-discard": gettext_lazy("Discarding a draft"),
    "dataset-split": gettext_lazy("Dividing a dataset"),
    "dataset-unsplit": gettext_lazy("Taking a division back"),
    "dataset-freeze": gettext_lazy("Freezing a dataset"),
    "dataset-count": gettext_lazy("Counting a dataset"),
    "find-duplicates": gettext_lazy("Looking for duplicates"),
    "import-check": gettext_lazy("Check of an import"),
    "import-write": gettext_lazy("Import"),
    "import-undo": gettext_lazy("Taking an import back"),
}
State = Import.State
_SHOWN_FOR = timedelta(minutes=30)


@shown
class ImportProgress(Progress[Import]):
    """An import has states of its own: it is checked, then written, and its page leads from one to the other."""

    kind, rows = "import", Import
    template = "archive/imports/status.html"

    @property
    def address(self) -> str:
        return reverse("import", args=[self.row.pk])

    @cached_property
    def job(self) -> Job | None:
        kinds: dict[str, str] = {State.CHECKING: imports.CHECK_JOB, State.UNDOING: imports.UNDO_JOB}
        kind = kinds.get(self.row.state, imports.WRITE_JOB)
        return work.last([kind], self.row.pk) if self.row.state in imports.BUSY else None

    @property
    def is_checking(self) -> bool:
        return self.row.state == State.CHECKING

    @cached_property
    def state(self) -> str:
        if self.row.state in imports.BUSY:
            # Without a job a command does it in its own process.
            waits = self.job is not None and self.job.state == Job.State.QUEUED
            return WorkState.WAITING if waits else WorkState.RUNNING
        if self.row.state == State.PAUSED:
            return WorkState.STOPPED
        return self.row.state if self.row.state in WorkState else ""

    @property
    def state_name(self) -> str:
        return str(self.row.get_state_display())

    @property
    def error(self) -> str:
        return self.row.error

    @cached_property
    def done_of_total(self) -> tuple[int, int]:
        if self.is_checking:
            return self.row.report.get("checked", 0), self.row.report.get("of", 0)
        if self.row.state == State.UNDOING:
            total = max(self.row.total, 1)
            return round((self.job.progress if self.job else 0) * total), total
        return self.row.written, self.row.total

    @property
    def share(self) -> float:
        done, total = self.done_of_total
        return done / total if total else 0.0

    @property
    def counts(self) -> str:
        done, total = self.done_of_total
        if self.state == WorkState.RUNNING and not total:
            return _("Opening the files")
        return _("%(done)d of %(total)d photos") % {"done": done, "total": total} if total else ""

    @property
    def can_change(self) -> bool:
        """Whether it can still be mapped, checked again or discarded."""
        return self.may_change and self.row.state in imports.CHECKABLE and not self.row.written

    @property
    def can_undo(self) -> bool:
        """Whether what it brought can be taken out again; refused later if something of it is needed."""
        return self.may_change and self.row.state in imports.UNDOABLE and bool(self.row.written)

    @property
    def can_check(self) -> bool:
        """Whether it can be checked (again); a table of any kind needs its columns named first."""
        needs_columns = self.row.format == Import.Format.CSV and not self.row.columns
        return self.can_change and not (needs_columns and self.row.metadata)

    @property
    def can_retry(self) -> bool:
        """Whether writing can go on where it stopped."""
        return self.may_change and self.has_ended_early and imports.is_fine(self.row.report)

    def retry(self) -> str:
        try:
            imports.request_write(self.row)
        except imports.NotNow:
            return ""
        return _("It goes on where it stopped.")

    @property
    def steps(self) -> list[dict]:
        """The way of an import, each step "done", "now" or "next"."""
        names = [_("Upload"), _("Check"), _("Import"), _("Review")]
        places: dict[str, int] = {State.UPLOADED: 1, State.CHECKING: 1, State.REFUSED: 1, State.DONE: 3}
        places |= {State.UNDONE: 3}
        now = places.get(self.row.state, 2)
        kinds = ["done"] * now + ["now"] + ["next"] * (len(names) - now - 1)
        return [{"name": name, "kind": kind} for name, kind in zip(names, kinds, strict=True)]


@shown
class DatasetProgress(Progress[DatasetVersion]):
    """What is done to a large draft."""

    kind = "dataset"
    rows = DatasetVersion.objects.select_related("dataset")
    jobs = large.JOBS

    @property
    def address(self) -> str:
        return reverse("dataset", args=[self.row.pk])

    @cached_property
    def job(self) -> Job | None:
        return None if self.row.is_frozen else work.last(self.jobs, self.row.pk)

    @property
    def doing(self) -> str:
        return {
            large.FREEZE_JOB: _("Every photo is read before the version is frozen."),
            large.FILL_JOB: _("The photos are being gathered."),
            large.REFRESH_JOB: _("What the archive says now is taken over, photo by photo."),
            large.SPLIT_JOB: _("The photos are being divided."),
            large.UNSPLIT_JOB: _(
                "Other photos are in it now, so that its split no longer holds: it is taken back."
            ),
            large.CONTINUE_JOB: _("The photos of the version before are being taken over."),
            large.TAKE_OUT_JOB: _("The photos are being taken out."),
            large.DISCARD_JOB: _("The draft is being discarded."),
        }.get(self.job.kind if self.job else "", "")

    @property
    def error(self) -> str:
        if not super().error:
            return ""
        what = {
            large.FREEZE_JOB: _("The version was not frozen:"),
            large.FILL_JOB: _("The photos could not be gathered:"),
            large.REFRESH_JOB: _("What the archive says was not taken over of every photo:"),
            large.SPLIT_JOB: _("The version was not split:"),
            large.UNSPLIT_JOB: _("The split was not taken back:"),
            large.CONTINUE_JOB: _("Not all photos of the version before were taken over:"),
            large.TAKE_OUT_JOB: _("Not all photos were taken out:"),
            large.DISCARD_JOB: _("The draft was not discarded:"),
        }.get(self.job.kind if self.job else "", "")
        return f"{what} {super().error}"


@shown
class CountingProgress(Progress[DatasetVersion]):
    """Counting what the page of a large version shows."""

    kind = "dataset-figures"
    rows = DatasetVersion.objects.select_related("dataset")
    jobs = (counted.JOB,)

    @property
    def address(self) -> str:
        return reverse("dataset", args=[self.row.pk])

    @property
    def doing(self) -> str:
        return _(
            "The summary and the checks of many photos are being counted; they appear here by themselves."
        )


@shown
class BulkProgress(Progress[BulkChange]):
    """One action on many photos."""

    kind = "bulk"
    rows = BulkChange.objects.defer("entries", "of__entries").select_related("of", "version", "created_by")
    jobs = bulk.JOBS

    @classmethod
    def newest(cls, request: MemberRequest, clinic: Clinic) -> Self | None:
        """What the person asked for last, while it is at work and some time after."""
        row = bulk.last_of(clinic, request.user)
        if row is None or (row.finished_at and timezone.now() - row.finished_at > _SHOWN_FOR):
            return None
        return cls.of(request, row)

    @property
    def address(self) -> str:
        return reverse("archive-bulk-row", args=[self.row.pk])

    @cached_property
    def state(self) -> str:
        # Few photos are done without a job.
        return str(self.row.state)

    @property
    def error(self) -> str:
        return self.row.error

    @property
    def doing(self) -> str:
        return f"{receipts.said(self.row)}."

    @property
    def counts(self) -> str:
        if not self.row.total:
            return _("The photos are being gathered.") if self.is_busy else ""
        return _("%(done)d of %(total)d photos") % {"done": self.row.done, "total": self.row.total}

    @cached_property
    def is_taken_back(self) -> bool:
        return BulkChange.objects.filter(of=self.row).exists()

    @property
    def can_retry(self) -> bool:
        return super().can_retry and not self.is_taken_back

    @property
    def can_undo(self) -> bool:
        return self.may_change and bulk.can_undo(self.row)

    @property
    def said(self) -> str:
        return receipts.said(self.row)

    @property
    def told(self) -> list[str]:
        return receipts.told(self.row)


@shown
class DuplicatesProgress(Progress[Job]):
    """Comparing the photos of an archive. The job is all there is of it."""

    kind = "duplicates"
    rows = Job.objects.filter(kind=duplicates.JOB)

    @property
    def address(self) -> str:
        return reverse("duplicates")

    @property
    def job(self) -> Job:
        return self.row

    @property
    def doing(self) -> str:
        return _("The photos are being compared; pairs appear here by themselves.")
