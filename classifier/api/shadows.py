"""Endpoints over candidates in the shadow: admins alone."""

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from classifier.models import ModelVersion, Shadow
from classifier.services.models import registry
from classifier.services.shadow import runs
from skinclinic.api import strict
from skinclinic.api.base import AdminViewSet, ClinicRowSerializer
from skinclinic.api.errors import Refused
from skinclinic.services import step_up
from skinclinic.services.refused import Refused as NotNow


class ShadowSerializer(ClinicRowSerializer):
    """A candidate (``model_version``) that computes what the model ``in_use`` answers, unseen. ``ending``:
    ``stopped`` or ``other_model`` once it has ended. ``figures``: both on the same photos, of the first
    thresholds of each (in use, candidate): ``lists`` (shares as [count, of, low, high] with 95 % intervals),
    ``proven`` (by policy of actinic keratosis: patients that ``both``, only the ``first`` (in use), only the
    ``second`` or ``neither`` got right; from ten patients on shares, ``difference`` with Newcombe's interval
    and McNemar's exact ``p``)."""

    in_use: "serializers.PrimaryKeyRelatedField[ModelVersion]" = serializers.PrimaryKeyRelatedField(
        read_only=True
    )
    figures = serializers.DictField(read_only=True)

    class Meta:
        model = Shadow
        fields = [
            "id", "clinic", "model_version", "in_use", "started_at", "ended_at", "ending", "computed_at", "figures",
        ]  # fmt: skip


class NewShadowSerializer(strict.Serializer):
    """``model_version``: which model; ``clinic``: a slug, by default the caller's first."""

    model_version = serializers.IntegerField(min_value=1)
    clinic = serializers.SlugField(required=False)


class ShadowViewSet(AdminViewSet):
    """Candidates in the shadow of the model in use, newest first; only for admins. POST starts one."""

    queryset = Shadow.objects.select_related("clinic").order_by("-id")
    serializer_class = ShadowSerializer
    filterset_fields = ["model_version", "in_use"]

    @extend_schema(request=NewShadowSerializer, responses={201: ShadowSerializer})
    def create(self, request):
        """Have each new photo computed by this model as well, until it is stopped or another model comes into use."""
        sent = NewShadowSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        clinic = self.clinic_for_new()
        version = registry.listed(clinic).filter(pk=sent.validated_data["model_version"]).first()
        if version is None:
            raise Http404
        step_up.require(request)
        try:
            row = runs.start(version, clinic=clinic, user=request.user)
        except NotNow as refused:
            raise Refused(409, "refused", str(refused)) from None
        return Response(ShadowSerializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ShadowSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request, pk=None):
        """Stop it; what it has shown stays."""
        strict.only(request)
        row = self.get_object()
        if not runs.stop(row, request.user):
            raise Refused(409, "not_busy", _("It is over already; there is nothing to stop."))
        return Response(ShadowSerializer(self.get_object()).data)
