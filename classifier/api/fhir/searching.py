"""Searches: each parameter narrows the rows; pages by key, newest first or as ``_sort`` says."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.utils.urls import remove_query_param, replace_query_param

from classifier.presenters.fhir.people import code_system
from classifier.presenters.fhir.teller import Teller
from skinclinic.api.base import ApiRequest
from skinclinic.fhir import dates
from skinclinic.models import Clinic, Patient
from skinclinic.permissions import clinics_of
from skinclinic.services import patients
from skinclinic.web.inputs import is_key

# (rows, what was sent) -> rows
Narrow = Callable[[QuerySet, str, Teller], QuerySet]
USUAL, MOST = 50, 200
OF_EVERY_SEARCH = ("_count", "cursor", "_include", "_revinclude")
# Of searches among rows of one kind.
OF_ONE_KIND = ("_sort", "_total")
TOTALS = ("none", "estimate", "accurate")


class Parameter:
    """``kind``: FHIR's type of it, as the CapabilityStatement tells it."""

    def __init__(self, kind: str, narrow: Narrow):
        self.kind, self.narrow = kind, narrow


def narrowed(
    rows: QuerySet, parameters: dict[str, Parameter], request: ApiRequest, teller: Teller
) -> QuerySet:
    """The rows that all parameters leave; one that comes twice holds twice. Raises ValidationError."""
    for name, parameter in parameters.items():
        for sent in request.query_params.getlist(name):
            try:
                rows = parameter.narrow(rows, sent, teller)
            except ValueError as error:
                raise ValidationError({name: [_cannot(parameter.kind, str(error))]}) from None
    return rows


def _cannot(kind: str, sent: str) -> str:
    if kind == "date":
        return _("“%(sent)s” is no date. Give one such as 2026, 2026-03-04 or ge2026-03-04.") % {
            "sent": sent[:60]
        }
    return not_here(sent)


def not_here(sent: str) -> str:
    """What is said of a value that is none of those that there are."""
    return _("“%(sent)s” cannot be searched for here.") % {"sent": sent[:60]}


def count_asked(request: ApiRequest) -> int:
    """How many a page holds, from 0 to MOST. Raises ValidationError."""
    sent = request.query_params.get("_count", "")
    if not sent:
        return USUAL
    if not (sent == "0" or is_key(sent)):
        raise ValidationError({"_count": [_("Give a whole number from 0 to 200.")]})
    return min(int(sent), MOST)


def ordered(
    rows: QuerySet, sorts: Mapping[str, str | Combinable], request: ApiRequest
) -> tuple[QuerySet, list[str]]:
    """(the rows, the order that ``_sort`` asks for, as ``keyset`` takes it). Raises ValidationError."""
    order: list[str] = []
    for number, sent in enumerate(filter(None, request.query_params.get("_sort", "").split(","))):
        turn, name = ("-", sent[1:]) if sent.startswith("-") else ("", sent)
        if name not in sorts or number >= len(sorts):
            known = ", ".join(sorts)
            raise ValidationError({"_sort": [_cannot_sort(sent, known)]})
        by = sorts[name]
        if not isinstance(by, str):
            rows, by = rows.annotate(**{f"sort_{number}": by}), f"sort_{number}"
        order.append(turn + by)
    newest_first = not order or order[-1].startswith("-")
    return rows, [*order, *(() if {"id", "-id"} & set(order) else ("-id" if newest_first else "id",))]


def _cannot_sort(sent: str, known: str) -> str:
    return _("“%(sent)s” cannot be sorted by. There are: %(known)s; with - before it the last comes first.") % {
        "sent": sent[:60], "known": known,
    }  # fmt: skip


def is_total_asked(request: ApiRequest) -> bool:
    """Whether the number of all that is found is asked for. Raises ValidationError."""
    sent = request.query_params.get("_total", "none")
    if sent not in TOTALS:
        raise ValidationError({"_total": [_("Give none, estimate or accurate.")]})
    return sent != "none"


def first_page(request: ApiRequest) -> str:
    """The address of the first page."""
    return remove_query_param(request.build_absolute_uri(), "cursor")


def page_address(request: ApiRequest, cursor: str) -> str:
    """The address of another page; "" for none."""
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor) if cursor else ""


def keys(column: str = "pk", prefix: str = "") -> Parameter:
    """Ids, with commas between them: ``_id=3,4``. ``prefix``: what ids of the resource begin with."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        found = [one.removeprefix(prefix) for one in sent.split(",") if one.startswith(prefix)]
        return rows.filter(**{f"{column}__in": [int(one) for one in found if is_key(one)]})

    return Parameter("token", narrow)


def number(column: str, system: str) -> Parameter:
    """An identifier that is our own number: ``identifier=URI|5`` or ``identifier=5``."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        found = of_system(sent, f"{teller.base}/NamingSystem/{system}")
        return rows.filter(**{f"{column}__in": [int(one) for one in found if is_key(one)]})

    return Parameter("token", narrow)


def referenced(column: str, kind: str) -> Parameter:
    """Another resource: ``5``, ``Patient/5`` or its whole address."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        found = []
        for one in sent.split(","):
            key = one.removeprefix(f"{teller.base}/").removeprefix(f"{kind}/")
            if is_key(key):
                found.append(int(key))
        return rows.filter(**{f"{column}__in": found})

    return Parameter("reference", narrow)


def patient_codes(column: str) -> Parameter:
    """A patient's code, as people write it, or one of a merged patient: ``SYSTEM|CODE`` or ``CODE``."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        return rows.filter(**{f"{column}__in": patients_called(sent, teller)})

    return Parameter("token", narrow)


