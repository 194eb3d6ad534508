"""Bodies of requests: read here, and held to what every view and the database can take before any view sees them."""

import codecs
import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError
from rest_framework.utils import json

from skinclinic.web.inputs import LARGEST_KEY, storable

DEEPEST = 20
# What stands where bytes were no character.
LOST = "\N{REPLACEMENT CHARACTER}"


class JSONParser(parsers.JSONParser):
    """An object whose names come once, whose texts can be stored, whose numbers a column can hold, and that is not
    nested without end."""

    def parse(self, stream, media_type=None, parser_context=None) -> dict[str, Any]:
        require_readable(media_type, parser_context)
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            text = codecs.getreader(encoding)(stream).read()
            sent = json.loads(text, parse_constant=json.strict_constant, object_pairs_hook=_once)
        except ValueError as error:
            raise ParseError(_("The body is no JSON: %(why)s") % {"why": str(error)[:200]}) from None
        except RecursionError:
            raise ParseError(_too_deep()) from None
        if not isinstance(sent, dict):
            raise ParseError(_("The body must be a JSON object, such as {}."))
        for name, value in sent.items():
            wrong = _("The text cannot be stored.") if not storable(name) else why_not(value)
            if wrong:
                raise ValidationError({ascii(name)[1:-1][:80]: [wrong]})
        return sent


class FormParser(parsers.FormParser):
    """A form, all of whose bytes are characters."""

    def parse(self, stream, media_type=None, parser_context=None):
        require_readable(media_type, parser_context)
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        body = stream.read()
        try:
            body.decode(encoding)
        except UnicodeDecodeError:
            # What stands there as it is, not as %xx, would be read as Latin-1.
            raise ParseError(_("This is not written in UTF-8.")) from None
        sent = QueryDict(body, encoding=encoding)
        require_whole(sent)
        return sent


class MultiPartParser(parsers.MultiPartParser):
    """The same with files."""

    def parse(self, stream, media_type=None, parser_context=None):
        require_readable(media_type, parser_context)
        sent = super().parse(stream, media_type, parser_context)
        require_whole(sent.data)
        return sent


def require_readable(media_type: str | None, context: Mapping[str, Any] | None) -> None:
    """Raise UnsupportedMediaType for a body that is packed, or written in letters that nobody knows."""
    kind = media_type or ""
    _name, said = parse_header_parameters(kind)
    try:
        codecs.lookup(said.get("charset") or "utf-8")
    except (LookupError, ValueError):
        raise UnsupportedMediaType(kind, _("There is no such charset. Send UTF-8.")) from None
    request = (context or {}).get("request")
    packed = request.headers.get("Content-Encoding", "") if request else ""
    if packed.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(kind, _("Send the body as it is, without Content-Encoding."))


def require_whole(form: Mapping[str, Any]) -> None:
    """Raise ValidationError where bytes of a form are no characters of its charset: two codes of patients that were
    written otherwise would be read as the same."""
    values = form.getlist if hasattr(form, "getlist") else lambda name: [form[name]]
    wrong = [name for name in form if any(LOST in str(one) for one in (name, *values(name)))]
    if wrong:
        raise ValidationError(
            {ascii(name)[1:-1][:80]: [_("This is not written in UTF-8.")] for name in wrong}
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, of whose equal names only the last would count."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValidationError({ascii(name)[1:-1][:80]: [_("This came more than once. Send it once.")]})
        found[name] = value
    return found


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
