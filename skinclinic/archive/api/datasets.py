"""Versions of datasets for programs: what there is, and what describes each."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action

from skinclinic import permissions
from skinclinic.api.base import ApiRequest, ClinicRowSerializer, ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.exporting import export
from skinclinic.services.refused import Refused as ServiceRefused


class DatasetSerializer(ClinicRowSerializer):
    """A version of a dataset. ``photos``: how many it has; null while that is being counted. ``sha256``: of its photos,
    labels and sides; empty for a draft."""

    name = serializers.CharField(source="dataset.name", read_only=True)
    role = serializers.CharField(source="dataset.role", read_only=True)
    description = serializers.CharField(source="dataset.description", read_only=True)

    class Meta:
        model = DatasetVersion
        fields = [
            "id", "clinic", "name", "number", "role", "description", "state", "sha256", "photos", "note", "created_at",
            "frozen_at",
        ]  # fmt: skip
        read_only_fields = fields


class DatasetViewSet(ReadViewSet):
    """The versions of datasets, newest first. Photos and tables leave as an export, which a person fetches."""

    queryset = DatasetVersion.objects.select_related("clinic", "dataset").order_by("-id")
    serializer_class = DatasetSerializer
    filterset_fields = ["state", "number"]

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    @action(detail=True)
    def datasheet(self, request: ApiRequest, pk: str = "") -> HttpResponse:
        """The datasheet (docs/datasets.md): what is counted, what people have stated, what nobody has. 409 for a large
        version that is not exported yet."""
        return _json(export.datasheet_of, self.get_object())

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    @action(detail=True)
    def croissant(self, request: ApiRequest, pk: str = "") -> HttpResponse:
        """What the export of this version holds, as Croissant metadata (MLCommons 1.0). For curators. 409 where it
        cannot be exported."""
        version = self.get_object()
        permissions.require(self.member(version.clinic_id), permissions.CURATE)
        return _json(export.croissant_of, version)


def _json(make: Any, version: DatasetVersion) -> HttpResponse:
    try:
        content = make(version)
    except ServiceRefused as refused:
        raise Refused(409, "not_now", str(refused)) from None
    except OSError:
        raise Refused(507, "storage_full", _("The tables of the export could not be stored.")) from None
    return HttpResponse(content, content_type="application/json")
