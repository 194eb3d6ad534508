"""What the product is, where things are, and who helps: for everybody, also before signing in."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from skinclinic.models import Member, Role


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    member = getattr(request, "membership", None)
    admins = (
        Member.objects.filter(clinic=member.clinic_id, role=Role.ADMIN, is_active=True).select_related("user")
        if member
        else Member.objects.none()
    )
    context = {
        "admins": [admin.user for admin in admins],
        "base": "base.html" if request.user.is_authenticated else "base_bare.html",
    }
    return render(request, "help.html", context)
