"""Models made ready for other programs: asking for one, taking it away, deleting it."""

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from classifier.models import ModelExport
from classifier.presenters.model_exports import as_zip, not_there
from classifier.services.models import exports
from classifier.views.models import version_for
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.services import step_up
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest

EXPORTS = ModelExport.objects.select_related("clinic", "model_version")


@clinic_member(ADMIN)
@require_POST
def ask(request: MemberRequest, pk: int) -> HttpResponse:
    """Have a model written as ``format``."""
    version = version_for(request, pk)
    try:
        exports.ask(version, request.POST.get("format", ""), request.membership.clinic, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("model", version.pk)


@require_safe
def download(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The files as a ZIP; what is fetched is written down."""
    row = get_for(request.user, EXPORTS, pk, ADMIN)
    step_up.require_for_download(request)
    try:
        return as_zip(request, row, request.user)
    except exports.NotThere:
        messages.error(request, not_there())
        return redirect("model", row.model_version_id)


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete the files before their time."""
    row = get_for(request.user, EXPORTS, pk, ADMIN)
    exports.delete(row, request.user)
    messages.info(request, _("The files are deleted."))
    return redirect("model", row.model_version_id)
