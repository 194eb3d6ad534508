"""Endpoints over model versions and their publication."""

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import override
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.response import Response

from classifier.api.serializers import (
    CameAgainSerializer,
    KnownModelSerializer,
    ModelVersionSerializer,
    NewModelSerializer,
    PublicationSerializer,
    ReasonSerializer,
)
from classifier.models import ModelVersion, Publication
from classifier.networks.weights import ModelRejected
from classifier.presenters.model_refusals import refusal_words
from classifier.services.models import card_file, proof, registry
from classifier.services.models import upload as model_upload
from skinclinic import permissions
from skinclinic.api.base import NewRowViewSet, ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.api.parsers import FormParser, JSONParser, MultiPartParser
from skinclinic.files.store import StorageFull
from skinclinic.models import Clinic
from skinclinic.services import step_up
from skinclinic.web.inputs import storable

CLINIC = OpenApiParameter("clinic", OpenApiTypes.STR, description="The short name of one of your clinics.")


class ModelViewSet(mixins.ListModelMixin, NewRowViewSet):
    """Model versions the caller's clinics may use. Admins register, publish and roll back."""

    queryset = (
        ModelVersion.objects.select_related("clinic").prefetch_related("threshold_sets").order_by("-id")
    )
    serializer_class = ModelVersionSerializer
    filterset_fields = ["name", "architecture"]
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    need = permissions.ADMIN
    asked_with = {"card": ("clinic",)}
    max_body_bytes = model_upload.MAX_BYTES

    def get_queryset(self):
        mine = permissions.memberships(self.request.user).values("clinic")
        rows = super().get_queryset()
        return rows.filter(clinic=None) | rows.filter(clinic__in=mine)

    def get_object(self):
        try:
            return self.get_queryset().get(pk=self.kwargs["pk"])
        except ModelVersion.DoesNotExist:
            self._tell_if_refused()
            raise Http404 from None
        except (ValueError, OverflowError):
            raise Http404 from None

    def _tell_if_refused(self):
        """Of a model that was removed because it does not run, the reason."""
        for membership in permissions.memberships(self.request.user).select_related("clinic"):
            if refused := proof.refused(membership.clinic, int(self.kwargs["pk"])):
                raise Refused(404, "does_not_run", refusal_words(refused[0]))

    def retrieve(self, request, pk=None):
        """One model version with its manifest and threshold sets."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        request={"multipart/form-data": NewModelSerializer},
        responses={201: ModelVersionSerializer, 200: KnownModelSerializer},
    )
    def create(self, request):
        """Register a model: ``weights`` (safetensors) and ``manifest`` (JSON), checked before anything is kept. A
        worker then runs it once; until that has worked it cannot be used, and one that fails is removed again (404
        with the code ``does_not_run`` and the reason).
        200 with ``again`` for weights that are here already: what of their description was taken over, and what not.

        ``training_photos`` (CSV): the hashes of the training photos, ``familiarity`` (safetensors): what these are
        like, where the manifest names them.
        """
        sent = NewModelSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        clinic = self.clinic_for_new()
        try:
            version, again = model_upload.register_upload(
                sent.validated_data["weights"],
                sent.validated_data["manifest"],
                sent.validated_data.get("training_photos"),
                sent.validated_data.get("familiarity"),
                clinic=clinic,
                user=request.user,
            )
        except ModelRejected as error:
            raise Refused(400, error.code, refusal_words(error)) from None
        except StorageFull:
            raise Refused(507, "storage_full", _("The server's disk is full. Nothing was stored.")) from None
        if again is None:
            return Response(self.get_serializer(version).data, status=status.HTTP_201_CREATED)
        version = self.get_queryset().get(pk=version.pk)
        return Response(self.get_serializer(version).data | {"again": CameAgainSerializer(again).data})

    @extend_schema(parameters=[CLINIC], responses={(200, "application/json"): OpenApiTypes.OBJECT})
    @action(detail=True)
    def card(self, request, pk=None):
        """The model card (docs/datasets.md): what its description states, and what your clinic's evaluations counted.
        ``clinic``: whose, where you are in several; by default the first."""
        version = self.get_object()
        clinics = Clinic.objects.filter(pk__in=permissions.clinics_of(request.user)).order_by("pk")
        if version.clinic_id:
            clinics = clinics.filter(pk=version.clinic_id)
        if slug := request.query_params.get("clinic"):
            clinics = clinics.filter(slug=slug) if storable(slug) else clinics.none()
        if (clinic := clinics.first()) is None:
            raise Http404
        with override("en"):
            return HttpResponse(card_file.as_json(version, clinic), content_type="application/json")

    @extend_schema(request=ReasonSerializer, responses=PublicationSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request, pk=None):
        """Use this version from the next photo on."""
        version, clinic, reason = self.get_object(), self.clinic_for_new(), self._reason(request)
        if version.clinic_id not in (None, clinic.pk):
            raise Http404
        step_up.require(request)
        try:
            line = registry.publish(version, clinic=clinic, user=request.user, reason=reason)
        except ModelRejected as error:
            raise Refused(409, error.code, refusal_words(error)) from None
        if line is None:
            raise Refused(409, "in_use", _("%(name)s is in use already.") % {"name": version})
        return Response(PublicationSerializer(line).data)

    @extend_schema(request=ReasonSerializer, responses=PublicationSerializer)
    @action(detail=False, methods=["post"], url_path="roll-back")
    def roll_back(self, request):
        """Return to the version that was used before the current one."""
        clinic, reason = self.clinic_for_new(), self._reason(request)
        step_up.require(request)
        try:
            line = registry.roll_back(clinic, user=request.user, reason=reason)
        except ModelRejected as error:
            raise Refused(409, error.code, refusal_words(error)) from None
        if line is None:
            raise Refused(409, "nothing_before", _("There is no earlier model to go back to."))
        return Response(PublicationSerializer(line).data)

    @staticmethod
    def _reason(request) -> str:
        sent = ReasonSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        return sent.validated_data["reason"]


class PublicationViewSet(ReadViewSet):
    """The log of published models and roll-backs."""

    queryset = Publication.objects.select_related("clinic").order_by("-id")
    serializer_class = PublicationSerializer
    filterset_fields = ["model_version", "is_rollback"]
