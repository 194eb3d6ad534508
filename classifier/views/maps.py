"""The heatmaps of an analysis, for the browser to draw."""

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.models import Analysis
from classifier.presenters.hidden_answers import impression_first
from classifier.presenters.maps import maps_json
from classifier.services.analysis.assessments import may_see_answer
from skinclinic.permissions import get_for, member_of
from skinclinic.web.requests import SignedInRequest, json_error


@never_cache
@require_safe
def analysis_maps(request: SignedInRequest, pk: int) -> JsonResponse:
    """The 12 heatmaps with the square they lie on; 409 while there is none or the answer is kept back."""
    row = get_for(request.user, Analysis.objects.asked_for().select_related("photo__lesion"), pk)
    if not may_see_answer(request.user, member_of(request.user, row.clinic_id), row):
        return json_error(409, "impression_first", impression_first())
    if not row.is_done:
        return json_error(409, "not_analysed", _("This photo is not analysed yet."))
    return JsonResponse(maps_json(row.heatmaps(), row.box))
