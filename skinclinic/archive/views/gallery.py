"""The gallery: dense thumbnails, grouped by patient and moment."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from skinclinic.archive.models import Entry
from skinclinic.archive.presenters import shown
from skinclinic.archive.presenters.bulk_bar import bulk_bar
from skinclinic.kept_queries import kept
from skinclinic.models import Patient
from skinclinic.permissions import clinic_member
from skinclinic.web import keyset
from skinclinic.web.addresses import url
from skinclinic.web.requests import MemberRequest

PAGE_SIZE = 120
ORDER = ("-patient_key", "-id")
# How large thumbnails are; kept in a cookie, so that the page comes in its size at once.
SIZES = ("s", "m", "l")


@dataclass(frozen=True)
class PatientGroup:
    """Photos of one patient (None: not known) on this page, by the day they were taken."""

    patient: Patient | None
    moments: list[tuple[object, list[Entry]]]

    @property
    def short_code(self) -> str:
        """The patient's code without the name of the source before it."""
        return self.patient.code.rpartition("/")[2] if self.patient else ""

    @property
    def count(self) -> int:
        return sum(len(entries) for _day, entries in self.moments)

    @property
    def address(self) -> str:
        """Every photo of the patient."""
        code = self.patient.code.replace('"', "") if self.patient else ""
        return url("archive") + "?" + urlencode({"q": f'patient:"{code}"'})


@clinic_member()
@require_safe
def gallery(request: MemberRequest) -> HttpResponse:
    """The photos of a selection."""
    clinic = request.membership.clinic
    chosen = shown.selection_of(request)
    entries, problem = shown.selected(clinic, chosen, request.membership)
    page = _page(request, entries, is_narrowed=bool(chosen))
    address = reverse("archive")
    size = request.COOKIES.get("archive_thumbs", "")
    context = {
        "groups": _groups(page.rows),
        "found": shown.count_of(entries),
        "size": size if size in SIZES else "m",
        "sizes": SIZES,
        "has_dates": bool(_dated(clinic.pk)),
        "chosen": chosen,
        "problem": problem,
        "leaves_out_own": shown.leaves_out_own(request.membership, chosen),
        "can_curate": request.membership.can_curate,
        "previous_url": address + chosen.address(cursor=page.previous) if page.previous else "",
        "next_url": address + chosen.address(cursor=page.next) if page.next else "",
        "is_empty": not page.rows and not chosen and not Entry.objects.filter(clinic=clinic).exists(),
    }
    if request.membership.can_curate:
        here = address + chosen.address(cursor=shown.cursor_of(request))
        context |= bulk_bar(request, chosen, here)
    return render(request, "archive/gallery/page.html", context | shown.filter_choices(clinic, chosen))


def _page(request: MemberRequest, entries: QuerySet[Entry], *, is_narrowed: bool) -> keyset.Page[Entry]:
    cursor = shown.cursor_of(request)
    if not (cursor or is_narrowed):
        return keyset.first_page(
            _first_tiles(request.membership.clinic_id, most=PAGE_SIZE + 1), ORDER, PAGE_SIZE
        )
    try:
        return keyset.page(_tiles(entries), ORDER, cursor, PAGE_SIZE)
    except keyset.BadCursor:
        return keyset.page(_tiles(entries), ORDER, "", PAGE_SIZE)


def _tiles(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """With what a tile and the box of its patient show, and no more: notes, texts and columns of sources are long."""
    return entries.select_related("patient", "photo").only(
        *("photo", "external_id", "label", "tags", "is_proven", "review", "taken_on", "patient_key"),
        *("photo__is_synthetic", "patient__code", "patient__sex", "patient__skin_type", "patient__ethnicity"),
    )


@kept
def _first_tiles(clinic: int, *, most: int) -> QuerySet[Entry]:
    return _tiles(Entry.objects.filter(clinic=clinic)).order_by(*ORDER)[:most]


@kept
def _dated(clinic: int) -> QuerySet[Entry, int]:
    return (
        Entry.objects.filter(clinic=clinic, taken_on__isnull=False)
        .order_by()
        .values_list("pk", flat=True)[:1]
    )


def _groups(rows: list[Entry]) -> list[PatientGroup]:
    groups = []
    for _key, of_patient in groupby(rows, key=lambda entry: entry.patient_key):
        entries = sorted(
            of_patient, key=lambda entry: (entry.taken_on is None, entry.taken_on or 0, entry.pk)
        )
        moments = [(day, list(same)) for day, same in groupby(entries, key=lambda entry: entry.taken_on)]
        groups.append(PatientGroup(entries[0].patient, moments))
    return groups
