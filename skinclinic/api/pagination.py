"""Lists come in pages by key, newest first: as quick on page 2,000 as on page 1."""

from rest_framework.pagination import CursorPagination


class KeysetPagination(CursorPagination):
    """``{"next", "previous", "results"}``; ``?page_size=`` up to 200."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
