"""Endpoints over the caller, clinics, members and invitations."""

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ClinicViewSet, ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.api.serializers import (
    ClinicSerializer,
    DiseaseSerializer,
    InvitationSerializer,
    MemberSerializer,
    MeSerializer,
    SiteSerializer,
)
from skinclinic.models import Clinic, Invitation, Member
from skinclinic.services import invitations, people, step_up
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.vocabulary.sites import ANATOMIC_SITES


@extend_schema(responses=MeSerializer)
@api_view(["GET"])
def me(request):
    """Who is calling, and in which clinics with which role."""
    members = permissions.memberships(request.user).select_related("clinic")
    return Response(
        {
            "username": request.user.username,
            "display_name": request.user.display_name,
            "clinics": [{"slug": m.clinic.slug, "name": m.clinic.name, "role": m.role} for m in members],
        }
    )


@extend_schema(responses=DiseaseSerializer(many=True))
@api_view(["GET"])
def diseases(request):
    """The 12 diseases in their fixed order."""
    return Response(DiseaseSerializer(DISEASES, many=True).data)


@extend_schema(responses=SiteSerializer(many=True))
@api_view(["GET"])
def sites(request):
    """The anatomic sites of a lesion."""
    return Response([{"key": key, "name": str(label)} for key, label in ANATOMIC_SITES])


class ClinicsViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The caller's clinics and their settings, which an admin changes."""

    queryset = Clinic.objects.order_by("-id")
    serializer_class = ClinicSerializer
    lookup_field = "slug"
    filterset_fields: list[str] = []

    def get_queryset(self):
        return super().get_queryset().filter(pk__in=self._roles)

    def get_serializer_context(self):
        return {**super().get_serializer_context(), "roles": self._roles}

    @property
    def _roles(self) -> dict[int, str]:
        if not self.request or not self.request.user.is_authenticated:
            return {}
        members = permissions.memberships(self.request.user)
        return dict(members.values_list("clinic", "role"))

    def retrieve(self, request, slug=None):
        """One clinic."""
        return Response(self.get_serializer(self.get_object()).data)

    def partial_update(self, request, slug=None):
        """Change the settings of a clinic (admins)."""
        clinic = self.get_object()
        permissions.require(permissions.membership(request.user, clinic.pk), permissions.ADMIN)
        serializer = self.get_serializer(clinic, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        # What was not sent stays as others may be saving it now.
        for name, value in serializer.validated_data.items():
            setattr(clinic, name, value)
        people.save_settings(clinic, list(serializer.validated_data))
        return Response(self.get_serializer(clinic).data)


@extend_schema_view(list=extend_schema(description="Members of the clinics the caller is an admin of."))
class MemberViewSet(ReadViewSet):
    """Members; only admins see and change them."""

    queryset = Member.objects.select_related("clinic", "user").order_by("-id")
    serializer_class = MemberSerializer
    filterset_fields = ["role", "is_active"]
    need = permissions.ADMIN

    def get_queryset(self):
        return administered(super().get_queryset(), self.request.user)

    def get_object(self):
        return for_admin(super().get_object(), self.request.user)

    def partial_update(self, request, pk=None):
        """Change ``role`` or ``is_active``; a clinic keeps at least one admin."""
        member = self.get_object()
        serializer = self.get_serializer(member, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        step_up.require(request)
        try:
            member = people.change_member(member, **serializer.validated_data)
        except people.LastAdmin:
            raise Refused(
                409,
                "last_admin",
                _("%(name)s is the only admin of this clinic. Make somebody else an admin first.")
                % {"name": member.user},
            ) from None
        return Response(self.get_serializer(member).data)


class InvitationViewSet(mixins.ListModelMixin, ClinicViewSet):
    """Invitations; only admins make, see and revoke them."""

    queryset = Invitation.objects.select_related("clinic").order_by("-id")
    serializer_class = InvitationSerializer
    filterset_fields = ["role", "email"]
    need = permissions.ADMIN

    def get_queryset(self):
        return administered(super().get_queryset(), self.request.user)

    def create(self, request):
        """Invite a person; the answer holds the link, which is shown this once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        step_up.require(request)
        invitation, secret = invitations.invite(
            self.clinic_for_new(), by=request.user, **serializer.validated_data
        )
        link = request.build_absolute_uri(reverse("join", args=[secret]))
        return Response(self.get_serializer(invitation).data | {"link": link}, status=status.HTTP_201_CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def revoke(self, request, pk=None):
        """Make an open invitation's link useless."""
        invitation = self.get_object()
        strict.only(request)
        if not invitations.revoke(invitation):
            raise Refused(409, "closed", _("This invitation is used, revoked or expired."))
        invitation.refresh_from_db()
        return Response(self.get_serializer(invitation).data)


def administered(rows, user):
    """Rows of the clinics the user is an admin of."""
    admin_of = permissions.memberships(user).filter(role="admin").values("clinic")
    return rows.filter(clinic__in=admin_of)


def for_admin(row, user):
    """The row, if the user is an admin of its clinic. Raises PermissionDenied."""
    permissions.require(permissions.membership(user, row.clinic_id), permissions.ADMIN)
    return row
