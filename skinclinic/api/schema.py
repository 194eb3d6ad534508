"""What the schema says of every operation alike: its errors, which all have one shape."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from skinclinic.api.codes import told
from skinclinic.web.versions import BASE

_UNSAFE = ("post", "put", "patch", "delete")
# Operations with errors of their own, by the part of the address that tells them.
_LIMITED = (f"{BASE}token/", f"{BASE}try/")
_STORING = (f"{BASE}photos/", f"{BASE}models/", f"{BASE}try/")
# What may be read too early: before it is computed, or before the own impression.
_TOO_EARLY = (
    f"{BASE}analyses/{{id}}/maps/", f"{BASE}analyses/{{id}}/explanations/", f"{BASE}explanations/{{id}}/",
    f"{BASE}explanations/{{id}}/maps/", f"{BASE}datasets/{{id}}/datasheet/", f"{BASE}datasets/{{id}}/croissant/",
    *(f"{BASE}photos/{{id}}/{name}/" for name in ("image", "thumbnail", "crop", "dicom")),
    *(f"{BASE}analyses/{{id}}/{name}/" for name in ("square", "heatmap", "panels", "report", "dicom", "similar")),
    f"{BASE}study-results/{{id}}/", f"{BASE}study-results/{{id}}/file/", f"{BASE}model-exports/{{id}}/file/",
)  # fmt: skip
_STORED_ON_DEMAND = f"{BASE}datasets/{{id}}/croissant/"
_OF_GROUPS = (f"{BASE}studies/{{id}}/readers/",)
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}

_OF_LISTS = {"clinic": "Rows of one clinic alone: its short name."}

ERROR = {
    "type": "object",
    "description": "Every error: a stable ``code``, a ``message`` in the language asked for, and of some kinds more: "
    "``fields`` says what is wrong with each field, ``current`` how the row stands.",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {}},
            },
            "required": ["code", "message"],
            "additionalProperties": {},
        }
    },
    "required": ["error"],
}
_SAID = {
    400: "Something sent makes no sense; ``fields`` names it. Nothing was changed.",
    401: "Not signed in, or with a token that does not work: ``token_unknown``, ``token_revoked``, ``token_expired``.",
    403: "Your role, or your token (``token_read_only``), does not allow it.",
    404: "There is no such row, or none that you may know of.",
    409: "It cannot be done as things stand.",
    412: "Somebody has changed the row since you read it; both versions are told.",
    413: "The body is too large.",
    415: "The body is of a kind that is not understood.",
    422: "What is named is none of those there are.",
    429: "Too many tries. Wait as long as ``Retry-After`` says.",
    503: "The server is busy or its database is away. Wait as long as ``Retry-After`` says, if it says it.",
    507: "The server's disk is full. Nothing was stored.",
}


def with_errors(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular: add to every operation the errors it answers."""
    result["components"]["schemas"]["Error"] = ERROR
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            said = operation["responses"]
            for status in errors_of(path, method, operation):
                said.setdefault(str(status), _response(status))
    return result


def errors_of(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    """The statuses besides success that an operation answers."""
    is_unsafe, places = (
        method in _UNSAFE,
        {(one["in"], one["name"]) for one in operation.get("parameters", ())},
    )
    is_stored = method == "post" and path.startswith(_STORING)
    names_rows = is_unsafe and "requestBody" in operation and path != f"{BASE}token/"
    told = {
        (401, 403): path != f"{BASE}token/",
        # A parameter that there is none of.
        (400,): True,
        (404,): names_rows or any(place in ("query", "path") for place, _name in places),
        # Each reads a body, also where it makes nothing of it.
        (400, 409, 413, 415): is_unsafe,
        (409,): path in _TOO_EARLY,
        (412,): ("header", "If-Match") in places,
        (422,): (method == "post" and path in _OF_GROUPS) or ("header", "Idempotency-Key") in places,
        (429,): path in _LIMITED or is_stored,
        (507,): is_stored or path == _STORED_ON_DEMAND,
        (503,): True,
    }
    return {status for statuses, holds in told.items() if holds for status in statuses}


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _SAID[status] + told(status),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in (429, 503):
        response["headers"] = _RETRY
    return response


class Schema(AutoSchema):
    """Knows of fields that are only read what their models say: that they may be empty, or null along the way; and what
    lists take beside their filters."""

    def get_override_parameters(self) -> list[Any]:
        if self.method != "GET" or not self._is_list_view():
            return []
        names = getattr(self.view, "query_parameters", ())
        return [OpenApiParameter(name, description=_OF_LISTS[name]) for name in names]

    def _map_serializer_field(
        self, field: serializers.Field, direction: str, bypass_extensions: bool = False
    ) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)
        if not isinstance(schema, dict) or field.source == "*":
            return schema
        columns = _columns(field)
        if not columns or not (field.read_only or len(columns) > 1):
            return schema
        is_null = any(column.null for column in columns) and field.default in (serializers.empty, None)
        if (
            isinstance(field, serializers.ChoiceField)
            and columns[-1].blank
            and "" not in schema.get("enum", [""])
        ):
            schema = schema | {"enum": [*schema["enum"], ""]}
        return _nullable(schema) if is_null and not schema.get("nullable") else schema


def _columns(field: serializers.Field) -> list[models.Field]:
    """The columns of models that lead to what a field shows, as far as they are columns."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    found: list[models.Field] = []
    for name in (field.source or "").split("."):
        try:
            column = model._meta.get_field(name) if model else None
        except FieldDoesNotExist:
            column = None
        if not isinstance(column, models.Field):
            break
        found.append(column)
        model = column.related_model
    return found


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [schema], "nullable": True} if "$ref" in schema else schema | {"nullable": True}
