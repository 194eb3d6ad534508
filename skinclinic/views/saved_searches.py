"""Saving a search of the worklist, renaming and deleting it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from skinclinic.models import SavedSearch
from skinclinic.permissions import EDIT, clinic_member, get_for, member_of
from skinclinic.services import saved_searches
from skinclinic.services.refused import Refused
from skinclinic.services.worklist import Filters
from skinclinic.web.requests import MemberRequest, SignedInRequest


@clinic_member(EDIT)
@require_POST
def search_save(request: MemberRequest) -> HttpResponse:
    """Keep ``list`` (the query of a worklist) as ``name``; with ``clinic=1`` for everybody in it."""
    filters = Filters.read(QueryDict(request.POST.get("list", "").removeprefix("?")[:2000]))
    try:
        saved = saved_searches.save(
            request.membership, request.user, request.POST.get("name", ""), filters,
            for_clinic=request.POST.get("clinic") == "1",
        )  # fmt: skip
        messages.success(request, _("Saved: %(name)s.") % {"name": saved})
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(reverse("worklist") + filters.address())


@require_POST
def search_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """``act``: rename (``name``) or delete."""
    search = get_for(request.user, SavedSearch, pk, EDIT)
    member = member_of(request.user, search.clinic_id)
    if search.owner_id not in (None, request.user.pk):
        raise Http404
    if not saved_searches.may_change(search, member, request.user):
        raise PermissionDenied(_("Only whoever saved it or an admin may change a search of the clinic."))
    back = reverse("worklist") + Filters.read(search.filters).address()
    if request.POST.get("act") == "delete":
        search.delete()
        messages.success(request, _("The saved search “%(name)s” is deleted.") % {"name": search})
        return redirect(back)
    try:
        saved_searches.rename(search, request.POST.get("name", ""))
        messages.success(request, _("Saved: %(name)s.") % {"name": search})
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(back)
