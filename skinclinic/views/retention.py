"""For how long things are kept, and what goes when."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.retention import RetentionForm
from skinclinic.models import Member
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.presenters import retention as words
from skinclinic.services import people, step_up
from skinclinic.services import retention as service
from skinclinic.services.refused import Refused
from skinclinic.views.member_list import list_address
from skinclinic.web.requests import MemberRequest, SignedInRequest


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: MemberRequest) -> HttpResponse:
    """The rules, with what they will take; ``look`` shows that of rules that are not saved yet."""
    rules = service.of(request.membership.clinic)
    form = RetentionForm(request.POST if request.method == "POST" else None, instance=rules)
    days = {"days": service.WARNED_FOR.days, "ahead": service.LOOKED_AHEAD.days}
    if form.is_bound and not form.is_valid():
        # What would go is not known of rules that are none.
        nothing = {"form": form, "rules": rules, "told": None, **days}
        return render(request, "people/retention.html", nothing, status=422)
    if form.is_bound and "look" not in request.POST:
        step_up.require(request)
        service.save(form.instance, request.user)
        messages.success(request, _("Saved."))
        return redirect("retention")
    context = {
        "form": form,
        "rules": rules,
        "told": words.told(service.foreseen(rules)),
        "is_look": form.is_bound,
        **days,
    }
    return render(request, "people/retention.html", context)


@require_POST
def member_anonymise(request: SignedInRequest, pk: int) -> HttpResponse:
    """Forget the name and address of somebody who left."""
    member = get_for(request.user, Member.objects.select_related("user"), pk, ADMIN)
    step_up.require(request)
    try:
        people.anonymise(member)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request, _("Name, user name and e-mail address are removed. What was recorded stays.")
        )
    return redirect(list_address(request))
