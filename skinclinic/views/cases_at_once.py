"""One action on many cases chosen in the worklist, and undoing it."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from skinclinic.models import CasesChange, User
from skinclinic.permissions import EDIT, clinic_member, get_for
from skinclinic.presenters import bulk_notice
from skinclinic.services import cases_at_once
from skinclinic.services.cases_at_once import Done
from skinclinic.services.refused import Refused
from skinclinic.services.worklist import Filters
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest


@clinic_member(EDIT)
@require_POST
def cases_act(request: MemberRequest) -> HttpResponse:
    """``act`` on ``lesions`` (keys), or with ``all=1`` on everything that ``list`` (the query of a worklist) shows:
    assign (``assignee``), tag and untag (``tag``: its name), file."""
    filters = Filters.read(QueryDict(request.POST.get("list", "").removeprefix("?")[:2000]))
    keys = [int(key) for text in request.POST.getlist("lesions") for key in text.split(",") if is_key(key)]
    back = reverse("worklist") + filters.address(cursor=request.POST.get("cursor", "")[:500])
    member = request.membership
    try:
        found = cases_at_once.chosen(
            member, request.user, filters, None if request.POST.get("all") == "1" else keys
        )
        if request.POST.get("act") == "file":
            return _file(request, found, back)
        said, done = _do(request, found)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        bulk_notice.remember(request, said, done)
    return redirect(back)


@require_POST
def cases_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take back an action on many cases, wherever nobody has changed the same since."""
    change = get_for(request.user, CasesChange, pk, EDIT)
    try:
        done = cases_at_once.undo(change, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        said = ngettext("Undone for %(count)s case.", "Undone for %(count)s cases.", done.changed)
        bulk_notice.remember(request, said % {"count": done.changed}, done)
    return redirect("worklist")


def _do(request: MemberRequest, found: list[int]) -> tuple[str, Done]:
    """Do it; return what was done in words. Raises Refused."""
    member, act, name = request.membership, request.POST.get("act", ""), request.POST.get("tag", "")
    if act == "assign":
        key = request.POST.get("assignee", "")
        person = User.objects.filter(pk=key).first() if is_key(key) else None
        if key and person is None:
            raise Refused("assignee", _("Choose a member of this clinic who may decide cases."))
        done = cases_at_once.assign(member, request.user, found, person)
        said = ngettext(
            "%(count)s case is assigned to %(name)s.",
            "%(count)s cases are assigned to %(name)s.",
            done.changed,
        )
        return said % {"count": done.changed, "name": person or _("nobody")}, done
    if act == "tag":
        done = cases_at_once.tag(member, request.user, found, name)
        said = ngettext("%(count)s case is tagged.", "%(count)s cases are tagged.", done.changed)
    elif act == "untag":
        done = cases_at_once.untag(member, request.user, found, name)
        said = ngettext(
            "The tag is taken off %(count)s case.", "The tag is taken off %(count)s cases.", done.changed
        )
    else:
        raise Refused("act", _("Choose what is to be done."))
    return said % {"count": done.changed}, done


def _file(request: MemberRequest, found: list[int], back: str) -> HttpResponse:
    """On to the filing form with the photos of those not filed yet; the rest is named on the way back."""
    photos, left = cases_at_once.to_file(request.membership, found)
    if left:
        said = ngettext(
            "%(count)s photo is there to be filed.", "%(count)s photos are there to be filed.", len(photos)
        )
        bulk_notice.remember(request, said % {"count": len(photos)}, Done(left=left))
    if not photos:
        return redirect(back)
    return redirect(reverse("filing") + "?ids=" + ",".join(str(pk) for pk in photos))
