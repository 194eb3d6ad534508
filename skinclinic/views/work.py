"""How far long work is, polled by the page that shows it; stopping it and taking it up again."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from skinclinic.permissions import VIEW, get_for
from skinclinic.presenters.work import Progress, kind_named
from skinclinic.web.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def work(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """GET: the part of the page that shows it; once it is over the page is loaded anew. POST: stop or go on."""
    found = kind_named(kind)
    row = get_for(request.user, found.rows, pk, found.change if request.method == "POST" else VIEW)
    progress = found.of(request, row)
    if not progress.is_shown:
        raise PermissionDenied
    if request.method == "POST":
        return _act(request, progress)
    response = render(request, progress.template, progress.context(request.GET))
    if progress.reloads and not progress.is_busy:
        response["HX-Refresh"] = "true"
    return response


def _act(request: SignedInRequest, progress: Progress) -> HttpResponse:
    action = request.POST.get("act", "")
    if action == "cancel":
        told = progress.can_cancel and progress.cancel(request.user)
        messages.info(request, told or _("It is over already; there is nothing to stop."))
    elif action == "retry":
        told = progress.can_retry and progress.retry()
        messages.info(request, told or _("It is not stopped; there is nothing to take up again."))
    else:
        messages.error(request, _("Choose stop or resume."))
    return redirect(progress.address)
