"""The photos of a dataset version; of a draft they can be taken out or get another label there."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive import labels
from skinclinic.archive.models import LABEL_LENGTH, DatasetItem, DatasetVersion
from skinclinic.archive.presenters import shown
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.archive.services.datasets import against, counted, datasets, large
from skinclinic.permissions import CURATE, VIEW, get_for
from skinclinic.services.refused import Refused
from skinclinic.web import keyset
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import SignedInRequest

PAGE_SIZE = 60
ORDER = ("id",)
VERSIONS = DatasetVersion.objects.select_related("dataset", "clinic")


@require_safe
def members(request: SignedInRequest, pk: int) -> HttpResponse:
    """A page of the version's photos, by label, side and what stands against them."""
    version = get_for(request.user, VERSIONS, pk, VIEW)
    asked = _asked(request.GET)
    try:
        page, found, at = _page(version, asked, request.GET.get("cursor", ""))
    except keyset.BadCursor:
        page, found, at = _page(version, asked, "")
    except counted.NotCounted:
        messages.info(request, _("The photos are being counted. Look again in a moment."))
        return redirect("dataset", pk=pk)
    language = get_language() or "en"
    figures = counted.kept([version]).get(version.pk)
    held = (
        figures.values["checks"]["labels"]
        if figures and figures.is_current
        else version.items.order_by().values_list("label", flat=True).distinct()
    )
    member = request.user.memberships.filter(clinic=version.clinic_id).first()

    def address(cursor: str) -> str:
        return _address(pk, asked, cursor) if cursor else ""

    context = {
        "version": version,
        "items": page.rows,
        "asked": asked,
        # How many all pages show, where they do not show everything.
        "found": found,
        "counted_at": at,
        "labels": [(label, labels.name(label, language)) for label in sorted(held, key=labels.order)],
        "sides": DatasetItem.Split.choices,
        "reasons": reason_names(),
        "can_change": bool(member and member.can_curate) and not version.is_frozen,
        "previous_url": address(page.previous),
        "next_url": address(page.next),
    }
    return render(request, "archive/datasets/photos.html", context)


def _page(
    version: DatasetVersion, asked: dict[str, str], cursor: str
) -> tuple[keyset.Page[DatasetItem], dict | None, datetime | None]:
    """A page of what is asked for; how many there are in all ({count, more}), where not everything is shown; when they
    were counted, if not now. Raises BadCursor and NotCounted."""
    to = {name: asked[name] for name in asked if name != "against"}
    marked = counted.marked(version, asked["against"], to=to) if "against" in asked else None
    if marked:
        items = version.items.filter(**to).select_related("entry")
        page = keyset.page_of_keys(items, marked.keys, cursor, PAGE_SIZE)
        return page, {"count": len(marked.keys), "more": False}, marked.at
    rows = against.chosen(version, asked)
    page = keyset.page(rows.select_related("entry"), ORDER, cursor, PAGE_SIZE)
    return page, shown.count_of(rows.order_by()) if asked else None, None


def reason_names() -> dict[str, str]:
    """What may stand against a photo, in words."""
    return {
        against.REJECTED: _("Rejected"),
        "reviewed": _("Not reviewed"),
        "alike": _("Look alike"),
        "undecided": _("Look alike, to be decided"),
        "near": _("Look like a photo on the other side"),
        "patients": _("Patient on both sides"),
        "lesions": _("Lesion on both sides"),
        "twice": _("There twice"),
        "labels": _("Other label than the archive's now"),
        "subtypes": _("Without the subtype others have"),
        against.DELETED: _("Deleted"),
        against.CONSENT: _("Without consent"),
        against.COVERED: _("Covered since"),
        against.WITHDRAWN: pgettext("of photos", "Withdrawn"),
    }


@require_POST
def members_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take photos out of the draft (those chosen, or all that are shown), or give the chosen another label there."""
    version = get_for(request.user, VERSIONS, pk, CURATE)
    asked = _asked(request.POST)
    chosen = [int(key) for key in request.POST.getlist("items") if is_key(key)][:PAGE_SIZE]
    # Chosen from the list, or typed and not chosen.
    label = request.POST.get("label") or known_label(request.POST.get("label_typed", "").strip())
    label = label[:LABEL_LENGTH]
    act = request.POST.get("act")
    try:
        if large.CONTINUE_JOB in (version.asked or {}):
            # What is taken out before it has all photos might come again.
            large.require_idle(version)
        if act == "remove-all" and asked:
            n = datasets.take_out(version, asked)
            if n is None:
                return redirect("dataset", pk=pk)
            messages.success(request, shown.removed(version, n))
            return redirect(_address(pk, {}))
        if not chosen:
            messages.warning(request, _("Choose the photos first."))
        elif act == "remove":
            messages.success(request, shown.removed(version, datasets.remove(version, chosen)))
        elif act == "relabel" and storable(label):
            n = datasets.relabel(version, chosen, label)
            text = ngettext("%(count)d photo has another label.", "%(count)d photos have another label.", n)
            messages.success(request, text % {"count": n})
        else:
            messages.error(request, _("Choose one of: take out, another label."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(_address(pk, asked))


def _address(pk: int, asked: dict[str, str], cursor: str = "") -> str:
    values = {
        "only": asked.get("label", ""),
        "split": asked.get("split", ""),
        "against": asked.get("against", ""),
        "cursor": cursor,
    }
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{reverse('dataset-photos', args=[pk])}{'?' if query else ''}{query}"


def _asked(values) -> dict[str, str]:
    """The label, the side and what stands against photos that are asked for."""
    found = {name: values.get(name, "") for name in ("split", "against")}
    found["label"] = values.get("only", "")[:LABEL_LENGTH]
    found["split"] = found["split"] if found["split"] in DatasetItem.Split.values else ""
    found["against"] = found["against"] if found["against"] in against.REASONS else ""
    return {name: value for name, value in found.items() if value and storable(value)}
