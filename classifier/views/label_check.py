"""Asking the clinic's model about the labels in the review queue."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from classifier.services.evaluation import label_checks
from classifier.services.similar import contradicted
from skinclinic.archive.services.searching import search
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.permissions import CURATE, clinic_member
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.requests import MemberRequest

PAGE_SIZE = 60


@clinic_member(CURATE)
@require_POST
def label_check(request: MemberRequest) -> HttpResponse:
    """Ask about a selection."""
    clinic, chosen = request.membership.clinic, Selection.read(request.POST)
    try:
        check = label_checks.ask(clinic, request.user, chosen)
    except Refused as refused:
        messages.warning(request, str(refused))
    except QueryError as error:
        messages.warning(request, search.explain(error))
    else:
        if check.selection != chosen.to_json():
            messages.info(request, _("The model is still at work on the selection asked for before."))
        elif n := label_checks.left_out(check):
            text = ngettext(
                "%(n)d photo is left out: its patient does not consent.",
                "%(n)d photos are left out: their patients do not consent.",
                n,
            )
            messages.info(request, text % {"n": n})
    return redirect(reverse("review") + chosen.address())


@clinic_member(CURATE)
@require_safe
def label_neighbours(request: MemberRequest) -> HttpResponse:
    """Labels that the nearest proven photos contradict, as the newest check found."""
    check = label_checks.last(request.membership.clinic)
    if check is None:
        raise Http404
    rows = contradicted.standing(check)
    paginator = Paginator(rows, PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "check": check,
        "page": page,
        "count": len(rows),
        "asked": contradicted.ASKED,
        "silent": check.contradicted.get("silent", 0),
        "is_told": bool(check.contradicted),
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "archive/review/neighbours.html", context)
