"""The date tree beside the gallery: years and months with their counts, each a narrower search."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from skinclinic.archive.presenters import shown
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.permissions import clinic_member
from skinclinic.web.requests import MemberRequest

_DATE = re.compile(r"(?:^|\s)date:[0-9.\-]+(?=\s|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """A year or a month: the address that shows its photos, and whether it is what is shown now."""

    first: date
    count: int
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
    entries, _problem = shown.selected(request.membership.clinic, any_date)
    # One row a day that has photos, not one a photo: a few thousand at the most.
    days = entries.filter(taken_on__isnull=False).values_list("taken_on").annotate(n=Count("pk")).order_by()
    context = {
        "years": tree(dict(days), chosen),
        "all_dates": _address(chosen, ""),
        "has_date": _now(chosen.q),
    }
    return render(request, "archive/gallery/dates.html", context)


def tree(days: dict[date, int], chosen: Selection) -> list[Year]:
    """Years with their months, newest first, of how many photos each day has."""
    months: Counter = Counter()
    for day, count in days.items():
        months[day.replace(day=1)] += count
    years: dict[int, list[date]] = {}
    for month in sorted(months, reverse=True):
        years.setdefault(month.year, []).append(month)
    return [
        Year(
            _span(date(year, 1, 1), sum(months[month] for month in found), f"{year:04}", chosen),
            [_span(month, months[month], f"{month:%Y-%m}", chosen) for month in found],
        )
        for year, found in years.items()
    ]


def undated(q: str) -> str:
    """The search without what it says of dates."""
    return _DATE.sub("", q).strip()


def _span(first: date, count: int, text: str, chosen: Selection) -> Span:
    return Span(first, count, _address(chosen, text), _now(chosen.q) == text)


def _address(chosen: Selection, text: str) -> str:
    rest = undated(chosen.q)
    if text and re.search(r"\sOR\s", rest) and not (rest.startswith("(") and rest.endswith(")")):
        rest = f"({rest})"
    return reverse("archive") + chosen.address(q=f"{rest} date:{text}".strip() if text else rest)


def _now(q: str) -> str:
    found = _DATE.search(q)
    return found.group().strip()[len("date:") :] if found else ""
