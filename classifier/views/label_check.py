"""Asking the clinic's model about the labels in the review queue."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from classifier.models import LabelCheck
from classifier.services.evaluation import label_checks
from skinclinic.archive.services.searching import search
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.permissions import CURATE, clinic_member, require


@clinic_member()
@require_http_methods(["GET", "HEAD", "POST"])
def label_check(request: HttpRequest) -> HttpResponse:
    """GET: how far the check is, polled by the review page. POST: ask about a selection, or try again."""
    if request.method == "POST":
        return _ask(request)
    response = render(
        request,
        "archive/review/ask_model.html",
        {"chosen": Selection.read(request.GET), "can_curate": request.membership.can_curate},
    )
    check = label_checks.last(request.membership.clinic)
    if check is None or not check.is_busy:
        response["HX-Refresh"] = "true"
    return response


def _ask(request: HttpRequest) -> HttpResponse:
    require(request.membership, CURATE)
    clinic, chosen = request.membership.clinic, Selection.read(request.POST)
    check = label_checks.last(clinic)
    if request.POST.get("again") and check and check.state == LabelCheck.State.FAILED:
        label_checks.retry(check)
    else:
        try:
            check = label_checks.ask(clinic, request.user, chosen)
        except label_checks.Refused as refused:
            messages.warning(request, str(refused))
        except QueryError as error:
            messages.warning(request, search.explain(error))
        else:
            if check.selection != chosen.to_json():
                messages.info(request, _("The model is still at work on the selection asked for before."))
    return redirect(reverse("review") + chosen.address())
