"""Tags of cases: on one lesion, the choices of the type-ahead, and the clinic's list of them."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.models import CaseTag, Lesion
from skinclinic.permissions import ADMIN, EDIT, clinic_member, get_for, require
from skinclinic.services import case_tags
from skinclinic.services.refused import Refused
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest


@clinic_member()
@require_safe
def tags_like(request: MemberRequest) -> JsonResponse:
    """The choices of the type-ahead for ``?q=``."""
    found = case_tags.like(request.membership.clinic, request.GET.get("q", ""))
    return JsonResponse({"terms": [{"value": tag.name, "label": tag.name, "detail": ""} for tag in found]})


@require_POST
def lesion_tag(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put the tag named ``tag`` on lesion ``pk``, or with ``off`` (a key) take that one off."""
    lesion = get_for(request.user, Lesion, pk, EDIT)
    problem, typed, off = "", request.POST.get("tag", ""), request.POST.get("off", "")
    if off:
        tag = CaseTag.objects.filter(clinic=lesion.clinic_id, pk=off).first() if is_key(off) else None
        if tag:
            case_tags.take_off([lesion], tag)
    else:
        try:
            case_tags.put([lesion], case_tags.named(lesion.clinic, typed, request.user), request.user)
        except Refused as refused:
            problem = str(refused)
    if request.htmx:
        context = {"lesion": lesion, "can_edit": True, "problem": problem, "typed": typed if problem else ""}
        return render(request, "tags/panel.html", context, status=422 if problem else 200)
    if problem:
        messages.error(request, problem)
    return redirect(reverse("lesion", args=[pk]) + "#tags")


@clinic_member()
@require_http_methods(["GET", "HEAD", "POST"])
def clinic_tags(request: MemberRequest) -> HttpResponse:
    """The clinic's tags with their counts; an admin renames, merges and deletes them."""
    clinic = request.membership.clinic
    if request.method == "POST":
        require(request.membership, ADMIN)
        key = request.POST.get("pk", "")
        tag = get_for(request.user, CaseTag, key if is_key(key) else None, ADMIN)
        try:
            messages.success(request, _act(request, tag))
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect("case-tags")
    context = {"tags": case_tags.of_clinic(clinic), "is_admin": request.membership.is_admin}
    return render(request, "tags/list.html", context)


def _act(request: MemberRequest, tag: CaseTag) -> str:
    """Do it; return what was done. Raises Refused."""
    act = request.POST.get("act", "")
    if act == "rename":
        case_tags.rename(tag, request.POST.get("name", ""))
        return _("Saved: %(name)s.") % {"name": tag}
    if act == "merge":
        key = request.POST.get("into", "")
        into = get_for(request.user, CaseTag, key if is_key(key) else None, ADMIN)
        case_tags.merge(tag, into)
        return _("“%(old)s” is part of “%(name)s” now.") % {"old": tag, "name": into}
    if act == "delete":
        tag.delete()
        return _("The tag “%(name)s” is deleted; the cases stay.") % {"name": tag}
    raise Refused("act", _("Choose what is to be done."))
