"""Endpoints over what comes next with a lesion: follow-ups, biopsies whose result is awaited, who sees to a case."""

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ClinicRowSerializer, NoteText, PlainText, ReadViewSet, require_right
from skinclinic.models import Biopsy, FollowUp, Lesion, User
from skinclinic.services import cases, plans

_ENDED = ["created_at", "created_by", "ended_at", "ended_by", "ended_how"]


def member_named(lesion: Lesion, name: str | None, field: str) -> User | None:
    """The member of the lesion's clinic who may decide cases and signs in by this name. Raises ValidationError."""
    if name is None:
        return None
    member = cases.deciders(lesion.clinic_id).filter(user__username=name).first()
    if member is None:
        raise serializers.ValidationError(
            {field: [_("Choose a member of this clinic who may decide cases.")]}
        )
    return member.user


class StepSerializer(ClinicRowSerializer):
    """People are named as they sign in."""

    note = NoteText(max_length=200, required=False, allow_blank=True)
    created_by = serializers.CharField(
        source="created_by.username", read_only=True, allow_null=True, default=None
    )
    ended_by = serializers.CharField(
        source="ended_by.username", read_only=True, allow_null=True, default=None
    )


class FollowUpSerializer(StepSerializer):
    """``due_on`` lies in the future. ``ended_how`` is empty while it stands."""

    class Meta:
        model = FollowUp
        fields = ["id", "clinic", "lesion", "due_on", "note", *_ENDED]
        read_only_fields = _ENDED


class BiopsySerializer(StepSerializer):
    """``taken_by`` is a member of the clinic, by default whoever sends it; recording a pathology ends the wait."""

    taken_by = PlainText(required=False, allow_null=True, max_length=150)

    class Meta:
        model = Biopsy
        fields = ["id", "clinic", "lesion", "taken_on", "taken_by", "note", *_ENDED]
        read_only_fields = _ENDED

    def to_representation(self, step: Biopsy) -> dict:
        return super().to_representation(step) | {
            "taken_by": step.taken_by.username if step.taken_by else None
        }


class AssigneeSerializer(strict.Serializer):
    """``assignee``: a member of the clinic by the name of sign-in, or null for nobody."""

    assignee = PlainText(allow_null=True, max_length=150)


class StepFilter(filters.FilterSet):
    open = filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull")

    class Meta:
        fields = ["lesion", "lesion__patient", "ended_how"]


class FollowUpFilter(StepFilter):
    due_before = filters.DateFilter(field_name="due_on", lookup_expr="lt")

    class Meta(StepFilter.Meta):
        model = FollowUp


class BiopsyFilter(StepFilter):
    class Meta(StepFilter.Meta):
        model = Biopsy


class StepViewSet(ReadViewSet):
    """Rows are added and ended, never changed or removed."""

    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def finish(self, request, pk=None):
        """Mark it as done."""
        return self._after(plans.finish)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def undo(self, request, pk=None):
        """Take back its end, or, while it stands, that it was planned; it stays in the history."""
        return self._after(plans.undo)

    def _after(self, act) -> Response:
        row = self.get_object()
        strict.only(self.request)
        act(row, self.request.user)
        return Response(self.get_serializer(row).data)

    def _asked(self, request) -> tuple[Lesion, dict]:
        require_right(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        return permissions.get_lesion_for(request.user, values.pop("lesion").pk, permissions.EDIT), values


class FollowUpViewSet(StepViewSet):
    """Lesions that are to be seen again by a day. A lesion has one open follow-up; a new one replaces it."""

    queryset = FollowUp.objects.select_related("clinic", "lesion", "created_by", "ended_by").order_by("-id")
    serializer_class = FollowUpSerializer
    filterset_class = FollowUpFilter

    def create(self, request):
        """Plan that a lesion is seen again by ``due_on``."""
        lesion, values = self._asked(request)
        row = plans.see_again(lesion, request.user, values["due_on"], values.get("note", ""))
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)


class BiopsyViewSet(StepViewSet):
    """Biopsies that were taken; the result is awaited until a pathology is recorded."""

    queryset = Biopsy.objects.select_related(
        "clinic", "lesion", "created_by", "ended_by", "taken_by"
    ).order_by("-id")
    serializer_class = BiopsySerializer
    filterset_class = BiopsyFilter

    def create(self, request):
        """Mark that a biopsy of a lesion was taken on ``taken_on``."""
        lesion, values = self._asked(request)
        taker = member_named(lesion, values.get("taken_by"), "taken_by")
        row = plans.await_biopsy(
            lesion, request.user, values["taken_on"], taken_by=taker, note=values.get("note", "")
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)


def assign(request, lesion: Lesion) -> None:
    """Give the case to the member that the request names. Raises ValidationError."""
    serializer = AssigneeSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    person = member_named(lesion, serializer.validated_data["assignee"], "assignee")
    cases.assign(lesion, person, request.user)
