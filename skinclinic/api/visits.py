"""Endpoints over what is recorded of visits besides photos: notes and symptoms."""

from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api.base import ClinicRowSerializer, NoteText, ReadViewSet, kept, require_right
from skinclinic.api.conditional import CarefulUpdates
from skinclinic.api.errors import Refused
from skinclinic.models import Note, Symptoms
from skinclinic.models.visit import LONGEST_NOTE
from skinclinic.services import records, visit_records
from skinclinic.vocabulary import asked

_ANSWERS = [name for name, _label in asked.SYMPTOMS]


class NoteSerializer(ClinicRowSerializer):
    """Of a visit (``lesion`` with ``visit_on``) or of a ``patient``. Only its author changes it; what
    it was is kept."""

    text = NoteText(max_length=LONGEST_NOTE)
    created_by = serializers.CharField(
        source="created_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Note
        fields = [
            "id", "clinic", "lesion", "visit_on", "patient", "text", "is_taken_back", "created_at", "created_by",
        ]  # fmt: skip

    def validate(self, values: dict) -> dict:
        if self.instance:
            if moved := {"lesion", "visit_on", "patient"} & set(values):
                message = _("A note stays where it was written.")
                raise serializers.ValidationError({name: [message] for name in moved})
        elif bool(values.get("lesion")) == bool(values.get("patient")) or (
            bool(values.get("lesion")) != bool(values.get("visit_on"))
        ):
            raise serializers.ValidationError(
                {"lesion": [_("Give a lesion with visit_on, or a patient.")]}, code="required"
            )
        return values

    def to_representation(self, note: Note) -> dict:
        shown = super().to_representation(note)
        is_own = note.created_by_id == self.context["request"].user.pk
        if note.lesion_id in self.context.get("kept_back", ()) and not is_own:
            shown["text"] = None
        return shown


class SymptomsSerializer(ClinicRowSerializer):
    """Each is "yes", "no", "unknown" (the patient does not know) or "" (not asked)."""

    since = NoteText(max_length=120, required=False, allow_blank=True)
    created_by = serializers.CharField(
        source="created_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Symptoms
        fields = ["id", "clinic", "lesion", "visit_on", *_ANSWERS, "since", "created_at", "created_by"]
        # Two programs may record the same visit at once: the service answers that.
        validators: list[Any] = []

    def validate(self, values: dict) -> dict:
        if self.instance and (moved := {"lesion", "visit_on"} & set(values)):
            raise serializers.ValidationError({name: [_("Symptoms stay at their visit.")] for name in moved})
        return values


class NoteFilter(filters.FilterSet):
    class Meta:
        model = Note
        fields = ["lesion", "patient", "visit_on", "is_taken_back"]


class NoteViewSet(CarefulUpdates, ReadViewSet):
    """Notes, newest first. Where the own impression comes first, the ``text`` of colleagues' notes on a lesion is null
    until it is given: they may name the diagnosis."""

    queryset = Note.objects.select_related("clinic", "created_by", "lesion").order_by("-id")
    serializer_class = NoteSerializer
    filterset_class = NoteFilter
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_serializer(self, *args, **kwargs):
        serializer = super().get_serializer(*args, **kwargs)
        rows = args[0] if args else []
        kept(serializer)["kept_back"] = self._kept_back(
            [rows] if isinstance(rows, Note) else list(rows or [])
        )
        return serializer

    def create(self, request):
        """Add a note to a visit of a lesion, or to a patient."""
        require_right(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        lesion, patient = values.get("lesion"), values.get("patient")
        owner = lesion or patient
        permissions.get_for(request.user, type(owner), owner.pk, permissions.EDIT)
        row = visit_records.add_note(
            request.user, values["text"], lesion=lesion, visit_on=values.get("visit_on"), patient=patient
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def change(self, row, wanted, user, *, check):
        return visit_records.change_note(row, wanted, user, check=check)

    def _kept_back(self, notes: list[Note]) -> set[int]:
        lesions = {note.lesion_id: note.lesion for note in notes if note.lesion}
        found: set[int] = set()
        for clinic_id in {lesion.clinic_id for lesion in lesions.values()}:
            ours = [lesion for lesion in lesions.values() if lesion.clinic_id == clinic_id]
            found |= visit_records.lesions_kept_back(self.request.user, self.member(clinic_id), ours)
        return found


class SymptomsViewSet(CarefulUpdates, ReadViewSet):
    """What patients say of lesions, one row a visit."""

    queryset = Symptoms.objects.select_related("clinic", "created_by").order_by("-id")
    serializer_class = SymptomsSerializer
    filterset_fields = ["lesion", "lesion__patient", "visit_on"]
    http_method_names = ["get", "post", "patch", "head", "options"]

    @extend_schema(responses={201: SymptomsSerializer})
    def create(self, request):
        """Record the symptoms of a visit."""
        require_right(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        lesion = permissions.get_lesion_for(request.user, values.pop("lesion").pk, permissions.EDIT)
        day = values.pop("visit_on")
        try:
            if visit_records.symptoms_of(lesion, day).pk is None:
                # Nobody's answers of this very moment are overwritten.
                seen = dict.fromkeys((name for unit in records.SYMPTOMS for name in unit), "")
                saved = visit_records.record_symptoms(lesion, day, values, request.user, seen=seen)
                if saved.row.pk is None:
                    raise serializers.ValidationError({"itch": [_("Give at least one answer.")]})
                return Response(self.get_serializer(saved.row).data, status=status.HTTP_201_CREATED)
        except records.Conflict:
            pass
        current = self.get_serializer(visit_records.symptoms_of(lesion, day)).data
        message = _("Symptoms of this visit are recorded already. Change those by PATCH.")
        raise Refused(409, "recorded", message, more={"current": current})
