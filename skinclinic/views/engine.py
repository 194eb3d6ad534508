"""Is anything there, is it ready, what do its figures say, and are workers alive?"""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from skinclinic.engine.standing import standing
from skinclinic.presenters.engine import words_of
from skinclinic.services import ready
from skinclinic.services.measured.figure import Collected
from skinclinic.web import counted, probing
from skinclinic.web.requests import SignedInRequest


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process lives: 200, for whoever would start it again. It asks nothing of anybody."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether this node should be given requests: 200 or 503, and, to who may know, which part is not there and why.
    ``without``: parts, with commas between them, that do not count."""
    without = frozenset(request.GET.get("without", "").split(","))
    found = ready.obstacles(without)
    said: dict[str, Any] = {"status": "not_ready" if found else "ok"}
    if found and probing.may_hear(request):
        said["parts"] = found
    return JsonResponse(said, status=503 if found else 200)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus, in its text format; 404 where nobody is let in."""
    if not probing.is_open():
        return HttpResponse(status=404)
    if not probing.may_hear(request):
        return HttpResponse(status=403)
    asked = CollectorRegistry()
    asked.register(Collected())
    text = generate_latest(counted.registry()) + generate_latest(asked)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


@require_safe
def status(request: SignedInRequest) -> HttpResponse:
    """The dot in the page's head: does the engine work, how many of the clinic's photos wait, and for how long?"""
    found = standing(request.membership.clinic if request.membership else None)
    return render(request, "components/engine_status.html", words_of(found))
