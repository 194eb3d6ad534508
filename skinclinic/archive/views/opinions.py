"""Second opinions: given without the label in sight, compared, and agreed on where they differ."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive.models import Entry
from skinclinic.archive.presenters import shown
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.archive.services.curating import opinions as service
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.archive.views.tiles import ENTRIES
from skinclinic.models import Diagnosis
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.web import keyset
from skinclinic.web.inputs import LARGEST_KEY, is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest

# The filters that say nothing of the label.
BLIND = ("source", "dataset", "review", "kind", "site")
PAGE_SIZE = 24
ORDER = ("-id",)


@clinic_member(CURATE)
@require_safe
def waiting(request: MemberRequest) -> HttpResponse:
    """The next photo this person has not labelled, without what the archive says of it."""
    clinic, chosen = request.membership.clinic, _blind(request.GET)
    entries, _problem = shown.selected(clinic, chosen)
    found = service.waiting(clinic, request.user, entries)
    after = request.GET.get("after", "")
    before = int(after) if is_key(after) else LARGEST_KEY
    keys = service.keys_waiting(clinic, request.user, entries, shown.MOST_COUNTED + 1)
    is_many = len(keys) > shown.MOST_COUNTED
    # Of few a database would look for the newest among all photos.
    following = Q(pk__lt=before) if is_many else Q(pk=max((key for key in keys if key < before), default=0))
    entry = found.filter(following).order_by("-pk").first()
    context = {
        "entry": entry,
        "chosen": chosen,
        "found": {"count": min(len(keys), shown.MOST_COUNTED), "more": is_many},
        "skip": f"{reverse('archive-second')}{chosen.address(after=str(entry.pk))}" if entry else "",
        "is_after": bool(after),
        "in_words": chosen.in_words(clinic, request.LANGUAGE_CODE) if chosen else "",
        "differing": shown.count_of(_differing(clinic)),
    }
    return render(request, "archive/opinions/waiting.html", context)


@require_POST
def give(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note the opinion and go on."""
    entry = get_for(request.user, ENTRIES, pk, CURATE)
    label = request.POST.get("label") or known_label(request.POST.get("label_typed", "")[:400].strip())
    after = {"after": str(pk)}
    try:
        service.give(entry=entry, user=request.user, label=label)
    except ReviewError as error:
        messages.error(request, shown.in_words(error))
        # Where the label is missing the same photo comes again.
        after = {} if error.code in ("own_label", "had_opinion") else {"after": str(pk + 1)}
    query = _blind(request.POST).to_json() | after
    return redirect(f"{reverse('archive-second')}?{urlencode(query)}")


@clinic_member()
@require_safe
def differing(request: MemberRequest) -> HttpResponse:
    """Photos whose two labels differ, to be agreed on."""
    clinic = request.membership.clinic
    rows = _differing(clinic).select_related("photo", "source", "reviewed_by", "second_by")
    try:
        page = keyset.page(rows, ORDER, request.GET.get("cursor", ""), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(rows, ORDER, "", PAGE_SIZE)
    address = reverse("archive-second-differing")
    context = {
        "entries": page.rows,
        "found": shown.count_of(_differing(clinic)),
        "can_curate": request.membership.can_curate,
        "proofs": Diagnosis.ConfirmedBy.choices,
        "previous_url": f"{address}?cursor={page.previous}" if page.previous else "",
        "next_url": f"{address}?cursor={page.next}" if page.next else "",
    }
    return render(request, "archive/opinions/differing.html", context)


@require_POST
def settle(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record what was agreed on: one of the two labels, or a third."""
    entry = get_for(request.user, ENTRIES, pk, CURATE)
    sent = request.POST
    labels = {"first": entry.label, "second": entry.second_label}
    label = labels.get(sent.get("agreed", "")) or known_label(sent.get("label", "")[:400].strip())
    try:
        service.settle(
            entry=entry,
            user=request.user,
            label=label,
            reason=sent.get("reason", ""),
            proof=sent.get("proof", ""),
        )
        messages.success(request, _("What was agreed on is in the history of the photo."))
    except ReviewError as error:
        messages.error(request, shown.in_words(error))
    return redirect("archive-second-differing")


def _differing(clinic):
    return Entry.objects.filter(service.condition(service.DIFFER), clinic=clinic).order_by()


def _blind(values) -> Selection:
    return Selection.read({name: values.get(name, "") for name in BLIND})
