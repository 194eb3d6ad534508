"""The tiles of the review queue, drawn anew after something was done with them."""

from django.http import HttpResponse
from django.shortcuts import render

from skinclinic.archive.models import Entry
from skinclinic.archive.presenters import shown
from skinclinic.vocabulary import tags
from skinclinic.web.requests import SignedInRequest

ENTRIES = Entry.objects.select_related("photo__lesion", "patient", "source", "reviewed_by", "second_by")
PAGE_SIZE = 24


def tiles(
    request: SignedInRequest, ids: list[int], *, error: str = "", can_undo: bool = False
) -> HttpResponse:
    """The tiles of these entries as far as they are of the person's clinics."""
    members = {member.clinic_id: member for member in request.memberships}
    rows = list(ENTRIES.filter(clinic__in=members, pk__in=ids[:PAGE_SIZE]))
    kept_back = [
        shown.kept_back(members[clinic], [row for row in rows if row.clinic_id == clinic])
        for clinic in {row.clinic_id for row in rows}
    ]
    context = {
        "tiles": [{"entry": entry, "label_name": shown.label_name(entry.label)} for entry in rows],
        "tag_choices": tags.TAGS,
        "error": error,
        "can_curate": True,
        "reasons": shown.reasons(),
        "can_undo": can_undo,
        "kept_back": set().union(*kept_back),
    }
    return render(request, "archive/review/tiles.html", context, status=422 if error else 200)
