"""Is anything there, and are workers alive?"""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from skinclinic import jobs
from skinclinic.models import Job


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """For a load balancer: 200 while the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def status(request: HttpRequest) -> HttpResponse:
    """The dot in the page's head: engine online or offline, and how many of the clinic's photos wait."""
    waiting = 0
    if request.membership:
        waiting = Job.objects.filter(
            clinic=request.membership.clinic, state__in=[Job.State.QUEUED, Job.State.RUNNING]
        ).count()
    return render(
        request, "components/engine_status.html", {"online": jobs.engine_online(), "waiting": waiting}
    )
