"""The worklist: the clinic's lesions, like the inbox of a mail program."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from skinclinic.models import Lesion
from skinclinic.permissions import clinic_member
from skinclinic.presenters.filing_notice import filed_just_now
from skinclinic.services import worklist as service
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.web import keyset
from skinclinic.web.requests import MemberRequest

PAGE_SIZE = 50
MOST_POLLED = 100


@dataclass(frozen=True)
class Row:
    """A lesion as the list shows it; ``hidden``: this person's own impression comes first."""

    lesion: Lesion
    hidden: bool

    @property
    def is_unfinished(self) -> bool:
        return self.lesion.state in service.UNFINISHED


@clinic_member()
@require_safe
def worklist(request: MemberRequest) -> HttpResponse:
    """The page; asked by htmx, only its list."""
    member = request.membership
    filters = service.Filters.read(request.GET)
    answers_open = service.answers_are_open(member)
    lesions = service.lesions(member.clinic, request.user, filters, answers_open=answers_open)
    order = service.order(filters, answers_open=answers_open)
    try:
        page = keyset.page(lesions, order, request.GET.get("cursor", ""), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(lesions, order, "", PAGE_SIZE)
    context = {
        "rows": _rows(request, page.rows),
        "filters": filters,
        "answers_open": answers_open,
        "by_malignant": order == service.MALIGNANT_FIRST,
        "can_select": member.can_edit and filters.show == service.UNFILED,
        "previous_url": _address(filters, page.previous),
        "next_url": _address(filters, page.next),
        "is_first_visit": not page.rows and not filters.narrows and service.has_none(member.clinic),
    }
    if request.htmx:
        response = render(request, "worklist/list.html", context)
        response["HX-Push-Url"] = reverse("worklist") + filters.address()
        patch_vary_headers(response, ["HX-Request"])
        return response
    context |= {
        "diseases": [(disease.key, disease.name(get_language() or "en")) for disease in DISEASES],
        "states": Lesion.State.choices,
        "filed": filed_just_now(request),
    }
    return render(request, "worklist/page.html", context)


@clinic_member()
@require_safe
def worklist_rows(request: MemberRequest) -> HttpResponse:
    """Rows that have moved on: ``?seen=ID.STATE,ID.STATE`` says what the page shows of which lesions."""
    seen = dict(_seen(request.GET.get("seen", "")))
    lesions = service.with_ids(request.membership.clinic, seen)
    changed = [lesion for lesion in lesions if lesion.state != seen[lesion.pk]]
    can_select = request.GET.get("select") == "1" and request.membership.can_edit
    return render(
        request, "worklist/changed_rows.html", {"rows": _rows(request, changed), "can_select": can_select}
    )


def _rows(request: MemberRequest, lesions: Iterable[Lesion]) -> list[Row]:
    told_by = [lesion.told_by_id for lesion in lesions if lesion.told_by_id]
    hidden = service.hidden_answers(request.user, request.membership, told_by)
    return [Row(lesion, lesion.told_by_id in hidden) for lesion in lesions]


def _address(filters: service.Filters, cursor: str) -> str:
    return reverse("worklist") + filters.address(cursor=cursor) if cursor else ""


def _seen(text: str) -> Iterable[tuple[int, str]]:
    for part in text.split(",")[:MOST_POLLED]:
        number, _dot, state = part.partition(".")
        if len(number) < 19 and number.isascii() and number.isdigit():
            yield int(number), state
