"""What every endpoint over a clinic's rows shares."""

from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import PermissionDenied

from skinclinic import permissions
from skinclinic.api.permissions import need_of
from skinclinic.models import Member
from skinclinic.web.inputs import storable


def in_clinic(rows: QuerySet, slug) -> QuerySet:
    """Those of the clinic with this short name; none for what can be no name."""
    is_name = isinstance(slug, str) and storable(slug)
    return rows.filter(clinic__slug=slug) if is_name else rows.none()


class ClinicViewSet(viewsets.GenericViewSet):
    """Rows of ``queryset``'s model in the caller's clinics: outsiders 404, read-only members 403.

    ``?clinic=SLUG`` narrows lists to one clinic. ``need`` is the right every change needs, ``needs`` the
    exceptions by action. A row that is made goes to ``clinic`` (a slug), by default the caller's first.
    """

    need = permissions.EDIT

    def get_queryset(self):
        queryset = super().get_queryset()
        rows = queryset.filter(pk__in=permissions.visible(queryset.model, self.request.user).values("pk"))
        if slug := self.request.query_params.get("clinic"):
            rows = in_clinic(rows, slug)
        return rows

    def get_object(self):
        return permissions.get_for(
            self.request.user, super().get_queryset(), self.kwargs["pk"], need_of(self.request, self)
        )

    def clinic_for_new(self):
        """The clinic a new row goes to. Raises PermissionDenied."""
        members = Member.objects.filter(user=self.request.user, is_active=True).select_related("clinic")
        if slug := self.request.data.get("clinic"):
            members = in_clinic(members, slug)
        member = members.first()
        if member is None:
            raise PermissionDenied("You are not a member of this clinic.")
        permissions.require(member, need_of(self.request, self))
        return member.clinic

    def member(self, clinic_id: int) -> Member:
        """The caller's membership of a clinic, read once a request."""
        known = self.__dict__.setdefault("_members", {})
        if clinic_id not in known:
            known[clinic_id] = permissions.membership(self.request.user, clinic_id)
        return known[clinic_id]


class ReadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet):
    """Listing and reading."""


class PlainText(serializers.CharField):
    """Text without NUL bytes, which no database takes."""

    def to_internal_value(self, data):
        text = super().to_internal_value(data)
        if "\x00" in text:
            raise serializers.ValidationError("The text holds a NUL character.")
        return text


class ClinicRowSerializer(serializers.ModelSerializer):
    """A row that names its clinic by slug and refuses a clinic's field set to another clinic's row."""

    clinic = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    def clinic_of_row(self):
        """The clinic the row is or will be in."""
        return self.instance.clinic if self.instance else self.context["view"].clinic_for_new()
