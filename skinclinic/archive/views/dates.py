"""The date tree beside the gallery: years and months with their counts, each a narrower search."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from skinclinic.archive.presenters import shown
from skinclinic.archive.services import size
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.models import Member
from skinclinic.permissions import clinic_member
from skinclinic.web.requests import MemberRequest

_DATE = re.compile(r"(?:^|\s)date:[0-9.\-]+(?=\s|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """A year or a month: the address that shows its photos, and whether it is what is shown now. ``count``: None where
    they were not counted."""

    first: date
    count: int | None
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class Year:
    span: Span
    months: list[Span]

    @property
    def is_open(self) -> bool:
        return self.span.is_chosen or any(month.is_chosen for month in self.months)


@clinic_member()
@require_safe
def date_tree(request: MemberRequest) -> HttpResponse:
    """The tree for the selection in the address, whatever date that asks for."""
    chosen = shown.selection_of(request)
    any_date = replace(chosen, q=undated(chosen.q))
    clinic = request.membership.clinic
    few = _few_months(request.membership, any_date) if any_date else None
    all_of_them = size.by_month(clinic) if few is None else None
    months: Mapping[date, int | None] = few or {}
    if all_of_them:
        counts = {date.fromisoformat(first): count for first, count in all_of_them.parts.items()}
        months = dict.fromkeys(counts) if any_date else counts
    context = {
        "years": tree(months, chosen),
        "all_dates": _address(chosen, ""),
        "has_date": _now(chosen.q),
        "too_many": shown.MOST_COUNTED if any_date and all_of_them else 0,
        "counted_at": all_of_them.at if all_of_them and not any_date else None,
    }
    return render(request, "archive/gallery/dates.html", context)


def _few_months(viewer: Member, chosen: Selection) -> Counter[date] | None:
    """How many photos of a selection were taken in each month; None of more than the gallery counts."""
    entries, _problem = shown.selected(viewer.clinic, chosen, viewer)
    days = entries.filter(taken_on__isnull=False).values_list("taken_on", flat=True)[: shown.MOST_COUNTED + 1]
    months = Counter(day.replace(day=1) for day in days)
    return months if months.total() <= shown.MOST_COUNTED else None


def tree(months: Mapping[date, int | None], chosen: Selection) -> list[Year]:
    """Years with their months, newest first, of how many photos each month has (None: not counted)."""
    years: dict[int, list[date]] = {}
    for month in sorted(months, reverse=True):
        years.setdefault(month.year, []).append(month)
    return [
        Year(
            _span(date(year, 1, 1), _sum([months[month] for month in found]), f"{year:04}", chosen),
            [_span(month, months[month], f"{month:%Y-%m}", chosen) for month in found],
        )
        for year, found in years.items()
    ]


def undated(q: str) -> str:
    """The search without what it says of dates."""
    return _DATE.sub("", q).strip()


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _span(first: date, count: int | None, text: str, chosen: Selection) -> Span:
    return Span(first, count, _address(chosen, text), _now(chosen.q) == text)


def _address(chosen: Selection, text: str) -> str:
    rest = undated(chosen.q)
    if text and re.search(r"\sOR\s", rest) and not (rest.startswith("(") and rest.endswith(")")):
        rest = f"({rest})"
    return reverse("archive") + chosen.address(q=f"{rest} date:{text}".strip() if text else rest)


def _now(q: str) -> str:
    found = _DATE.search(q)
    return found.group().strip()[len("date:") :] if found else ""
