"""A training as its page shows it: how far its runs are, their curves, and what may be done with it."""

from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse

from classifier.models import Training, TrainingRun
from classifier.presenters.training_chart import Chart, Series, chart
from classifier.services.training import trainings
from skinclinic.engine import jobs
from skinclinic.models import Job, User, WorkState
from skinclinic.presenters.job_errors import words_of
from skinclinic.presenters.work import Progress, shown
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

TRAININGS = Training.objects.select_related("clinic", "dataset_version__dataset", "created_by")
MOST_LINES = 500


@dataclass(frozen=True)
class Row:
    """One run as the page shows it."""

    run: TrainingRun
    state: str
    percent: int
    epoch: int
    epochs: int
    left: str
    error: str
    macro_auc: float | None


@shown
class TrainingProgress(Progress[Training]):
    """A training has a job for each of its runs; one that is stopped ends after a checkpoint."""

    kind, rows = "training", TRAININGS
    template = "models/training/status.html"

    @property
    def address(self) -> str:
        return reverse("model-training", args=[self.row.pk])

    @cached_property
    def runs(self) -> list[TrainingRun]:
        return list(self.row.runs.select_related("job", "model_version"))

    @cached_property
    def overall(self) -> str:
        """Where it stands, in a training's own words."""
        return overall(self.runs, self.row)

    @cached_property
    def state(self) -> str:
        if self.overall in ("running", "stopping"):
            return WorkState.RUNNING
        return WorkState.WAITING if self.overall == "queued" else self.overall

    @cached_property
    def lines(self) -> list[Row]:
        """A line for each run."""
        return [_row(run) for run in self.runs]

    @property
    def error(self) -> str:
        return ""

    @property
    def share(self) -> float:
        return sum(line.percent for line in self.lines) / max(len(self.lines), 1) / 100

    @property
    def left(self) -> str:
        return _whole_left(self.runs)

    @property
    def has_no_worker(self) -> bool:
        """Whether nothing is being done and no worker is there to begin."""
        states = {run.job.state for run in self.runs}
        idle = Job.State.QUEUED in states and Job.State.RUNNING not in states
        return idle and not jobs.is_served(trainings.JOB)

    @property
    def can_cancel(self) -> bool:
        return self.may_change and self.overall in ("running", "queued")

    def cancel(self, by: User) -> str:
        if not self.is_busy:
            return ""
        trainings.stop(self.row)
        return _("It stops after the step at hand and keeps a checkpoint.")

    def retry(self) -> str:
        if not (count := trainings.resume(self.row)):
            return ""
        text = ngettext("%d run goes on from its checkpoint.", "%d runs go on from their checkpoints.", count)
        return text % count

    @cached_property
    def curves(self) -> dict:
        return _curves(self.runs)

    @property
    def query(self) -> str:
        return f"?points={self.curves['points']}"

    def context(self, query) -> dict:
        """The curves are sent again only when there are new points."""
        is_new = query.get("points") != str(self.curves["points"])
        return {"work": self, "send_curves": is_new, **self.curves}


def overall(runs: list[TrainingRun], training: Training) -> str:
    """The state of all runs together: running, stopping, stopped, failed or done."""
    for run in runs:
        run.training = training
    states = {trainings.state(run) for run in runs}
    order = ("stopping", Job.State.RUNNING, Job.State.QUEUED, Job.State.FAILED, trainings.STOPPED)
    return next((str(state) for state in order if state in states), str(Job.State.DONE))


def _row(run: TrainingRun) -> Row:
    progress, state = run.progress, trainings.state(run)
    curves = progress.get("curves", [])
    share = 1.0 if state == Job.State.DONE else trainings.share(progress)
    seconds = trainings.seconds_left(run) if state == Job.State.RUNNING else None
    return Row(
        run=run,
        state=state,
        percent=round(100 * share),
        epoch=len(curves),
        epochs=progress.get("epochs") or run.training.choices["epochs"],
        left="" if seconds is None else duration(seconds),
        error=words_of(run.job) if state == Job.State.FAILED else "",
        macro_auc=curves[-1]["macro_auc"] if curves else None,
    )


def _whole_left(runs: list[TrainingRun]) -> str:
    """How long all runs that are still to be done take, one after the other; "" while nobody knows."""
    rates = [run.progress["seconds"] / run.progress["step"] for run in runs if run.progress.get("step")]
    if not rates:
        return ""
    steps = max(run.progress.get("steps", 0) for run in runs)
    to_do = sum(
        steps - run.progress.get("step", 0)
        for run in runs
        if run.job.state in (Job.State.QUEUED, Job.State.RUNNING)
    )
    return duration(rates[-1] * to_do) if to_do else ""


def duration(seconds: float) -> str:
    """A time in words, as exact as one needs to know it."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return _("less than a minute")
    if minutes < 90:
        return ngettext("about %d minute", "about %d minutes", minutes) % minutes
    hours = round(minutes / 60)
    return ngettext("about %d hour", "about %d hours", hours) % hours


def _curves(runs: list[TrainingRun]) -> dict:
    """The two charts and the table under them."""
    epochs = max((run.progress.get("epochs", 0) for run in runs), default=0)
    losses, aucs, table = [], [], []
    for run in runs:
        entries = run.progress.get("curves", [])
        losses.append(Series(run.number, [(e["epoch"], e["loss"]) for e in entries]))
        losses.append(
            Series(run.number, [(e["epoch"], e["validation_loss"]) for e in entries], is_dashed=True)
        )
        known = [(e["epoch"], e["macro_auc"]) for e in entries if e["macro_auc"] is not None]
        aucs.append(Series(run.number, known))
        table += [(run.number, entry) for entry in entries]
    lowest = min((value for one in aucs for _epoch, value in one.values), default=0.5)
    return {
        "loss_chart": chart(losses, epochs) if table else None,
        "auc_chart": _auc_chart(aucs, epochs, lowest) if table else None,
        "curve_table": table[-MOST_LINES:],
        "points": len(table),
        "several": len(runs) > 1,
    }


def _auc_chart(series: list[Series], epochs: int, lowest: float) -> Chart | None:
    if not any(one.values for one in series):
        return None
    return chart(series, epochs, low=min(0.5, lowest), high=1.0)
