"""Bodies of requests: read here, and held to what every view and the database can take before any view sees them."""

import math
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError, ValidationError

from skinclinic.web.inputs import LARGEST_KEY, storable

DEEPEST = 20


class JSONParser(parsers.JSONParser):
    """An object whose texts can be stored, whose numbers a column can hold, and that is not nested without end."""

    def parse(self, stream, media_type=None, parser_context=None) -> dict[str, Any]:
        try:
            sent = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(_too_deep()) from None
        if not isinstance(sent, dict):
            raise ParseError(_("The body must be a JSON object, such as {}."))
        for name, value in sent.items():
            wrong = _("The text cannot be stored.") if not storable(name) else why_not(value)
            if wrong:
                raise ValidationError({ascii(name)[1:-1][:80]: [wrong]})
        return sent


def why_not(value: object) -> str:
    """Why no view may have this value of a body, in words; "" if it may."""
    level, deep = [value], 0
    while level:
        if deep > DEEPEST:
            return _too_deep()
        for one in level:
            if wrong := _why_not_alone(one):
                return wrong
        level = [inner for one in level for inner in _inside(one)]
        deep += 1
    return ""


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _why_not_alone(value: object) -> str:
    if isinstance(value, str) and "\0" in value:
        return _("The text holds a NUL character.")
    if isinstance(value, str) and not storable(value):
        return _("The text holds half of a character.")
    if isinstance(value, int) and abs(value) > LARGEST_KEY:
        return _("The number is too large.")
    if isinstance(value, float) and not math.isfinite(value):
        return _("The number is too large.")
    return ""


def _too_deep() -> str:
    return _("The body is nested too deeply.")
