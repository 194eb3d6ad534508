"""The export of a frozen version as a ZIP: streamed, and resumed where a download was cut off.

It is for curators; what pathologists wrote is for admins who say why, and that is written down.
"""

import re
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.archive.forms.datasets import TextsForm
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.exporting import export
from skinclinic.permissions import ADMIN, CURATE, VIEW, get_for
from skinclinic.services import audit, step_up
from skinclinic.services.refused import Refused
from skinclinic.web import zip_stream
from skinclinic.web.requests import SignedInRequest

REASONS_GIVEN = "texts_to_export"
VERSIONS = DatasetVersion.objects.select_related("dataset", "clinic")


@require_safe
def dataset_export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The ZIP, or what a Range asks of it."""
    options = export.Options(**{name: request.GET.get(name) == "1" for name in ("thumbnails", "texts")})
    version = get_for(request.user, VERSIONS, pk, ADMIN if options.texts else CURATE)
    if options.texts and pk not in request.session.get(REASONS_GIVEN, []):
        return redirect("dataset-texts", pk)
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


@require_http_methods(["GET", "HEAD", "POST"])
def dataset_texts(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask why texts shall leave; with the reason the export may be fetched, and resumed, for as long as the session
    lasts."""
    version = get_for(request.user, VERSIONS, pk, ADMIN)
    form = TextsForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        audit.record("dataset.texts", version, reason=form.cleaned_data["reason"])
        request.session[REASONS_GIVEN] = sorted({*request.session.get(REASONS_GIVEN, []), pk})
        return redirect(f"{reverse('dataset-export', args=[pk])}?texts=1")
    status = 422 if form.is_bound else 200
    return render(request, "archive/datasets/texts.html", {"version": version, "form": form}, status=status)


@require_safe
def dataset_croissant(request: SignedInRequest, pk: int) -> HttpResponse:
    """What the export holds, as Croissant metadata."""
    version = get_for(request.user, VERSIONS, pk, CURATE)
    return _described(request, version, "croissant", export.croissant_of)


@require_safe
def dataset_datasheet(request: SignedInRequest, pk: int) -> HttpResponse:
    """The datasheet as a file for programs."""
    version = get_for(request.user, VERSIONS, pk, VIEW)
    return _described(request, version, "datasheet", export.datasheet_of)


def _described(
    request: HttpRequest, version: DatasetVersion, kind: str, make: Callable[[DatasetVersion], bytes]
) -> HttpResponse:
    try:
        content = make(version)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("dataset", pk=version.pk)
    except OSError:
        messages.error(request, _("The tables of the export could not be stored; the disk may be full."))
        return redirect("dataset", pk=version.pk)
    response = HttpResponse(content, content_type="application/json")
    name = f"{slugify(version.dataset.name) or 'dataset'}-v{version.number}-{kind}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _start(request: HttpRequest, etag: str) -> int:
    """The byte a download goes on at. Other kinds of ranges get the whole, as the standard allows."""
    found = re.fullmatch(r"bytes=(\d{1,18})-", request.headers.get("Range", ""))
    if not found or request.headers.get("If-Range", etag) != etag:
        return 0
    return int(found[1])
