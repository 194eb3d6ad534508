"""Filters of lists: a row of another clinic is no choice, as one that does not exist."""

from django.utils.translation import gettext as _
from django_filters import BooleanFilter, ModelChoiceFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

from skinclinic import permissions

YES_OR_NO = ("", "true", "false", "1", "0")


class OwnRowsFilterBackend(DjangoFilterBackend):
    """Offers a filter by another row (?patient=1) those of the caller's clinics only."""

    def get_filterset(self, request, queryset, view):
        found = super().get_filterset(request, queryset, view)
        for name, one in found.filters.items() if found else ():
            if isinstance(one, BooleanFilter) and request.query_params.get(name, "").lower() not in YES_OR_NO:
                # Otherwise taken for no filter at all.
                raise ValidationError({name: [_("Give true or false.")]})
            rows = getattr(one, "queryset", None)
            if isinstance(one, ModelChoiceFilter) and rows is not None and hasattr(rows.model, "clinic"):
                one.queryset = permissions.known(rows, request.user)
        return found
