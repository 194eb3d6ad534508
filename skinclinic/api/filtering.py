"""Filters of lists: a row of another clinic is no choice, as one that does not exist."""

from django_filters import ModelChoiceFilter
from django_filters.rest_framework import DjangoFilterBackend

from skinclinic import permissions


class OwnRowsFilterBackend(DjangoFilterBackend):
    """Offers a filter by another row (?patient=1) those of the caller's clinics only."""

    def get_filterset(self, request, queryset, view):
        found = super().get_filterset(request, queryset, view)
        for one in found.filters.values() if found else ():
            rows = getattr(one, "queryset", None)
            if isinstance(one, ModelChoiceFilter) and rows is not None and hasattr(rows.model, "clinic"):
                one.queryset = permissions.known(rows, request.user)
        return found
