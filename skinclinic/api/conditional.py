"""PATCH that loses nothing: only what was sent is written, and with ``If-Match`` only onto what the caller has seen."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from skinclinic.api.base import ApiRequest
from skinclinic.api.errors import Refused
from skinclinic.models import User
from skinclinic.services import records
from skinclinic.services.records import Record

Check = Callable[[Record], None]
IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="The `ETag` of what you have read. Where it was changed since: 412 with both versions.",
)  # fmt: skip


def etag_of(row: Record) -> str:
    """Changes with everything that people may change; not with what workers add, such as an answer of the model."""
    said = json.dumps([row.pk, records.values_of(row)], sort_keys=True)
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


class CarefulUpdates:
    """For viewsets over ``records.UNITS``: ``ETag`` on a row, ``If-Match`` (412 with both versions) on PATCH."""

    def retrieve(self, request: Request, *args, **kwargs) -> Response:
        row = self.get_object()  # type: ignore[attr-defined]  # of the viewset
        return self._answer(row)

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: ApiRequest, *args, **kwargs) -> Response:
        row = self.get_object()  # type: ignore[attr-defined]
        serializer = self.get_serializer(row, data=request.data, partial=True)  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        wanted = dict(serializer.validated_data)
        check = partial(self._require_seen, request.headers.get("If-Match", ""), wanted)
        saved = self.change(row, wanted, request.user, check=check)
        return self._answer(saved.row, self.said_of(saved))

    def change(self, row: Record, wanted: dict[str, Any], user: User, *, check: Check) -> records.Saved:
        """Write what was sent, unless ``check`` refuses the row as it stands."""
        return records.change(row, wanted, user, check=check)

    def said_of(self, saved: records.Saved) -> dict[str, Any]:
        """What the answer to a PATCH says besides the row."""
        return {}

    def _answer(self, row: Record, more: dict[str, Any] | None = None) -> Response:
        shown = self.get_serializer(row).data  # type: ignore[attr-defined]
        return Response({**shown, **(more or {})}, headers={"ETag": etag_of(row)})

    def _require_seen(self, header: str, wanted: dict[str, Any], stands: Record) -> None:
        """Raise Refused (412) unless ``If-Match`` names the row as it stands. A proxy that compresses makes tags weak
        (W/); they still name one version."""
        now = etag_of(stands)
        # Which answer it was, after the point, is nothing that people changed.
        named = {tag.removeprefix("W/").strip('"').partition(".")[0] for tag in parse_etags(header)}
        if header.strip() in ("", "*") or now.strip('"') in named:
            return
        current = self.get_serializer(stands).data  # type: ignore[attr-defined]
        values = records.values_of(stands)
        fields = {
            name: {"yours": records.plain(value), "current": values[name]}
            for name, value in wanted.items()
            if records.plain(value) != values[name]
        }
        message = _(
            "Somebody else has changed it since you read it. Nothing was changed; both versions are below."
        )
        raise Refused(412, "changed", message, more={"current": current, "fields": fields}, etag=now)
