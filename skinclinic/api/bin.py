"""DELETE moves to the bin; the bin itself, restoring from it and emptying it."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ApiRequest, ClinicRowSerializer, ReadViewSet
from skinclinic.api.conditional import IF_MATCH
from skinclinic.api.errors import Refused
from skinclinic.forms.bin import ReasonForm
from skinclinic.models import BinItem, Member
from skinclinic.presenters import bin as words
from skinclinic.services import step_up
from skinclinic.services.binning import bin as service
from skinclinic.services.binning import emptying, items
from skinclinic.services.binning.taking_back import take_back


class BinItemSerializer(ClinicRowSerializer):
    """``key`` is the id it had and gets again; ``counts``: what went with it; ``effects``: what followed elsewhere.
    ``ended_how`` is "" while it lies in the bin, then "restored" or "emptied"."""

    name = serializers.SerializerMethodField()
    by: "serializers.SlugRelatedField" = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = BinItem
        fields = [
            "id", "clinic", "kind", "key", "name", "reason", "words", "counts", "effects", "at", "by", "until",
            "ended_how", "ended_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_name(self, item: BinItem) -> str:
        return words.named(item)


class RestoredSerializer(BinItemSerializer):
    """``not_back``: in words, what does not come back by itself."""

    not_back = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(BinItemSerializer.Meta):
        fields = [*BinItemSerializer.Meta.fields, "not_back"]


WHY = [
    IF_MATCH,
    OpenApiParameter(
        "reason", OpenApiTypes.STR, enum=BinItem.Reason.values,
        description="Why it is deleted; also as a field of the body. With `other`, `words` say why.",
    ),
    OpenApiParameter("words", OpenApiTypes.STR, description="The reason in own words."),
]  # fmt: skip


class DeletesToBin:
    """For viewsets with ``CarefulUpdates`` over photos, lesions and patients."""

    asked_with = {"destroy": ("reason", "words")}

    @extend_schema(parameters=WHY, request=None, responses={200: BinItemSerializer})
    def destroy(self, request: ApiRequest, *args: Any, **kwargs: Any) -> Response:
        """Move it, with all that is its own, to the bin: it is gone from everything at once, and can be restored for 30
        days (`POST /api/v1/bin/ID/restore/`). A `reason` must be given."""
        row = self.get_object()  # type: ignore[attr-defined]  # of the viewset
        service.require_right(row, self.member(row.clinic_id))  # type: ignore[attr-defined]
        strict.only(request, "reason", "words")
        sent = {**request.query_params.dict(), **dict(request.data.items())}
        form = ReasonForm(sent)
        if not form.is_valid():
            raise ValidationError(
                {name: [str(error) for error in errors] for name, errors in form.errors.items()}
            )
        if header := request.headers.get("If-Match", ""):
            self._require_seen(header, {}, row)  # type: ignore[attr-defined]
        try:
            item = service.put(row, request.user, **form.cleaned_data)
        except items.Gone:
            raise Http404 from None
        return Response(BinItemSerializer(item, context={"view": self}).data)


class BinViewSet(ReadViewSet):
    """What lies in the bin, and the log of what did; for those who may change patients. ``restore`` puts an item back,
    DELETE (an admin's) empties it for good."""

    queryset = BinItem.objects.select_related("clinic", "by").order_by("-id")
    serializer_class = BinItemSerializer
    filterset_fields = ["kind", "reason", "ended_how"]
    http_method_names = ["get", "post", "delete", "head", "options"]
    needs = {"destroy": permissions.ADMIN}

    def get_queryset(self):
        # Who may only read sees no bin.
        mine = permissions.memberships(self.request.user).filter(role__in=Member.EDITING_ROLES)
        return super().get_queryset().filter(clinic__in=mine.values("clinic"))

    def get_object(self):
        item = super().get_object()
        permissions.require(self.member(item.clinic_id), permissions.EDIT)
        return item

    @extend_schema(request=None, responses=RestoredSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request, pk=None):
        """Put it back as it was. 409 where something is in its way."""
        item = self.get_object()
        strict.only(request)
        if items.is_of_archive(item):
            permissions.require(self.member(item.clinic_id), permissions.CURATE)
        try:
            restored = take_back(item, request.user)
        except items.Gone:
            raise self._ended() from None
        shown = BinItemSerializer(restored.item, context={"view": self}).data
        return Response({**shown, "not_back": words.not_back(restored)})

    def destroy(self, request, pk=None):
        """Delete it for good now, with all files."""
        item = self.get_object()
        strict.only(request)
        step_up.require(request)
        try:
            emptying.empty(item, request.user)
        except items.Gone:
            raise self._ended() from None
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _ended(self) -> Refused:
        return Refused(409, "ended", _("This lies in the bin no more."))