def patients_called(sent: str, teller: Teller) -> list[int]:
    """Keys of the patients of the person's clinics with such an identifier, at most one a clinic and code."""
    found = []
    for one in sent.split(","):
        system, bar, value = one.rpartition("|")
        found += [patient.pk for patient in patients_of(system if bar else None, value, teller)]
    return found


def patients_of(system: str | None, code: str, teller: Teller) -> list[Patient]:
    """Patients of the person's clinics with this code, at most one a clinic; ``system``: whose code it is, None for
    whichever clinic's."""
    found = []
    for clinic in Clinic.objects.filter(pk__in=clinics_of(teller.user)).order_by("pk"):
        if system is None or system == code_system(teller.base, clinic.slug):
            patient = patients.with_code(clinic, code)
            if patient is not None and not patient.is_archived:
                found.append(patient)
    return found


def of_system(sent: str, system: str) -> list[str]:
    """The codes of a token (``SYSTEM|CODE`` or ``CODE``, with commas between them) that may be of this system."""
    told = [one.rpartition("|") for one in sent.split(",")]
    return [code for uri, bar, code in told if not bar or uri == system]


def words(column: str, known: dict[str, str], system: str) -> Parameter:
    """One of some codes of a system: ``gender=female``."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        asked = of_system(sent, system)
        if wrong := [one for one in asked if one not in known]:
            raise ValueError(wrong[0])
        return rows.filter(**{f"{column}__in": [known[one] for one in asked]})

    return Parameter("token", narrow)


def moments(*columns: str) -> Parameter:
    """When: the first of ``columns`` that is not empty."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        return rows.filter(_any_of(sent, lambda one: _when(columns, one)))

    return Parameter("date", narrow)


def days(column: str, otherwise: str) -> Parameter:
    """The same of a column of days, or of the moment ``otherwise`` where it is empty."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        return rows.filter(
            _any_of(sent, lambda one: _on_day(column, one) | _when_missing(column, otherwise, one))
        )

    return Parameter("date", narrow)


def years(column: str) -> Parameter:
    """A year of which more is not known, which lasts from its first day to its last: ``birthdate=1960``, ``ge1950``.
    So ``1960-05``, which does not hold the whole year, finds nobody of it, and ``ge1960-05`` does: some of the year is
    later (R4, search, 3.1.1.4.5 and 3.1.1.4.7)."""

    def narrow(rows: QuerySet, sent: str, teller: Teller) -> QuerySet:
        known = Q(**{f"{column}__isnull": False})
        return rows.filter(known & _any_of(sent, lambda one: _in_years(column, *_span(one))))

    return Parameter("date", narrow)


def _in_years(column: str, prefix: str, begin: datetime, end: datetime) -> Q:
    """Whole years against the span from ``begin`` to before ``end``."""
    zone = timezone.get_current_timezone()
    begin, end = begin.astimezone(zone), end.astimezone(zone)
    first, last = _first_year(begin), _first_year(end)
    within = Q(**{f"{column}__gte": first, f"{column}__lt": end.year})
    before, after = Q(**{f"{column}__lt": first}), Q(**{f"{column}__gte": end.year})
    return {
        "eq": within, "ne": ~within, "gt": after, "ge": after | within, "lt": before, "le": before | within,
        "sa": Q(**{f"{column}__gte": last}), "eb": Q(**{f"{column}__lt": begin.year}),
    }[prefix]  # fmt: skip


def _first_year(moment: datetime) -> int:
    """The first year that begins at this moment or later."""
    return (
        moment.year
        if moment == moment.replace(month=1, day=1, hour=0, minute=0, second=0)
        else moment.year + 1
    )


def _any_of(sent: str, narrow: Callable[[str], Q]) -> Q:
    found = Q(pk__in=[])
    for one in sent.split(","):
        found |= narrow(one)
    return found


def _span(one: str) -> tuple[str, Any, Any]:
    try:
        return dates.span(one, timezone.get_current_timezone())
    except (ValueError, OverflowError):
        raise ValueError(one) from None


def _bounds(column: str, prefix: str, begin: Any, end: Any) -> Q:
    """Of a moment in ``column``, which has no length; the span is from ``begin`` to before ``end``."""
    within = Q(**{f"{column}__gte": begin, f"{column}__lt": end})
    return {
        "eq": within, "ne": ~within,
        "gt": Q(**{f"{column}__gte": end}), "sa": Q(**{f"{column}__gte": end}),
        "ge": Q(**{f"{column}__gte": begin}),
        "lt": Q(**{f"{column}__lt": begin}), "eb": Q(**{f"{column}__lt": begin}),
        "le": Q(**{f"{column}__lt": end}),
    }[prefix]  # fmt: skip


def _when(columns: tuple[str, ...], one: str) -> Q:
    prefix, begin, end = _span(one)
    first, *rest = columns
    found = _bounds(first, prefix, begin, end)
    if not rest:
        return found
    return (Q(**{f"{first}__isnull": False}) & found) | (
        Q(**{f"{first}__isnull": True}) & _when(tuple(rest), one)
    )


def _on_day(column: str, one: str) -> Q:
    prefix, begin, end = _span(one)
    zone = timezone.get_current_timezone()
    first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    if first == last:  # a time within the day
        last = first.fromordinal(first.toordinal() + 1)
    return Q(**{f"{column}__isnull": False}) & _bounds(column, prefix, first, last)


def _when_missing(column: str, otherwise: str, one: str) -> Q:
    prefix, begin, end = _span(one)
    return Q(**{f"{column}__isnull": True}) & _bounds(otherwise, prefix, begin, end)
