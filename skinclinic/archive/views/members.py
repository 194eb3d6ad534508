"""The photos of a dataset version; of a draft they can be taken out or get another label there."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive import labels
from skinclinic.archive.models import LABEL_LENGTH, DatasetItem, DatasetVersion
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.archive.services.datasets import datasets
from skinclinic.permissions import CURATE, VIEW, get_for
from skinclinic.services.refused import Refused
from skinclinic.web import keyset
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import SignedInRequest

PAGE_SIZE = 60
ORDER = ("id",)
VERSIONS = DatasetVersion.objects.select_related("dataset", "clinic")


@require_safe
def members(request: SignedInRequest, pk: int) -> HttpResponse:
    """A page of the version's photos, by label and side."""
    version = get_for(request.user, VERSIONS, pk, VIEW)
    asked = _asked(request.GET)
    rows = version.items.select_related("entry")
    for name, value in asked.items():
        rows = rows.filter(**{name: value})
    try:
        page = keyset.page(rows, ORDER, request.GET.get("cursor", ""), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(rows, ORDER, "", PAGE_SIZE)
    language = get_language() or "en"
    held = version.items.order_by().values_list("label", flat=True).distinct()
    member = request.user.memberships.filter(clinic=version.clinic_id).first()

    def address(cursor: str) -> str:
        return _address(pk, asked, cursor) if cursor else ""

    context = {
        "version": version,
        "items": page.rows,
        "asked": asked,
        "labels": [(label, labels.name(label, language)) for label in sorted(held, key=labels.order)],
        "sides": DatasetItem.Split.choices,
        "can_change": bool(member and member.can_curate) and not version.is_frozen,
        "previous_url": address(page.previous),
        "next_url": address(page.next),
    }
    return render(request, "archive/datasets/photos.html", context)


@require_POST
def members_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the chosen photos out of the draft, or give them another label there."""
    version = get_for(request.user, VERSIONS, pk, CURATE)
    chosen = [int(key) for key in request.POST.getlist("items") if is_key(key)][:PAGE_SIZE]
    # Chosen from the list, or typed and not chosen.
    label = request.POST.get("label") or known_label(request.POST.get("label_typed", "").strip())
    label = label[:LABEL_LENGTH]
    try:
        if not chosen:
            messages.warning(request, _("Choose the photos first."))
        elif request.POST.get("act") == "remove":
            n = datasets.remove(version, chosen)
            text = ngettext("%(count)d photo was taken out.", "%(count)d photos were taken out.", n)
            messages.success(request, text % {"count": n})
        elif request.POST.get("act") == "relabel" and storable(label):
            n = datasets.relabel(version, chosen, label)
            text = ngettext("%(count)d photo has another label.", "%(count)d photos have another label.", n)
            messages.success(request, text % {"count": n})
        else:
            messages.error(request, _("Choose one of: take out, another label."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(_address(pk, _asked(request.POST)))


def _address(pk: int, asked: dict[str, str], cursor: str = "") -> str:
    values = {"only": asked.get("label", ""), "split": asked.get("split", ""), "cursor": cursor}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{reverse('dataset-photos', args=[pk])}{'?' if query else ''}{query}"


def _asked(values) -> dict[str, str]:
    """The label and side that are asked for."""
    found = {"label": values.get("only", "")[:LABEL_LENGTH], "split": values.get("split", "")}
    found["split"] = found["split"] if found["split"] in DatasetItem.Split.values else ""
    return {name: value for name, value in found.items() if value and storable(value)}
