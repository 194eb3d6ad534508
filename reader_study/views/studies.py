"""The clinic's studies, and one of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reader_study.models import Study
from reader_study.services.access import studies_of
from skinclinic.permissions import clinic_member, get_for


@clinic_member()
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The clinic's studies, newest first."""
    context = {
        "studies": studies_of(request.membership.clinic),
        "can_run": request.membership.can_run_studies,
    }
    return render(request, "studies/list.html", context)


@clinic_member()
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """A study and where it stands."""
    study = get_for(request.user, Study, pk)
    return render(request, "studies/page.html", {"study": study})
