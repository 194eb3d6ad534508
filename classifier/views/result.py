"""The result page of a photo, and an older analysis of it."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.models import Analysis
from classifier.presenters import result as result_context
from classifier.presenters.result import Shown
from classifier.services.analysis import assessments
from classifier.services.analysis.analyses import NoModel, current_analysis, request_analysis
from skinclinic.engine import jobs
from skinclinic.kept_queries import kept
from skinclinic.models import Photo
from skinclinic.permissions import EDIT, get_for, the_one_for
from skinclinic.web.requests import SignedInRequest

PHOTOS = Photo.objects.select_related("lesion__patient", "uploaded_by")
ANALYSES = Analysis.objects.asked_for().select_related(
    "photo__lesion__patient", "photo__clinic", "model_version", "job"
)
PANEL = "result-panel"


@never_cache
@require_safe
def photo(request: SignedInRequest, pk: int) -> HttpResponse:
    """The result page; ``?thresholds=NAME`` chooses the threshold set, ``?seen=`` is what a poll has."""
    row = the_one_for(request.user, _photo(pk))
    return render_panel(request, Shown(request, row))


@kept
def _photo(pk: int) -> QuerySet[Photo]:
    return PHOTOS.filter(pk=pk).select_related("lesion__patient", "uploaded_by", "clinic")


@never_cache
@require_safe
def analysis(request: SignedInRequest, pk: int) -> HttpResponse:
    """An older analysis of a photo; the current one has its place at the photo."""
    row = get_for(request.user, ANALYSES, pk)
    shown = Shown(request, row.photo, row)
    if shown.is_current:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(reverse("photo", args=[row.photo_id]) + query)
    return render_panel(request, shown)


@never_cache
@require_POST
def retry(request: SignedInRequest, pk: int) -> HttpResponse:
    """Analyse again after a failure, for the first time once there is a model, or with a newer model."""
    row = get_for(request.user, PHOTOS, pk, EDIT)
    found = current_analysis(row)
    if found is None or not jobs.retry(found.job):
        try:
            found = request_analysis(row, user=request.user)
        except NoModel:
            messages.warning(request, _("There is still no model to analyse with."))
    if not wants_panel(request):
        return redirect("photo", row.pk)
    return render_panel(request, Shown(request, row))


def wants_panel(request: SignedInRequest) -> bool:
    """Whether htmx asks for the changing part only."""
    return bool(request.htmx) and request.htmx.target == PANEL and not request.htmx.history_restore_request


def render_panel(request: SignedInRequest, shown: Shown, *, status: int = 200, **extra) -> HttpResponse:
    """The changing part for htmx, or the whole page for a browser without scripts. An answer that this sends is
    noted as shown: the one thing that looking at a photo writes."""
    if shown.answer and shown.member.can_edit and request.method != "HEAD":
        shown.assessment = assessments.note_shown(
            request.user,
            shown.answer.analysis,
            shown.assessment,
            shown.answer.thresholds_that_count,
            shown.answer.listed,
        )
    if not wants_panel(request):
        return render(request, "result/page.html", result_context.page(shown) | extra, status=status)
    context = result_context.panel(shown, **extra)
    if request.GET.get("seen") == context["watch"]:
        return HttpResponse(status=204)
    return render(request, "result/polled.html", context | {"swap_tools": True}, status=status)


def after_saving(request: SignedInRequest, found: Analysis, what: str) -> HttpResponse:
    """Show what was stored ("impression", "decision"): the fresh panel, or by redirect without scripts."""
    if wants_panel(request):
        return render_panel(request, Shown(request, found.photo, found), just_saved=what)
    current = current_analysis(found.photo)
    return HttpResponseRedirect(
        reverse("photo", args=[found.photo_id]) if found == current else reverse("analysis", args=[found.pk])
    )
