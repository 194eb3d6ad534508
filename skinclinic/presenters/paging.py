"""A list a page at a time, as components/pagination.html shows it."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import HttpRequest

from skinclinic.web import keyset

PAGE_SIZE = 50


def paged(
    request: HttpRequest, rows: QuerySet, order: Sequence[str] = ("-id",), size: int = PAGE_SIZE
) -> dict:
    """Return ``rows`` of the page that the address asks for, ``previous_url`` and ``next_url``. A cursor that
    is none gives the first page."""
    try:
        page = keyset.page(rows, order, request.GET.get("cursor", ""), size)
    except keyset.BadCursor:
        page = keyset.page(rows, order, "", size)
    return {
        "rows": page.rows,
        "previous_url": _address(request, page.previous),
        "next_url": _address(request, page.next),
    }


def _address(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"{request.path}?{query.urlencode()}"
