"""Proven photos of the archive that look alike to the model: a part of the result page, which comes after it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.models import Analysis
from classifier.presenters import similar as presenter
from classifier.services.analysis.assessments import may_see_answer
from classifier.services.similar import making
from skinclinic.permissions import CURATE, EDIT, get_for, member_of
from skinclinic.web.requests import SignedInRequest

ANALYSES = Analysis.objects.asked_for().select_related("photo__lesion__patient", "model_version", "clinic")


def _result(row: Analysis) -> str:
    return reverse("analysis", args=[row.pk])


@never_cache
@require_safe
def similar(request: SignedInRequest, pk: int) -> HttpResponse:
    """The photos, as a part for htmx or as a page. While the answer is kept back, so are they: the result is shown."""
    row = get_for(request.user, ANALYSES, pk)
    member = member_of(request.user, row.clinic_id)
    if not row.is_done or not may_see_answer(request.user, member, row):
        return HttpResponse(status=204) if request.htmx else redirect(_result(row))
    context = presenter.context(row, member)
    name = "result/similar.html" if request.htmx else "result/similar_page.html"
    return render(request, name, context | {"photo": row.photo, "result_url": _result(row)})


@never_cache
@require_POST
def similar_make(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have the model look at the proven photos that it has not looked at."""
    row = get_for(request.user, ANALYSES, pk, CURATE)
    making.ask(row.clinic, row.model_version, request.user)
    messages.info(request, _("The model looks at the proven photos; the photos of the clinic come first."))
    return redirect(_result(row))


@never_cache
@require_POST
def similar_make_own(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have the model look at this photo again, whose answer is from before features were kept."""
    row = get_for(request.user, ANALYSES, pk, EDIT)
    making.ask_for(row, request.user)
    messages.info(
        request, _("The model looks at this photo again. Its answer stays as it is; reload the page.")
    )
    return redirect(_result(row))
