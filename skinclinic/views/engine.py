"""Is anything there, and are workers alive?"""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from skinclinic.engine.standing import standing
from skinclinic.presenters.engine import words_of
from skinclinic.services.erasing import again
from skinclinic.web.requests import SignedInRequest


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """For a load balancer: 200 while the database answers, and 503 while it is older than the list of erasures: nobody
    should be shown patients who were erased."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if again.obstacle():
        return JsonResponse({"status": "erasures_not_applied"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
def status(request: SignedInRequest) -> HttpResponse:
    """The dot in the page's head: does the engine work, how many of the clinic's photos wait, and for how long?"""
    found = standing(request.membership.clinic if request.membership else None)
    return render(request, "components/engine_status.html", words_of(found))
