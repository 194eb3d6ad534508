"""The audit for admins: who saw and did what, as pages and as a table; and who saw one patient."""

import json
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from skinclinic.models import AuditEvent, Clinic, Patient
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.presenters import audit as words
from skinclinic.presenters.paging import paged
from skinclinic.services import audit_reading
from skinclinic.services.audit_reading import AuditFilters
from skinclinic.web import csv_table, keyset
from skinclinic.web.requests import MemberRequest, SignedInRequest

COLUMNS = (
    "seq", "at", "action", "user_key", "user_name", "via", "via_key", "via_name", "address", "request", "subject_kind",
    "subject_key", "subject_name", "patient_key", "reason", "before", "after", "facts", "mac", "chain",
)  # fmt: skip
_AT_ONCE = 1000


@clinic_member(ADMIN)
@require_safe
def audit(request: MemberRequest) -> HttpResponse:
    """A page of rows, newest first; ``person``, ``group``, ``patient`` and ``day`` narrow it."""
    clinic, asked = request.membership.clinic, AuditFilters.read(request.GET)
    found = audit_reading.narrowed(clinic, audit_reading.of_clinic(clinic), asked)
    page = paged(request, found, audit_reading.order_of(asked))
    context = page | {
        "lines": words.lines(clinic, page["rows"]),
        "asked": asked,
        "is_unknown": bool(asked.patient) and not audit_reading.patient_keys(clinic, asked.patient),
        "address": asked.address(),
        "groups": words.GROUPS.items(),
        "people": _people(clinic),
    }
    return render(request, "audit/page.html", context)


@clinic_member(ADMIN)
@require_safe
def audit_csv(request: MemberRequest) -> StreamingHttpResponse:
    """The same rows, all of them, oldest first."""
    clinic, asked = request.membership.clinic, AuditFilters.read(request.GET)
    found = audit_reading.narrowed(clinic, audit_reading.of_clinic(clinic), asked)
    response = StreamingHttpResponse(
        csv_table.pieces(COLUMNS, _rows(found, audit_reading.order_of(asked))),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate().isoformat()}.csv"'
    return response


@require_safe
def patient_seen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who has seen a patient, and who did what with them."""
    patient = get_for(request.user, Patient, pk, ADMIN)
    found = audit_reading.of_clinic(patient.clinic).filter(patient_key__in=audit_reading.of_patient(patient))
    page = paged(request, found)
    context = page | {
        "patient": patient,
        "lines": words.lines(patient.clinic, page["rows"]),
        "people": [dict(row) | {"who": words.who(row)} for row in audit_reading.who_saw(found)],
    }
    return render(request, "audit/patient.html", context)


def _rows(found: QuerySet[AuditEvent], order: Sequence[str]) -> Iterator[list]:
    """Page by page: no cursor of the database stays open while somebody fetches slowly. ``order``: the newest first."""
    oldest_first, cursor = [name.removeprefix("-") for name in order], ""
    while True:
        page = keyset.page(found, oldest_first, cursor, _AT_ONCE)
        for event in page.rows:
            yield [_cell(getattr(event, name)) for name in COLUMNS]
        if not (cursor := page.next):
            return


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _people(clinic: Clinic) -> list[tuple[str, str]]:
    members = clinic.members.select_related("user").order_by("-is_active", "user__username")
    return [(str(member.user_id), str(member.user)) for member in members]
