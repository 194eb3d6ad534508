"""The worklist: the clinic's lesions, like the inbox of a mail program."""

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from skinclinic.models import Lesion, Member
from skinclinic.permissions import clinic_member
from skinclinic.presenters import case_rows
from skinclinic.presenters.bulk_notice import just_done
from skinclinic.presenters.filing_notice import filed_just_now
from skinclinic.presenters.walk import case_url, list_url
from skinclinic.services import cases, saved_searches, worklist_tags, worklist_walk
from skinclinic.services import worklist as service
from skinclinic.services.worklist_walk import Reader, Walk
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.web import keyset
from skinclinic.web.requests import MemberRequest

PAGE_SIZE = 50
MOST_POLLED = 100


@clinic_member()
@require_safe
def worklist(request: MemberRequest) -> HttpResponse:
    """The page; asked by htmx, only its list. ``?at=``: the page on which this place of the list lies."""
    member = request.membership
    filters = service.Filters.read(request.GET)
    answers_open = service.answers_are_open(member)
    found = service.searched(member.clinic, request.user, filters, answers_open=answers_open)
    order = service.order(filters, answers_open=answers_open)

    def lesions() -> QuerySet[Lesion]:
        return service.lesions(member.clinic, request.user, filters, answers_open=answers_open, found=found)

    page, here = _page(request, filters, lesions, order)
    counts = service.counts(member.clinic, request.user, filters, answers_open=answers_open, found=found)
    walk = Walk(filters, timezone.now())
    context = {
        "rows": case_rows.rows(request.user, member, page.rows, walk, here),
        "filters": filters,
        "walk_query": walk.query(),
        "answers_open": answers_open,
        "by_malignant": order == service.MALIGNANT_FIRST,
        "by_age": order == service.NEWEST_FIRST,
        "counts": counts,
        "hits": service.count(lesions()) if order == service.MALIGNANT_FIRST else counts[filters.view],
        "most_counted": service.MOST_COUNTED,
        "can_select": member.can_edit,
        "saved": saved_searches.shown(member, request.user, filters, answers_open=answers_open),
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
        "assignees": [(str(person.pk), str(person)) for person in cases.members_of(member.clinic)],
        "tags": _tags(member, filters),
        "filed": filed_just_now(request),
        "bulk_done": just_done(request),
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
    rows = case_rows.rows(request.user, request.membership, changed, Walk.read(request.GET))
    return render(request, "worklist/changed_rows.html", {"rows": rows, "can_select": can_select})


@never_cache
@clinic_member()
@require_safe
def worklist_next(request: MemberRequest) -> HttpResponse:
    """Go on to the next case of a list that is to be decided at this moment; where there is none, to the list."""
    walk = Walk.read(request.GET) or Walk(service.Filters(), timezone.now())
    reader = Reader(request.membership, request.user, walk)
    try:
        lesion, is_anew = reader.next_undecided()
    except keyset.BadCursor:
        return redirect(list_url(walk))
    if lesion is None:
        messages.success(request, _("Nothing of this list is left to decide."))
        return redirect(list_url(walk))
    if is_anew:
        messages.info(request, _("The end of the list was reached; this is the first case left to decide."))
    return redirect(case_url(lesion, reader.at(lesion)))


def _page(
    request: MemberRequest,
    filters: service.Filters,
    lesions: Callable[[], QuerySet[Lesion]],
    order: tuple[str, ...],
) -> tuple[keyset.Page[Lesion], int | None]:
    try:
        if at := request.GET.get("at"):
            return worklist_walk.page_around(lesions(), order, at, PAGE_SIZE)
        if not (cursor := request.GET.get("cursor", "")) and not filters.narrows:
            rows = service.first_rows(request.membership, filters, PAGE_SIZE + 1)
            return keyset.first_page(rows, order, PAGE_SIZE), None
        return keyset.page(lesions(), order, cursor, PAGE_SIZE), None
    except keyset.BadCursor:
        return keyset.page(lesions(), order, "", PAGE_SIZE), None


def _tags(member: Member, filters: service.Filters) -> list[tuple[str, str]]:
    """The choices of the filter; also one that is asked for and gone, so that the empty list tells why."""
    found = [(str(tag.pk), tag.name) for tag in worklist_tags.all_of(member.clinic)]
    if filters.tag and filters.tag not in dict(found):
        found.append((filters.tag, _("Tag that was deleted")))
    return found


def _address(filters: service.Filters, cursor: str) -> str:
    return reverse("worklist") + filters.address(cursor=cursor) if cursor else ""


def _seen(text: str) -> Iterable[tuple[int, str]]:
    for part in text.split(",")[:MOST_POLLED]:
        number, _dot, state = part.partition(".")
        if len(number) < 19 and number.isascii() and number.isdigit():
            yield int(number), state
