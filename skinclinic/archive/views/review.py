"""The review queue: a grid of photos, decided by keys."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive.models import Entry, EntryChange, Review
from skinclinic.archive.presenters import shown
from skinclinic.archive.presenters.bulk_bar import bulk_bar
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.archive.services.curating import review as service
from skinclinic.archive.services.curating.relabelling import tidy_reason
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.archive.views.tiles import ENTRIES, PAGE_SIZE, tiles
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.vocabulary import tags
from skinclinic.web import keyset
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest

NEWEST_FIRST = ("-id",)
# Only where the model disagrees, so that the first field is never null.
MOST_DOUBTFUL_FIRST = ("-disagreement", "-id")


@clinic_member()
@require_safe
def queue(request: MemberRequest) -> HttpResponse:
    """Photos to review; other states by the filter."""
    clinic = request.membership.clinic
    asked = shown.selection_of(request)
    chosen = asked if asked.review else Selection.read({**asked.to_json(), "review": Review.PENDING})
    entries, problem = shown.selected(clinic, chosen, request.membership)
    order = MOST_DOUBTFUL_FIRST if chosen.disagree else NEWEST_FIRST
    rows = entries.select_related("photo__lesion", "patient", "source", "reviewed_by")
    try:
        page = keyset.page(rows, order, shown.cursor_of(request), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(rows, order, "", PAGE_SIZE)
    address = reverse("review")
    context = {
        "tiles": [{"entry": entry, "label_name": shown.label_name(entry.label)} for entry in page.rows],
        "tag_choices": tags.TAGS,
        "chosen": chosen,
        "problem": problem,
        "leaves_out_own": shown.leaves_out_own(request.membership, chosen),
        "kept_back": shown.kept_back(request.membership, page.rows),
        "found": shown.count_of(entries) | {"any": page.rows or Entry.objects.filter(clinic=clinic).exists()},
        "asked": asked.to_json(),
        "can_curate": request.membership.can_curate,
        "reasons": shown.reasons(),
        "here": address + asked.address(),
        "is_default": not replace(asked, review="") and chosen.review == Review.PENDING,
        "next_url": address + asked.address(cursor=page.next) if page.next else "",
        "previous_url": address + asked.address(cursor=page.previous) if page.previous else "",
    }
    if request.membership.can_curate:
        context |= bulk_bar(request, chosen, context["here"])
    return render(request, "archive/review/page.html", context | shown.filter_choices(clinic, asked))


@clinic_member(CURATE)
@require_POST
def decide(request: MemberRequest) -> HttpResponse:
    """Accept or reject one or several photos; htmx gets the tile back, a plain form the queue."""
    review, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    ids = list(map(int, filter(is_key, request.POST.getlist("entries"))))
    if review not in Review.values or not ids:
        return _answer(request, ids, error=_("Choose photos, then accept or reject."))
    try:
        outcome = service.decide(
            clinic=request.membership.clinic, user=request.user, entry_ids=ids, review=review, reason=reason,
            seen=request.POST.get("seen", ""),
        )  # fmt: skip
    except service.ReviewError as error:
        return _answer(request, ids, error=shown.in_words(error))
    others = "; ".join(
        _("%(photo)s: %(person)s decided meanwhile: %(review)s")
        % {"photo": entry.external_id, "person": entry.reviewed_by, "review": entry.get_review_display()}
        for entry in outcome.others[:5]
    )
    return _answer(request, ids, error=others, count=len(outcome.changes))


@require_POST
def relabel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a photo another label, with the reason and any new proof; it is to be reviewed again."""
    entry = get_for(request.user, ENTRIES, pk, CURATE)
    try:
        service.edit(
            entry=entry, user=request.user, label=known_label(request.POST.get("label", "")[:400]),
            reason=tidy_reason(request.POST.get("reason", "")), proof=request.POST.get("proof", ""),
        )  # fmt: skip
    except service.ReviewError as error:
        return _answer(request, [pk], error=shown.in_words(error))
    return _answer(request, [pk], can_undo=True)


_FOR_GOOD = (EntryChange.Action.IMPORTED, EntryChange.Action.ADDED, EntryChange.Action.COVERED)


@require_POST
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take back this photo's newest change."""
    entry = get_for(request.user, ENTRIES, pk, CURATE)
    change = EntryChange.objects.filter(entry=entry).first()
    try:
        if change is None or change.action in _FOR_GOOD:
            raise service.ReviewError("changed_since")
        service.undo(change, request.user)
    except service.ReviewError as error:
        return _answer(request, [pk], error=shown.in_words(error))
    return _answer(request, [pk])


def _answer(
    request: SignedInRequest, ids: list[int], *, error: str = "", count: int = 0, can_undo: bool = False
) -> HttpResponse:
    if request.htmx:
        return tiles(request, ids, error=error, can_undo=can_undo)
    if error:
        messages.warning(request, error)
    elif count:
        messages.success(
            request,
            ngettext("%(count)d photo decided.", "%(count)d photos decided.", count) % {"count": count},
        )
    query = Selection.read(request.POST).address() if request.POST.get("keep") else ""
    return redirect(reverse("review") + query)
