"""One action on many photos: asked for from the gallery or the review queue, its receipt, taking it back."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.archive.models import BulkChange, DatasetVersion
from skinclinic.archive.presenters import receipts, shown
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.archive.presenters.work import BulkProgress
from skinclinic.archive.services.bulk import bulk as service
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.archive.services.searching import search
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.permissions import CURATE, VIEW, clinic_member, get_for, require
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import days
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest

LISTED = 100


@clinic_member()
@require_http_methods(["GET", "HEAD", "POST"])
def bulk_changes(request: MemberRequest) -> HttpResponse:
    """What was done to many photos, newest first; a post asks for more of it."""
    if request.method == "POST":
        require(request.membership, CURATE)
        return _ask(request)
    rows = BulkProgress.rows.filter(clinic=request.membership.clinic)[:LISTED]
    context = {"rows": [{"row": row, "said": receipts.said(row), "told": receipts.told(row)} for row in rows]}
    return render(request, "archive/bulk/list.html", context)


@clinic_member()
@require_safe
def count(request: MemberRequest) -> JsonResponse:
    """How many photos a search finds, all of them: {"count": n, "more": whether there are more than these}."""
    entries, _problem = shown.selected(request.membership.clinic, shown.selection_of(request))
    return JsonResponse(shown.count_of(entries))


@require_safe
def receipt(request: SignedInRequest, pk: int) -> HttpResponse:
    """What was asked, by whom, and what became of the photos."""
    row = get_for(request.user, BulkProgress.rows, pk, VIEW)
    context = {
        "work": BulkProgress.of(request, row),
        "row": row,
        "facts": receipts.facts(row),
        "undone_by": BulkChange.objects.filter(of=row).defer("entries").first(),
        "query": Selection.read(row.selection).in_words(row.clinic, request.LANGUAGE_CODE)
        if row.selection
        else "",
    }
    return render(request, "archive/bulk/receipt.html", context)


@require_POST
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take it back as a whole."""
    row = get_for(request.user, BulkProgress.rows, pk, CURATE)
    try:
        done = service.undo(row, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("archive-bulk-row", pk=pk)
    back = _back(request)
    return redirect(back) if back else redirect("archive-bulk-row", pk=done.pk)


def _ask(request: MemberRequest) -> HttpResponse:
    clinic, sent = request.membership.clinic, request.POST
    keys = [int(key) for key in sent.get("entries", "").split(",") if is_key(key)]
    values = {
        "reason": sent.get("reason", ""),
        "label": sent.get("label") or known_label(sent.get("label_typed", "")[:400].strip()),
        "note": sent.get("note", ""),
        "proof": sent.get("proof", ""),
        "tags": sent.getlist("tags"),
    }
    asked = {name[2:]: value for name, value in sent.items() if name.startswith("s-")}
    version, seen = sent.get("version", ""), sent.get("seen", "")
    try:
        row = service.ask(
            clinic, request.user, sent.get("action", ""), values=values,
            chosen=Selection.read(asked) if sent.get("all") == "1" else keys,
            version=_drafts(clinic).filter(pk=version).first() if is_key(version) else None,
            seen=days.moment(seen),
        )  # fmt: skip
    except ReviewError as error:
        messages.error(request, shown.in_words(error))
    except QueryError as error:
        messages.error(request, search.explain(error))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        if not _back(request):
            return redirect("archive-bulk-row", pk=row.pk)
    return redirect(_back(request) or reverse("archive"))


def _drafts(clinic):
    return DatasetVersion.objects.filter(clinic=clinic, state=DatasetVersion.State.DRAFT).select_related(
        "dataset", "clinic"
    )


def _back(request: SignedInRequest) -> str:
    """The page of photos it was asked for on; "" for any other address."""
    address = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(address, None, require_https=request.is_secure())
    pages = (reverse("archive"), reverse("review"))
    return address if safe and address.startswith("/") and urlsplit(address).path in pages else ""
