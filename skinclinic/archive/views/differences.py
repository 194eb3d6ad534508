"""What is different between two dataset versions: every photo added, removed, relabelled or moved; also as CSV."""

from collections.abc import Iterator

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.datasets import counted, differences
from skinclinic.permissions import VIEW, get_for
from skinclinic.web import keyset
from skinclinic.web.csv_table import pieces
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest

PAGE_SIZE = 60
ORDER = ("id",)
VERSIONS = DatasetVersion.objects.select_related("dataset")
COLUMNS = ("change", "source", "photo", "content_sha256", "label_before", "label", "side_before", "side")
_AT_ONCE = 500


@require_safe
def dataset_differences(request: SignedInRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The differences from the version ``since`` (the one before) to this one: one ``kind`` a page, or all of them
    ``as`` CSV."""
    new = get_for(request.user, VERSIONS, pk, VIEW)
    since = request.GET.get("since", "")
    if since:
        old = get_for(request.user, VERSIONS, int(since) if is_key(since) else 0, VIEW)
    else:
        before = VERSIONS.filter(dataset=new.dataset, number__lt=new.number).order_by("-number")
        old = before.first() or new
    if old.clinic_id != new.clinic_id:
        raise Http404
    if request.GET.get("as") == "csv":
        return _csv(old, new)
    try:
        counts = counted.changes(old, new)
    except counted.NotCounted:
        messages.info(request, _("The photos are being counted. Look again in a moment."))
        return redirect("dataset", pk=new.pk)
    if counts is None:
        counts = {kind: differences.rows(old, new, kind).count() for kind in differences.KINDS}
    kind = request.GET.get("kind", "")
    if kind not in counts:
        kind = next((one for one, n in counts.items() if n), differences.ADDED)
    try:
        page = _page(old, new, kind, request.GET.get("cursor", ""))
    except keyset.BadCursor:
        page = _page(old, new, kind, "")
    differences.note_earlier(old, page.rows)
    here = reverse("dataset-differences", args=[new.pk])

    def address(**more: str) -> str:
        return f"{here}?{urlencode({'since': str(old.pk)} | more)}"

    names = kind_names()
    context = {
        "old": old,
        "new": new,
        "kind": kind,
        "kinds": [(one, names[one], counts[one], address(kind=one)) for one in differences.KINDS],
        "items": page.rows,
        "csv_url": address(**{"as": "csv"}),
        "previous_url": address(kind=kind, cursor=page.previous) if page.previous else "",
        "next_url": address(kind=kind, cursor=page.next) if page.next else "",
    }
    return render(request, "archive/datasets/differences.html", context)


def _page(old: DatasetVersion, new: DatasetVersion, kind: str, cursor: str) -> keyset.Page[DatasetItem]:
    """Raises BadCursor and NotCounted."""
    marked = counted.marked(new, kind, since=old)
    if marked is None:
        rows = differences.rows(old, new, kind).select_related("entry__source")
        return keyset.page(rows, ORDER, cursor, PAGE_SIZE)
    of = old if kind == differences.REMOVED else new
    return keyset.page_of_keys(of.items.select_related("entry__source"), marked.keys, cursor, PAGE_SIZE)


def kind_names() -> dict[str, str]:
    """The kinds of differences in words."""
    return {
        differences.ADDED: _("Added"),
        differences.REMOVED: _("Removed"),
        differences.RELABELLED: _("Other label"),
        differences.MOVED: _("Other side"),
    }


def _csv(old: DatasetVersion, new: DatasetVersion) -> StreamingHttpResponse:
    response = StreamingHttpResponse(
        pieces(COLUMNS, _lines(old, new)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="differences-{old.pk}-{new.pk}.csv"'
    return response


def _lines(old: DatasetVersion, new: DatasetVersion) -> Iterator[tuple]:
    language = get_language() or "en"
    for kind in differences.KINDS:
        for item in _in_parts(differences.rows(old, new, kind).select_related("entry__source"), old):
            before = item if kind == differences.REMOVED else item.was
            now = None if kind == differences.REMOVED else item
            yield (
                kind,
                item.source_name,
                item.entry.external_id if item.entry else "",
                item.content_sha256,
                labels.name(before.label, language) if before else "",
                labels.name(now.label, language) if now else "",
                before.split if before else "",
                now.split if now else "",
            )


def _in_parts(rows: QuerySet[DatasetItem], old: DatasetVersion) -> Iterator[DatasetItem]:
    last = 0
    while part := list(rows.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        last = part[-1].pk
        differences.note_earlier(old, part)
        yield from part
