"""Codes of other systems, as the clinic has them."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.models import Member
from skinclinic.services import codes
from skinclinic.vocabulary import codes as vocabulary


class CodeSerializer(strict.Serializer):
    """``system`` is a short name or, of systems that have none here, the same as ``uri``. ``version`` and ``source``
    (where it was looked up) are empty where they are not known."""

    kind = serializers.ChoiceField(choices=list(vocabulary.KINDS))
    concept = serializers.CharField()
    name = serializers.SerializerMethodField()
    system = serializers.CharField()
    uri = serializers.CharField()
    code = serializers.CharField()
    display = serializers.CharField(allow_blank=True)
    version = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # DRF takes it out of the class

    def get_name(self, code: vocabulary.Code) -> str:
        return vocabulary.name(code.kind, code.concept)


def member_asked(request: Request) -> Member:
    """The membership of the clinic that ``?clinic=`` names, by default the caller's first. Raises Http404."""
    members = permissions.memberships(request.user).select_related("clinic")
    slug = request.query_params.get("clinic", "")
    found = next((member for member in members if slug in ("", member.clinic.slug)), None)
    if found is None:
        raise Http404
    return found


class CodesView(APIView):
    """Codes (SNOMED CT, ICD, DICOM) of diseases, sites, sides, procedures and findings, as the clinic has them."""

    asked_with = {"get": ("clinic",)}

    @extend_schema(
        parameters=[OpenApiParameter("clinic", description="The clinic's short name; by default the first.")],
        responses=CodeSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        table = codes.table(member_asked(request).clinic_id)
        return Response(CodeSerializer(table.every(), many=True).data)
