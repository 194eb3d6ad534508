"""The export of a frozen version as a ZIP: streamed, and resumed where a download was cut off."""

import re

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.exporting import export
from skinclinic.permissions import EDIT, VIEW, get_for
from skinclinic.services import step_up
from skinclinic.services.refused import Refused
from skinclinic.web import zip_stream
from skinclinic.web.requests import SignedInRequest

VERSIONS = DatasetVersion.objects.select_related("dataset", "clinic")


@require_safe
def dataset_export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The ZIP, or what a Range asks of it. What pathologists wrote leaves only with members who may edit."""
    options = export.Options(
        **{name: request.GET.get(name) == "1" for name in ("thumbnails", "isic", "texts")}
    )
    version = get_for(request.user, VERSIONS, pk, EDIT if options.texts else VIEW)
    step_up.require_for_download(request)
    try:
        members = export.members(version, options)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("dataset", pk=pk)
    except OSError:
        messages.error(request, _("The tables of the export could not be stored; the disk may be full."))
        return redirect("dataset", pk=pk)
    length = zip_stream.length(members)
    etag = f'"{version.sha256[:32]}-{version.pk}-{options.key}"'
    start = _start(request, etag)
    if start >= length:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{length}"})
    response = StreamingHttpResponse(
        zip_stream.chunks(members, start) if request.method == "GET" else (),
        content_type="application/zip",
        status=206 if start else 200,
    )
    if start:
        response["Content-Range"] = f"bytes {start}-{length - 1}/{length}"
    response["Content-Length"] = length - start
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    name = f"{slugify(version.dataset.name) or 'dataset'}-v{version.number}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _start(request: HttpRequest, etag: str) -> int:
    """The byte a download goes on at. Other kinds of ranges get the whole, as the standard allows."""
    found = re.fullmatch(r"bytes=(\d{1,18})-", request.headers.get("Range", ""))
    if not found or request.headers.get("If-Range", etag) != etag:
        return 0
    return int(found[1])
