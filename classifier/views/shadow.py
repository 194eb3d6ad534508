"""A candidate in the shadow of the model in use: for admins alone."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from classifier.models import Shadow
from classifier.presenters import shadow as shown
from classifier.services.models import registry
from classifier.services.shadow import computing, runs
from skinclinic.engine import work
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.presenters.job_errors import words_of
from skinclinic.services import step_up
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest

MOST_ROWS = 50


@clinic_member(ADMIN)
@require_safe
def shadow(request: MemberRequest) -> HttpResponse:
    """The candidate in the shadow now, or the latest one."""
    row = runs.of_clinic(request.membership.clinic).first()
    return _page(request, row)


@require_safe
def shadow_row(request: SignedInRequest, pk: int) -> HttpResponse:
    """One of them, also one that has ended."""
    return _page(request, _row(request, pk))


@clinic_member(ADMIN)
@require_POST
def shadow_start(request: MemberRequest, pk: int) -> HttpResponse:
    """Begin to compute new answers by this model as well."""
    clinic = request.membership.clinic
    version = get_object_or_404(registry.listed(clinic), pk=pk)
    step_up.require(request)
    try:
        runs.start(version, clinic=clinic, user=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("model", pk)
    words = _("From the next photo on %(name)s computes it as well, unseen.") % {"name": version}
    messages.success(request, words)
    return redirect("shadow")


@require_POST
def shadow_stop(request: SignedInRequest, pk: int) -> HttpResponse:
    """End it; what it has shown stays."""
    row = _row(request, pk)
    if runs.stop(row, request.user):
        messages.success(request, _("Stopped. What it has shown stays here."))
    return redirect("shadow-row", row.pk)


@require_POST
def shadow_look(request: SignedInRequest, pk: int) -> HttpResponse:
    """Compute the figures now; also goes on after a failure."""
    row = _row(request, pk)
    if computing.ask(row):
        messages.info(request, _("It is being computed. Reload this page in a minute."))
    return redirect("shadow-row", row.pk)


def _row(request: SignedInRequest, pk: int) -> Shadow:
    rows = Shadow.objects.select_related("model_version", "in_use", "started_by", "clinic")
    return get_for(request.user, rows, pk, ADMIN)


def _page(request: SignedInRequest, row: Shadow | None) -> HttpResponse:
    context: dict = {"row": row}
    if row is not None:
        job = computing.problem(row)
        context |= {
            "records": runs.of_clinic(row.clinic)[:MOST_ROWS],
            "is_busy": work.is_busy([computing.JOB], row.pk),
            "problem": words_of(job) if job else "",
            "content": row.figures,
        }
        if row.figures:
            context |= {
                "progress": shown.progress(row),
                "lists": shown.lists(row.figures),
                "proven": shown.proven(row.figures),
                "calibrated": shown.calibrated(row.figures),
            }
    return render(request, "models/shadow.html", context)
