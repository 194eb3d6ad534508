"""Endpoints over patients, lesions, photos and diagnoses."""

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ClinicViewSet, ReadViewSet, kept, require_right
from skinclinic.api.bin import DeletesToBin
from skinclinic.api.conditional import IF_MATCH, CarefulUpdates
from skinclinic.api.errors import Refused
from skinclinic.api.files import IF_NONE_MATCH, JPEG, stored_jpeg
from skinclinic.api.plans import AssigneeSerializer, assign
from skinclinic.api.serializers import (
    ChangedPatientSerializer,
    DiagnosisSerializer,
    LesionSerializer,
    PatientSerializer,
    PhotoSerializer,
)
from skinclinic.models import Diagnosis, Lesion, Patient, Photo
from skinclinic.services import consent, diagnoses, impressions, photo_answers, records, worklist


class PatientViewSet(DeletesToBin, CarefulUpdates, mixins.CreateModelMixin, ReadViewSet):
    """Patients under pseudonymous codes, with their consent to the archive: ``research_consent`` is "" (not asked),
    "given" or "refused", ``consent_on`` its date (not given: the day it is recorded)."""

    queryset = Patient.objects.select_related("clinic").order_by("-id")
    serializer_class = PatientSerializer
    filterset_fields = ["code", "sex", "skin_type", "birth_year", "research_consent", "is_archived"]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @transaction.atomic
    def perform_create(self, serializer):
        given = serializer.validated_data
        day = consent.first_date(given.get("research_consent", ""), given.get("consent_on"))
        patient = serializer.save(clinic=self.clinic_for_new(), created_by=self.request.user, consent_on=day)
        records.note_first_consent(patient, self.request.user)

    @extend_schema(parameters=[IF_MATCH], responses=ChangedPatientSerializer)
    def partial_update(self, request, *args, **kwargs):
        """Change what is sent. Where that takes the consent back, ``effects`` counts what followed from it."""
        return super().partial_update(request, *args, **kwargs)

    def said_of(self, saved):
        return {"effects": [effect.to_json() for effect in saved.effects]}


class LesionFilter(filters.FilterSet):
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    unfiled = filters.BooleanFilter(field_name="patient", lookup_expr="isnull")

    class Meta:
        model = Lesion
        fields = ["patient", "site", "state", "is_proven", "proven_disease", "is_archived", "to_decide"]


class LesionViewSet(DeletesToBin, CarefulUpdates, mixins.CreateModelMixin, ReadViewSet):
    """Lesions with the most suspicious answer of their last visit."""

    queryset = Lesion.objects.select_related("clinic", "assignee", "answer_photo").order_by("-id")
    serializer_class = LesionSerializer
    filterset_class = LesionFilter
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_serializer(self, *args, **kwargs):
        serializer = super().get_serializer(*args, **kwargs)
        rows = args[0] if args else []
        rows = [rows] if isinstance(rows, Lesion) else rows
        hidden = hidden_photos(self, rows)
        open_ = [lesion.answer_photo for lesion in rows if lesion.told_by_id not in hidden]
        kept(serializer).update(hidden_photos=hidden, familiarity=photo_answers.familiarity(open_))
        return serializer

    def perform_create(self, serializer):
        serializer.save(clinic=self.clinic_for_new(), created_by=self.request.user)

    @extend_schema(request=AssigneeSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request, pk=None):
        """Give the case to a member of its clinic, or to nobody."""
        lesion = self.get_object()
        assign(request, lesion)
        return Response(self.get_serializer(lesion).data)

    def said_of(self, saved):
        """Under a patient who does not consent, photos leave the archive: ``effects`` counts what followed."""
        return {"effects": [effect.to_json() for effect in saved.effects]} if saved.effects else {}


def hidden_photos(view: ClinicViewSet, lesions) -> set[int]:
    """Photos that tell a lesion's answer which the caller may not see yet; one question a clinic."""
    told_by: dict[int, list[int]] = {}
    for lesion in lesions:
        if lesion.told_by_id:
            told_by.setdefault(lesion.clinic_id, []).append(lesion.told_by_id)
    hidden: set[int] = set()
    for clinic_id, ids in told_by.items():
        hidden |= worklist.hidden_answers(view.request.user, view.member(clinic_id), ids)
    return hidden


class PhotoViewSet(DeletesToBin, CarefulUpdates, ReadViewSet):
    """Photos. They are made by POST of a file, which also asks for their analysis."""

    queryset = Photo.objects.select_related("clinic", "lesion").order_by("-id")
    serializer_class = PhotoSerializer
    filterset_fields = ["lesion", "lesion__patient", "kind", "sha256", "is_synthetic"]
    http_method_names = ["get", "patch", "delete", "head", "options"]

    @extend_schema(parameters=[IF_NONE_MATCH], responses=JPEG)
    @action(detail=True)
    def image(self, request, pk=None):
        """The stored photo as JPEG."""
        photo = self.get_object()
        return stored_jpeg(request, photo.file_key, photo.original_name or f"photo-{photo.pk}")

    @extend_schema(parameters=[IF_NONE_MATCH], responses=JPEG)
    @action(detail=True)
    def thumbnail(self, request, pk=None):
        """A JPEG of at most 320 pixels."""
        photo = self.get_object()
        return stored_jpeg(request, photo.thumbnail_key, f"photo-{photo.pk}-small")


class DiagnosisViewSet(ReadViewSet):
    """Impressions and pathology. Rows are added and withdrawn, never changed. Where the own impression comes first,
    colleagues' impressions of a lesion are there once you have decided at it."""

    queryset = Diagnosis.objects.select_related("clinic", "lesion").order_by("-id")
    serializer_class = DiagnosisSerializer
    filterset_fields = ["lesion", "lesion__patient", "kind", "disease"]

    def get_queryset(self):
        return super().get_queryset().exclude(self._kept_back())

    def get_object(self):
        row = super().get_object()
        if Diagnosis.objects.filter(self._kept_back(), pk=row.pk).exists():
            raise Http404
        return row

    def _kept_back(self):
        members = permissions.memberships(self.request.user).select_related("clinic")
        return impressions.kept_back(self.request.user, members)

    def create(self, request):
        """Record a diagnosis of a lesion; a new pathology withdraws the earlier one. With ``replaces``, the id of the
        pathology you have seen (null: none), only that one: where another stands, the answer is 409 with both."""
        require_right(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        lesion = permissions.get_lesion_for(request.user, values.pop("lesion").pk, permissions.EDIT)
        replaces = values.pop("replaces", diagnoses.WHATEVER_STANDS)
        try:
            row = diagnoses.record(lesion=lesion, user=request.user, shown=replaces, **values)
        except diagnoses.NotShown as other:
            current = self.get_serializer(other.standing).data if other.standing else None
            message = _("Another pathology stands than the one you have seen. Nothing was changed.")
            more = {"current": current, "yours": serializer.data}
            raise Refused(409, "changed", message, more=more) from None
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request, pk=None):
        """Take a diagnosis back; it stays in the history."""
        row = self.get_object()
        strict.only(request)
        if row.withdrawn_at:
            raise Refused(409, "withdrawn", _("This diagnosis is withdrawn already."))
        diagnoses.withdraw(row, request.user)
        row.refresh_from_db()
        return Response(self.get_serializer(row).data)


def lesion_of_request(request, pk: int | None) -> Lesion | None:
    """The lesion a new photo is to join. Raises Http404 or PermissionDenied."""
    if pk is None:
        return None
    if not 0 < pk < 2**63:
        raise Http404
    return permissions.get_lesion_for(request.user, pk, permissions.EDIT)
