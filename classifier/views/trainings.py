"""Trainings: asking for one, following its curves (``presenters/training_progress.py``)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from classifier.forms.training import TrainingForm
from classifier.presenters.training_progress import TRAININGS, TrainingProgress, overall
from classifier.services.training import data as training_data
from classifier.services.training import trainings
from classifier.training.plan import IMAGENET, RANDOM
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest

SHOWN = 200


@clinic_member()
@require_safe
def training_list(request: MemberRequest) -> HttpResponse:
    """The clinic's trainings, newest first."""
    found = TRAININGS.filter(clinic=request.membership.clinic).prefetch_related("runs__job")[:SHOWN]
    context = {
        "rows": [(training, overall(list(training.runs.all()), training)) for training in found],
        "can_curate": request.membership.can_curate,
    }
    return render(request, "models/training/list.html", context)


@clinic_member(CURATE)
@require_http_methods(["GET", "HEAD", "POST"])
def training_new(request: MemberRequest) -> HttpResponse:
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
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
    chosen = form["dataset"].value() or next(iter(form.offers), "")
    context = {"form": form, "offers": offers, "chosen": str(chosen), "can_train": bool(form.offers)}
    return render(request, "models/training/new.html", context, status=422 if form.is_bound else 200)


@require_safe
def training(request: SignedInRequest, pk: int) -> HttpResponse:
    """One training: how far its runs are, their curves, and the models they gave."""
    found = get_for(request.user, TRAININGS, pk)
    progress = TrainingProgress.of(request, found)
    context = {
        "training": found,
        "init": _init_in_words(found.init),
        "lacks": training_data.offer(found.dataset_version).lacks,
        **progress.curves,
        "work": progress,
    }
    return render(request, "models/training/page.html", context)


def _init_in_words(init: str) -> str:
    if init == IMAGENET:
        return _("ImageNet (public weights)")
    if init == RANDOM:
        return _("Random (from nothing)")
    return init.rsplit("/", 1)[-1]
