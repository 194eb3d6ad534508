"""Serializers that take nothing they do not know: what would be passed over without a word is an error."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

# Read by the CSRF check before any view.
_OF_FORMS = frozenset(("csrfmiddlewaretoken",))
# Of every address: the kind of answer, which is always the same.
PASSED_OVER = frozenset(("format",))
# Fields that take several values of a form.
_MANY = (
    serializers.ListField,
    serializers.MultipleChoiceField,
    serializers.ManyRelatedField,
    serializers.ListSerializer,
)


class _TakesWhatItKnows(serializers.Serializer):
    """A field that is only told may be sent back as it stands, so that a row that was read may be sent whole."""

    # Fields that the view reads itself when a row is made.
    read_by_view: tuple[str, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        wrong = self._not_taken(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            if wrong and isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **wrong}) from None
            raise
        if wrong:
            raise ValidationError(wrong)
        return values

    def _not_taken(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        takes = {name for name, field in self.fields.items() if not field.read_only} | _OF_FORMS
        if self.instance is None:
            takes |= set(self.read_by_view)
        rest = [name for name in data if name not in takes]
        stands = self.to_representation(self.instance) if rest and self._is_of_a_row() else {}
        wrong = {
            name: [_only_told() if name in self.fields else unknown(takes - _OF_FORMS)]
            for name in rest
            if name not in stands or stands[name] != data[name]
        }
        return wrong | twice(data, {name for name, field in self.fields.items() if isinstance(field, _MANY)})

    def _is_of_a_row(self) -> bool:
        return getattr(self, "parent", None) is None and bool(getattr(self.instance, "pk", None))


class Serializer(_TakesWhatItKnows):
    """A body that is no row."""


class ModelSerializer(_TakesWhatItKnows, serializers.ModelSerializer):
    """A row."""


def only(request: Request, *names: str) -> None:
    """Raise ValidationError where the body has another field than these."""
    if wrong := sorted(set(request.data) - set(names) - _OF_FORMS):
        raise ValidationError({name: [unknown(set(names))] for name in wrong})
    if again := twice(request.data):
        raise ValidationError(again)


def only_asked(request: Request, *names: str) -> None:
    """Raise ValidationError where the address has another parameter than these, or one of them twice."""
    if wrong := sorted(set(request.query_params) - set(names) - PASSED_OVER):
        raise ValidationError({name: [no_parameter(set(names))] for name in wrong})
    if again := twice(request.query_params):
        raise ValidationError(again)


def twice(sent: Iterable[str], many: Container[str] = ()) -> dict[str, list[str]]:
    """What of a form or an address comes more than once and is none of ``many``: of several values only the last would
    count."""
    values = getattr(sent, "getlist", None)
    return {name: [_once()] for name in sent if name not in many and len(values(name)) > 1} if values else {}


def only_in(field: str, sent: object, kind: type[serializers.Serializer]) -> None:
    """Raise ValidationError where one of a list of objects has another field than this serializer."""
    names = set(kind().fields)
    for one in sent if isinstance(sent, list) else ():
        if isinstance(one, dict) and (wrong := sorted(set(one) - names)):
            raise ValidationError({field: [f"{wrong[0][:80]}: {unknown(names)}"]})


def unknown(known: set[str]) -> str:
    """What is said of a field that is none."""
    if not known:
        return _("There is no such field. This takes none.")
    return _("There is no such field. There are: %(known)s.") % {"known": ", ".join(sorted(known))}


def no_parameter(known: set[str]) -> str:
    """What is said of a parameter of an address that is none."""
    if not known:
        return _("There is no such parameter. This address takes none.")
    return _("There is no such parameter. There are: %(known)s.") % {"known": ", ".join(sorted(known))}


def _once() -> str:
    return _("This came more than once. Send it once.")


def _only_told() -> str:
    return _("This is only told and cannot be sent otherwise than it stands.")
