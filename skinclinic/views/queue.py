"""What the engine works on, for admins: what runs, waits and has failed; stopping it and trying it again."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from skinclinic.engine import clock, jobs
from skinclinic.models import Job
from skinclinic.permissions import ADMIN, clinic_member
from skinclinic.presenters import queue as words
from skinclinic.presenters.job_names import name_of
from skinclinic.presenters.paging import paged
from skinclinic.services import queue as service
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.requests import MemberRequest


@clinic_member(ADMIN)
@require_safe
def queue(request: MemberRequest) -> HttpResponse:
    """A page of jobs of a ``state`` and, if given, a ``kind``; htmx asks for the part that changes."""
    scope, state, kind = service.scope_of(request.membership), _state(request), _kind(request)
    # What is to be done next first; of what failed the newest.
    order = ("-id",) if state == Job.State.FAILED else ("id",)
    page = paged(request, service.in_state(scope, state, kind).select_related("clinic"), order)
    counts = service.counts(scope, kind)
    context = page | {
        "lines": words.rows(page["rows"], scope, clock.now()),
        "tabs": [
            (one.value, words.WORDS[one](), words.told(counts[one]), _address(one, kind))
            for one in service.STATES
        ],
        "state": state,
        "kind": kind,
        "kinds": sorted(((one, name_of(one)) for one in jobs.all_kinds()), key=lambda named: named[1]),
        "workers": words.workers(service.machines(scope)),
        "is_whole": scope.is_whole,
        "here": request.get_full_path(),
        "retried_at_once": service.RETRIED_AT_ONCE,
        "failed": counts[Job.State.FAILED],
    }
    return render(request, "queue/part.html" if request.htmx else "queue/page.html", context)


@clinic_member(ADMIN)
@require_POST
def queue_act(request: MemberRequest, pk: int) -> HttpResponse:
    """Stop a job, or try it again."""
    scope = service.scope_of(request.membership)
    job = scope.jobs().filter(pk=pk).first()
    if job is None:
        raise Http404
    if request.POST.get("act") == "stop":
        is_done = service.stop(job, request.user)
        told = _("It is stopped.") if is_done else _("It is over already, or cannot be stopped.")
    else:
        is_done = service.retry(job, request.user)
        told = _("It waits to be tried again.") if is_done else _("It was asked for anew meanwhile.")
    messages.success(request, told) if is_done else messages.info(request, told)
    return redirect(_address(_state(request), _kind(request)))


@clinic_member(ADMIN)
@require_POST
def queue_retry_all(request: MemberRequest) -> HttpResponse:
    """Try what has failed again, all kinds or one."""
    count = service.retry_all(service.scope_of(request.membership), request.user, _kind(request))
    if count:
        text = ngettext("%(n)d job waits to be tried again.", "%(n)d jobs wait to be tried again.", count)
        messages.success(request, text % {"n": count})
    else:
        messages.info(request, _("Nothing failed that could be tried again."))
    return redirect(_address(Job.State.FAILED, _kind(request)))


def _state(request: MemberRequest) -> str:
    asked = request.GET.get("state") or request.POST.get("state", "")
    return asked if asked in service.STATES else Job.State.RUNNING.value


def _kind(request: MemberRequest) -> str:
    asked = request.GET.get("kind") or request.POST.get("kind", "")
    return asked if asked in jobs.all_kinds() else ""


def _address(state: str, kind: str) -> str:
    return f"{reverse('queue')}?state={state}" + (f"&kind={kind}" if kind else "")
