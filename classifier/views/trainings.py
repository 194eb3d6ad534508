"""Trainings: asking for one, following its curves, stopping and resuming it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.forms.training import TrainingForm
from classifier.models import Training, TrainingRun
from classifier.presenters.training_chart import Chart, Series, chart
from classifier.services.training import data as training_data
from classifier.services.training import trainings
from classifier.training.plan import IMAGENET, RANDOM
from skinclinic.engine import jobs
from skinclinic.models import Job
from skinclinic.permissions import CURATE, clinic_member, get_for

TRAININGS = Training.objects.select_related("clinic", "dataset_version__dataset", "created_by")
SHOWN = 200
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


@clinic_member()
@require_safe
def training_list(request: HttpRequest) -> HttpResponse:
    """The clinic's trainings, newest first."""
    found = TRAININGS.filter(clinic=request.membership.clinic).prefetch_related("runs__job")[:SHOWN]
    context = {
        "rows": [(training, overall(list(training.runs.all()), training)) for training in found],
        "can_curate": request.membership.can_curate,
    }
    return render(request, "models/training/list.html", context)


@clinic_member(CURATE)
@require_http_methods(["GET", "HEAD", "POST"])
def training_new(request: HttpRequest) -> HttpResponse:
    """Say what to train on and how."""
    clinic = request.membership.clinic
    offers = training_data.offers(clinic)
    form = TrainingForm(
        request.POST if request.method == "POST" else None,
        clinic=clinic,
        offers=offers,
        initial={"dataset": request.GET.get("dataset", "")},
    )
    if request.method == "POST" and form.is_valid():
        version = form.offers[form.cleaned_data["dataset"]].version
        try:
            training = trainings.request(form.wanted(), version, request.user)
            return redirect("model-training", training.pk)
        except trainings.Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
    chosen = form["dataset"].value() or next(iter(form.offers), "")
    context = {"form": form, "offers": offers, "chosen": str(chosen), "can_train": bool(form.offers)}
    return render(request, "models/training/new.html", context, status=422 if form.is_bound else 200)


@require_safe
def training(request: HttpRequest, pk: int) -> HttpResponse:
    """One training: how far its runs are, their curves, and the models they gave."""
    found = get_for(request.user, TRAININGS, pk)
    context = _context(request, found) | {"lacks": training_data.offer(found.dataset_version).lacks}
    return render(request, "models/training/page.html", context)


@require_safe
def training_status(request: HttpRequest, pk: int) -> HttpResponse:
    """What changes while it trains, polled by the page; the curves only when there are new points.

    The page is loaded anew once its buttons are others.
    """
    found = get_for(request.user, TRAININGS, pk)
    context = _context(request, found) | {"is_poll": True}
    context["send_curves"] = request.GET.get("points") != str(context["points"])
    response = render(request, "models/training/status.html", context)
    if request.GET.get("state") != context["state"]:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def training_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop, or resume from the checkpoints."""
    found = get_for(request.user, TRAININGS, pk, CURATE)
    action = request.POST.get("action", "")
    if action == "stop":
        trainings.stop(found)
        messages.info(request, _("It stops after the step at hand and keeps a checkpoint."))
    elif action == "resume":
        count = trainings.resume(found)
        text = ngettext("%d run goes on from its checkpoint.", "%d runs go on from their checkpoints.", count)
        messages.info(request, text % count)
    else:
        messages.error(request, _("Choose stop or resume."))
    return redirect("model-training", found.pk)


def overall(runs: list[TrainingRun], training: Training) -> str:
    """The state of all runs together: running, stopping, stopped, failed or done."""
    for run in runs:
        run.training = training
    states = {trainings.state(run) for run in runs}
    order = ("stopping", Job.State.RUNNING, Job.State.QUEUED, Job.State.FAILED, trainings.STOPPED)
    return next((str(state) for state in order if state in states), str(Job.State.DONE))


def _context(request: HttpRequest, found: Training) -> dict:
    runs = list(found.runs.select_related("job", "model_version"))
    state = overall(runs, found)
    rows = [_row(run) for run in runs]
    is_active = state in ("running", "queued", "stopping")
    member = next((one for one in request.memberships if one.clinic_id == found.clinic_id), None)
    return {
        "training": found,
        "init": _init_in_words(found.init),
        "rows": rows,
        "state": state,
        "is_active": is_active,
        "can_stop": state in ("running", "queued"),
        "can_resume": state in (trainings.STOPPED, "failed"),
        "can_curate": bool(member and member.can_curate),
        "percent": round(sum(row.percent for row in rows) / max(len(rows), 1)),
        "left": _whole_left(runs),
        "no_worker": _waits_for_nobody(runs),
        **_curves(runs),
    }


def _waits_for_nobody(runs: list[TrainingRun]) -> bool:
    """Whether nothing is being done and no worker is there to begin."""
    states = {run.job.state for run in runs}
    idle = Job.State.QUEUED in states and Job.State.RUNNING not in states
    return idle and not jobs.engine_online(trainings.QUEUE)


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
        error=run.job.error if state == Job.State.FAILED else "",
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


def _init_in_words(init: str) -> str:
    if init == IMAGENET:
        return _("ImageNet (public weights)")
    if init == RANDOM:
        return _("Random (from nothing)")
    return init.rsplit("/", 1)[-1]


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
