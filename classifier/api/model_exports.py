"""Endpoints over models made ready for other programs: admins alone."""

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from classifier.models import ModelExport
from classifier.presenters.model_exports import as_zip, failure, not_there
from classifier.services.models import exports, registry
from skinclinic.api import strict
from skinclinic.api.base import AdminViewSet, ClinicRowSerializer
from skinclinic.api.errors import Refused
from skinclinic.engine import work
from skinclinic.models import Job
from skinclinic.services import step_up
from skinclinic.services.refused import Refused as NotNow


class ModelExportSerializer(ClinicRowSerializer):
    """A model as files for other programs. ``outputs``: what the network gives there, ``logits`` and, where not only
    PyTorch computes them, ``maps``; ``library``: what wrote it; ``size`` in bytes; ``kept_until``: when the files are
    deleted. Empty, 0 or null until ``state`` is ``done``."""

    progress = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    size = serializers.SerializerMethodField()
    kept_until = serializers.SerializerMethodField()
    outputs = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ModelExport
        fields = [
            "id", "clinic", "model_version", "format", "state", "progress", "error", "outputs", "library", "size",
            "kept_until", "asked_at", "finished_at",
        ]  # fmt: skip

    def get_progress(self, row: ModelExport) -> float:
        """0 to 1."""
        if row.state == ModelExport.State.DONE:
            return 1.0
        job = work.last([exports.JOB], row.pk)
        return job.progress if job else 0.0

    def get_error(self, row: ModelExport) -> dict[str, str] | None:
        job = work.last([exports.JOB], row.pk) if row.can_go_on else None
        if job is None or job.state != Job.State.FAILED:
            return None
        return {"code": job.error_code, "message": failure(job)}

    def get_size(self, row: ModelExport) -> int:
        return exports.size(row) if row.state == ModelExport.State.DONE else 0

    def get_kept_until(self, row: ModelExport) -> str | None:
        until = exports.kept_until(row)
        return until.isoformat() if until else None


class NewModelExportSerializer(strict.Serializer):
    """``model_version``: which model; ``format``: ``openvino`` or ``onnx``; ``clinic``: a slug, by default the caller's
    first."""

    model_version = serializers.IntegerField(min_value=1)
    format = serializers.ChoiceField(ModelExport.Format.choices)
    clinic = serializers.SlugField(required=False)


class ModelExportViewSet(AdminViewSet):
    """Models made ready for other programs, newest first; only for admins. POST asks for one; a clinic has at most six
    at a time."""

    queryset = ModelExport.objects.select_related("clinic", "model_version").order_by("-id")
    serializer_class = ModelExportSerializer
    filterset_fields = ["model_version", "state"]

    @extend_schema(request=NewModelExportSerializer, responses={202: ModelExportSerializer})
    def create(self, request):
        """Have a model written in a format, or get what was asked for already. What failed or was stopped begins
        anew."""
        clinic = self.clinic_for_new()
        sent = NewModelExportSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        version = registry.listed(clinic).filter(pk=sent.validated_data["model_version"]).first()
        if version is None:
            raise Http404
        try:
            row = exports.ask(version, sent.validated_data["format"], clinic, request.user)
        except NotNow as refused:
            raise Refused(409, "refused", str(refused)) from None
        return Response(ModelExportSerializer(row).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(detail=True)
    def file(self, request, pk=None) -> HttpResponseBase:
        """The files as a ZIP, with the model's description and card."""
        row = self.get_object()
        step_up.require(request)
        try:
            return as_zip(request, row, request.user)
        except exports.NotThere:
            raise Refused(409, "not_made", not_there()) from None

    @extend_schema(request=None, responses=ModelExportSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request, pk=None):
        """Stop one that waits or runs; asking for it again begins anew."""
        strict.only(request)
        row = self.get_object()
        job = work.last([exports.JOB], row.pk)
        if job is None or not work.cancel(job, request.user):
            raise Refused(409, "not_busy", _("It is over already; there is nothing to stop."))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses={204: None})
    def destroy(self, request, pk=None):
        """Delete the files before their time; what waits or is being made is stopped."""
        strict.only(request)
        exports.delete(self.get_object(), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
