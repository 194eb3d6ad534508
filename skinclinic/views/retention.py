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
    """The rules, with what they will take; ``look`` shows that of rules that are not saved yet. Of many patients it is
    told as far as they were looked at; the page asks for the next by the address of that line."""
    rules = service.of(request.membership.clinic)
    sent = request.POST if request.method == "POST" else request.GET
    is_look = "look" in sent
    form = RetentionForm(sent if is_look or request.method == "POST" else None, instance=rules)
    days = {"days": service.WARNED_FOR.days, "ahead": service.LOOKED_AHEAD.days}
    if form.is_bound and not form.is_valid():
        # What would go is not known of rules that are none.
        nothing = {"form": form, "rules": rules, "told": None, **days}
        return render(request, "people/retention.html", nothing, status=422)
    if request.method == "POST" and not is_look:
        step_up.require(request)
        service.save(form.instance, request.user)
        messages.success(request, _("Saved."))
        return redirect("retention")
    told = words.told(service.foreseen(rules, words.begun(request.GET)), sent)
    if request.htmx:
        return render(request, "people/retention_lines.html", {"told": told, **days})
    context = {"form": form, "rules": rules, "told": told, "is_look": is_look, **days}
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
