"""A list a page at a time, as components/pagination.html shows it."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import HttpRequest

from skinclinic.web import keyset

PAGE_SIZE = 50


def paged(
    request: HttpRequest,
    rows: QuerySet,
    order: Sequence[str] = ("-id",),
    size: int = PAGE_SIZE,
    *,
    keys: Sequence[int] | None = None,
) -> dict:
    """Return ``rows`` of the page that the address asks for, ``previous_url`` and ``next_url``. A cursor that
    is none gives the first page. ``keys``: of the rows, lowest first, where they are known."""

    def page(cursor: str) -> keyset.Page:
        if keys is not None:
            return keyset.page_of_keys(rows, keys, cursor, size)
        return keyset.page(rows, order, cursor, size)

    try:
        found = page(request.GET.get("cursor", ""))
    except keyset.BadCursor:
        found = page("")
    return {
        "rows": found.rows,
        "previous_url": _address(request, found.previous),
        "next_url": _address(request, found.next),
    }


def _address(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"{request.path}?{query.urlencode()}"
