"""Lists come in pages by key, newest first: as quick on page 2,000 as on page 1."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from skinclinic.web import keyset
from skinclinic.web.inputs import is_key


class KeysetPagination(CursorPagination):
    """``{"next", "previous", "results"}``; ``?page_size=`` up to 200. The pages are those of every other list."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset, request: Request, view=None) -> list:
        self.address = request.build_absolute_uri()
        cursor = request.query_params.get(self.cursor_query_param, "")
        try:
            self.found = keyset.page(
                queryset, ("-id",), cursor, self.get_page_size(request) or self.page_size
            )
        except keyset.BadCursor:
            raise NotFound(self.invalid_cursor_message) from None
        return self.found.rows

    def get_page_size(self, request: Request) -> int | None:
        """Raises ValidationError for what is no size."""
        sent = request.query_params.get(self.page_size_query_param, "")
        if sent and not (is_key(sent) and int(sent)):
            raise ValidationError({self.page_size_query_param: [_("Give a whole number from 1 to 200.")]})
        return super().get_page_size(request)

    def get_next_link(self) -> str | None:
        return self._link(self.found.next)

    def get_previous_link(self) -> str | None:
        return self._link(self.found.previous)

    def _link(self, cursor: str) -> str | None:
        return replace_query_param(self.address, self.cursor_query_param, cursor) if cursor else None
