"""Filters of lists: a row of another clinic is no choice, as one that does not exist; and a parameter that a list does
not know is an error, not no filter at all."""

from django.utils.translation import gettext as _
from django_filters import BooleanFilter, ModelChoiceFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

from skinclinic import permissions
from skinclinic.api import strict

YES_OR_NO = ("", "true", "false", "1", "0")
# Of pages.
OF_EVERY_LIST = frozenset(("page_size", "cursor"))


class OwnRowsFilterBackend(DjangoFilterBackend):
    """Offers a filter by another row (?patient=1) those of the caller's clinics only."""

    def filter_queryset(self, request, queryset, view):
        if getattr(view, "action", "") == "list":
            known = self.parameters_of(view, queryset)
            if unknown := sorted(set(request.query_params) - known - strict.PASSED_OVER):
                # Otherwise passed over, and the list longer than was meant.
                message = _("This list has no such parameter. It has: %(known)s.")
                told = message % {"known": ", ".join(sorted(known))}
                raise ValidationError({name: [told] for name in unknown})
            if again := strict.twice(request.query_params):
                raise ValidationError(again)
        return super().filter_queryset(request, queryset, view)

    def parameters_of(self, view, queryset) -> set[str]:
        """What a list may be asked with."""
        kind = self.get_filterset_class(view, queryset)
        filters = kind.base_filters if kind else ()
        return {*filters, *getattr(view, "query_parameters", ()), *OF_EVERY_LIST}

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
