"""What every endpoint over a clinic's rows shares."""

from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.permissions import need_of
from skinclinic.models import Clinic, Lesion, Member, Patient, User
from skinclinic.services.identifying import nobody_named
from skinclinic.web.inputs import is_key, storable


def in_clinic(rows: QuerySet, slug) -> QuerySet:
    """Those of the clinic with this short name; none for what can be no name."""
    if not (isinstance(slug, str) and storable(slug)):
        return rows.none()
    # By its key, for which there is an index; by the name beside it all rows would be read.
    return rows.filter(clinic__in=list(Clinic.objects.filter(slug=slug).values_list("pk", flat=True)))


class ApiRequest(Request):
    """A request that the permission classes have let through: somebody is signed in or sent a token."""

    user: User
    # What the parsers let through.
    data: dict[str, Any]


def kept(serializer: serializers.BaseSerializer) -> dict[str, Any]:
    """A serializer's context, in which it keeps what all its rows share."""
    return cast(dict[str, Any], serializer.context)


class NewRowViewSet(viewsets.GenericViewSet):
    """Makes rows for one of the caller's clinics: ``clinic`` (a slug), by default the first."""

    request: ApiRequest
    need = permissions.EDIT

    def clinic_for_new(self) -> Clinic:
        """The clinic a new row goes to. Raises PermissionDenied."""
        members = permissions.memberships(self.request.user).select_related("clinic")
        if slug := self.request.data.get("clinic"):
            members = in_clinic(members, slug)
        member = members.first()
        if member is None:
            raise PermissionDenied(_("You are not a member of this clinic."))
        permissions.require(member, need_of(self.request, self))
        return member.clinic


class ClinicViewSet(NewRowViewSet):
    """Rows of ``queryset``'s model in the caller's clinics: outsiders 404, read-only members 403.

    ``?clinic=SLUG`` narrows lists to one clinic. ``need`` is the right every change needs, ``needs`` the
    exceptions by action. A row that is made goes to ``clinic`` (a slug), by default the caller's first.
    """

    # Beside its filters, of a list.
    query_parameters: tuple[str, ...] = ("clinic",)

    def get_queryset(self):
        queryset = super().get_queryset()
        rows = queryset.filter(clinic__in=permissions.clinics_of(self.request.user))
        if slug := self.request.query_params.get("clinic"):
            rows = in_clinic(rows, slug)
        return rows

    def get_object(self):
        return permissions.get_for(
            self.request.user, super().get_queryset(), self.kwargs["pk"], need_of(self.request, self)
        )

    def member(self, clinic_id: int) -> Member:
        """The caller's membership of a clinic, read once a request."""
        known = self.__dict__.setdefault("_members", {})
        if clinic_id not in known:
            known[clinic_id] = permissions.member_of(self.request.user, clinic_id)
        return known[clinic_id]


class ReadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet):
    """Listing and reading."""


class AdminViewSet(ReadViewSet):
    """Listing and reading of what only a clinic's admins see: to others of the clinic it is forbidden."""

    need = permissions.ADMIN

    def get_queryset(self):
        mine = permissions.memberships(self.request.user)
        return super().get_queryset().filter(clinic__in=[one.clinic_id for one in mine if one.is_admin])

    def get_object(self):
        rows = super(ClinicViewSet, self).get_queryset()
        return permissions.get_for(self.request.user, rows, self.kwargs["pk"], permissions.ADMIN)


def require_right(request) -> None:
    """Who may not change the lesion or the patient that is named is told so, whatever else is wrong."""
    for name, kind in (("lesion", Lesion), ("patient", Patient)):
        if is_key(named := str(request.data.get(name, ""))):
            permissions.get_for(request.user, kind, named, permissions.EDIT)


class PlainText(serializers.CharField):
    """Text without NUL bytes, which no database takes."""

    def to_internal_value(self, data):
        text = super().to_internal_value(data)
        if "\x00" in text:
            raise serializers.ValidationError(_("The text holds a NUL character."))
        return text


class NoteText(PlainText):
    """What people write of a patient: no e-mail address, telephone or resident registration number."""

    default_validators = [nobody_named]


class OwnRowField(serializers.PrimaryKeyRelatedField):
    """Another row by its id: one of the caller's clinics. One of another clinic is none, as one that is not there."""

    def get_queryset(self):
        rows = super().get_queryset()
        if rows is None or not hasattr(rows.model, "clinic"):
            return rows
        return permissions.known(rows, self.context["request"].user)


class ClinicRowSerializer(strict.ModelSerializer):
    """A row that names its clinic by slug; what else it names is of the caller's clinics."""

    serializer_related_field = OwnRowField

    clinic: "serializers.SlugRelatedField[Clinic]" = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )

    def clinic_of_row(self) -> Clinic:
        """The clinic the row is or will be in."""
        return self.instance.clinic if self.instance else self.context["view"].clinic_for_new()
