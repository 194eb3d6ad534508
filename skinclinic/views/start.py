"""Where a member begins: the page of one's role, an admin's overview, first steps."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from skinclinic.permissions import ADMIN, clinic_member
from skinclinic.services import attention
from skinclinic.services import first_steps as service
from skinclinic.web.requests import MemberRequest


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Go on to the page where the work of one's role is."""
    return redirect(service.landing(getattr(request, "membership", None)))


@clinic_member(ADMIN)
@require_safe
def overview(request: MemberRequest) -> HttpResponse:
    """What needs an admin's attention."""
    return render(request, "people/overview.html", {"items": attention.items(request.membership.clinic)})


@clinic_member()
@require_POST
def first_steps(request: MemberRequest) -> HttpResponse:
    """Put one's first steps away for good."""
    service.put_away(request.membership)
    return redirect(service.landing(request.membership))
