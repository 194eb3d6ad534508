"""The gallery: dense thumbnails, grouped by patient and moment."""

from dataclasses import dataclass
from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from skinclinic.archive.models import Entry
from skinclinic.archive.presenters import shown
from skinclinic.archive.presenters.bulk_bar import bulk_bar
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.models import Patient
from skinclinic.permissions import clinic_member
from skinclinic.web import keyset
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
        return reverse("archive") + Selection(q=f'patient:"{code}"').address()


@clinic_member()
@require_safe
def gallery(request: MemberRequest) -> HttpResponse:
    """The photos of a selection."""
    clinic = request.membership.clinic
    chosen = shown.selection_of(request)
    entries, problem = shown.selected(clinic, chosen)
    entries = entries.select_related("patient", "photo")
    try:
        page = keyset.page(entries, ORDER, shown.cursor_of(request), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(entries, ORDER, "", PAGE_SIZE)
    address = reverse("archive")
    size = request.COOKIES.get("archive_thumbs", "")
    context = {
        "groups": _groups(page.rows),
        "found": shown.count_of(entries),
        "size": size if size in SIZES else "m",
        "sizes": SIZES,
        "has_dates": Entry.objects.filter(clinic=clinic, taken_on__isnull=False).exists(),
        "chosen": chosen,
        "problem": problem,
        "can_curate": request.membership.can_curate,
        "previous_url": address + chosen.address(cursor=page.previous) if page.previous else "",
        "next_url": address + chosen.address(cursor=page.next) if page.next else "",
        "is_empty": not page.rows and not chosen and not Entry.objects.filter(clinic=clinic).exists(),
    }
    if request.membership.can_curate:
        here = address + chosen.address(cursor=shown.cursor_of(request))
        context |= bulk_bar(request, chosen, here)
    return render(request, "archive/gallery/page.html", context | shown.filter_choices(clinic, chosen))


def _groups(rows: list[Entry]) -> list[PatientGroup]:
    groups = []
    for _key, of_patient in groupby(rows, key=lambda entry: entry.patient_key):
        entries = sorted(
            of_patient, key=lambda entry: (entry.taken_on is None, entry.taken_on or 0, entry.pk)
        )
        moments = [(day, list(same)) for day, same in groupby(entries, key=lambda entry: entry.taken_on)]
        groups.append(PatientGroup(entries[0].patient, moments))
    return groups
