"""Other explanations of an answer: asking for one, and its heatmaps for the browser to draw."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.models import Explanation
from classifier.presenters import explanations as shown
from classifier.presenters.hidden_answers import impression_first
from classifier.presenters.maps import maps_json
from classifier.services.analysis import explanations
from classifier.services.analysis.assessments import may_see_answer
from classifier.views.result import ANALYSES
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest, json_error

EXPLANATIONS = Explanation.objects.select_related("analysis__photo__lesion", "analysis__model_version")


@never_cache
@require_POST
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for the explanation by ``method``; the part of the page for htmx, else the page of the analysis."""
    analysis = get_for(request.user, ANALYSES, pk, EDIT)
    member = member_of(request.user, analysis.clinic_id)
    if not may_see_answer(request.user, member, analysis):
        return json_error(409, "impression_first", impression_first())
    why = ""
    try:
        explanations.ask(analysis, request.POST.get("method", ""), request.user)
    except Refused as refused:
        why = str(refused)
    if not request.htmx:
        if why:
            messages.error(request, why)
        return redirect("analysis", analysis.pk)
    context = {
        "analysis": analysis,
        "cannot_explain": why,
        **shown.context(analysis, member),
    }
    return render(request, "result/explanations.html", context)


@never_cache
@require_safe
def maps(request: SignedInRequest, pk: int) -> JsonResponse:
    """The 12 heatmaps with the square they lie on; 409 while there is none or the answer is kept back."""
    row = get_for(request.user, EXPLANATIONS, pk)
    analysis = row.analysis
    if not may_see_answer(request.user, member_of(request.user, row.clinic_id), analysis):
        return json_error(409, "impression_first", impression_first())
    if not row.is_done:
        return json_error(409, "not_explained", _("This explanation is not computed yet."))
    return JsonResponse(maps_json(row.heatmaps(), analysis.box))
