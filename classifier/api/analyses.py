"""Endpoints over photos with their analyses, and over analyses."""

from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.response import Response

from classifier.api.pictures import PictureActions
from classifier.api.serializers import (
    AnalysisSerializer,
    AssessmentSerializer,
    DecisionSerializer,
    ImpressionSerializer,
    SimilarSerializer,
)
from classifier.metrics.listing import listed
from classifier.models import Analysis, Assessment
from classifier.presenters.maps import maps_json
from classifier.services.analysis import assessments
from classifier.services.analysis.analyses import NoModel, request_analysis
from classifier.services.analysis.assessments import Conflict, Named, NotAChange, NotPossible
from classifier.services.analysis.intake import take_in
from classifier.services.similar import neighbours
from skinclinic import imaging
from skinclinic.api.base import ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.api.parsers import JSONParser
from skinclinic.api.records import lesion_of_request
from skinclinic.api.serializers import BoxSerializer, NewPhotoSerializer
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.presenters.answers import photo_not_stored, refusal_words
from skinclinic.presenters.attempts import count_photo
from skinclinic.services.photos import set_box

ANALYSES = (
    Analysis.objects.asked_for()
    .select_related("clinic", "job", "model_version", "photo__lesion")
    .prefetch_related("model_version__threshold_sets")
)


class PhotoViewSet(PictureActions):
    """Photos: POST a file to store and analyse it; ``crop`` chooses another square."""

    parser_classes = [MultiPartParser, FormParser, JSONParser]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @extend_schema(request={"multipart/form-data": NewPhotoSerializer})
    def create(self, request):
        """Store a photo and ask for its analysis. 201; 200 with ``duplicate`` for a file the clinic has."""
        sent = NewPhotoSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        lesion = lesion_of_request(request, sent.validated_data.get("lesion"))
        file = sent.validated_data["file"]
        count_photo(request)
        try:
            photo, is_new = take_in(
                user=request.user,
                clinic=lesion.clinic if lesion else self.clinic_for_new(),
                data=file.read(),
                name=file.name,
                lesion=lesion,
                kind=sent.validated_data["kind"],
            )
        except imaging.PhotoRejected as refused:
            raise Refused(
                413 if refused.code == "too_large" else 400, refused.code, refusal_words(refused)
            ) from None
        except store.StorageFull:
            raise Refused(507, "storage_full", photo_not_stored()) from None
        body = self.get_serializer(photo).data | {"duplicate": not is_new}
        return Response(body, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(request=BoxSerializer, responses=AnalysisSerializer)
    @action(detail=True, methods=["post"])
    def crop(self, request, pk=None):
        """Choose the square that is analysed; earlier analyses stay."""
        photo = self.get_object()
        box = {name: request.data[name] for name in ("x", "y", "size") if name in request.data}
        try:
            with transaction.atomic():
                set_box(photo, box)
                analysis = request_analysis(photo, user=request.user)
        except imaging.BoxRejected as refused:
            raise Refused(400, refused.code, refusal_words(refused)) from None
        except NoModel:
            raise Refused(
                409,
                "no_model",
                _("There is no model yet. An admin adds and publishes one on the page Models."),
            ) from None
        return Response(shown(self, [analysis])[0], status=status.HTTP_202_ACCEPTED)


def shown(view, rows: list[Analysis]) -> list[dict]:
    """Analyses as JSON, without the answers the caller may not see yet."""
    hidden: set[int] = set()
    for clinic_id in {row.clinic_id for row in rows}:
        ids = [row.photo_id for row in rows if row.clinic_id == clinic_id]
        hidden |= assessments.hidden_photo_ids(view.request.user, view.member(clinic_id), ids)
    context = {**view.get_serializer_context(), "hidden_photos": hidden}
    return list(AnalysisSerializer(rows, many=True, context=context).data)


class AnalysisViewSet(ReadViewSet):
    """Analyses: state, scores, differential by threshold set, heatmaps; the caller's own assessment of each."""

    queryset = ANALYSES.order_by("-id")
    serializer_class = AnalysisSerializer
    filterset_fields = ["photo", "photo__lesion", "model_version", "job__state"]

    def list(self, request):
        """Analyses, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(shown(self, page or []))

    def retrieve(self, request, pk=None):
        """One analysis."""
        return Response(shown(self, [self.get_object()])[0])

    def _answered(self) -> Analysis:
        """The analysis, if its answer is there and may be seen."""
        row = self.get_object()
        if not assessments.may_see_answer(self.request.user, self.member(row.clinic_id), row):
            raise Refused(
                409,
                "impression_first",
                _("Record your own impression first, or choose to see the answer without one."),
            )
        if not row.is_done:
            raise Refused(409, "not_analysed", _("This photo is not analysed yet."))
        return row

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def maps(self, request, pk=None):
        """The 12 heatmaps in [0, 1] and the square they lie on."""
        row = self._answered()
        return Response(maps_json(row.heatmaps(), row.box))

    @extend_schema(responses=SimilarSerializer)
    @action(detail=True)
    def similar(self, request, pk=None):
        """The proven photos of the archive that the model finds most like this one, nearest first, one a lesion."""
        return Response(SimilarSerializer(neighbours.of_analysis(self._answered())).data)

    @extend_schema(request=None, responses=AnalysisSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request, pk=None):
        """Queue a failed analysis again."""
        row = self.get_object()
        if not jobs.retry(row.job):
            raise Refused(409, "not_failed", _("Only a failed analysis can be tried again."))
        return Response(shown(self, [self.get_object()])[0])

    @extend_schema(responses=AssessmentSerializer)
    @action(detail=True)
    def assessment(self, request, pk=None):
        """The caller's own assessment: impression, what was shown, decision."""
        row = assessments.of(request.user, self.get_object())
        if row is None:
            raise NotFound
        return Response(AssessmentSerializer(row).data)

    @extend_schema(request=ImpressionSerializer, responses=AssessmentSerializer)
    @action(detail=True, methods=["post"])
    def impression(self, request, pk=None):
        """Record the own impression, or that it was skipped; it cannot be changed afterwards."""
        analysis, sent = self.get_object(), ImpressionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            row = assessments.record_impression(request.user, analysis, _named(sent))
        except Conflict:
            raise Refused(409, "recorded", _("An impression of this photo is recorded already.")) from None
        return Response(AssessmentSerializer(row).data)

    @extend_schema(request=DecisionSerializer, responses=AssessmentSerializer)
    @action(detail=True, methods=["post"])
    def decision(self, request, pk=None):
        """Agree, keep, take, change or dismiss. Earlier decisions are kept."""
        analysis, sent = self._answered(), DecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        sets = analysis.model_version.thresholds_for(analysis.clinic_id)
        chosen = next((row for row in sets if row.name == values["thresholds"]), None)
        if sets and chosen is None:
            names = ", ".join(row.name for row in sets)
            raise Refused(
                400,
                "no_such_thresholds",
                _("There are no such thresholds. There are: %(names)s.") % {"names": names},
            )
        try:
            row = assessments.decide(
                request.user, analysis, values["decision"], named=_named(sent), comment=values["comment"],
                differential=values.get("differential"),
                seen=values["seen"], threshold_set=None if analysis.set_aside else chosen,
                listed=listed(analysis.scores, chosen.values) if chosen and not analysis.set_aside else [],
            )  # fmt: skip
        except NotAChange:
            raise Refused(
                400,
                "not_a_change",
                _("This is your impression already. Keep it, or name another diagnosis."),
            ) from None
        except NotPossible:
            raise Refused(
                400,
                "not_so",
                _(
                    "Agree fits an impression that the model lists first, keep an impression, take a listed disease."
                ),
            ) from None
        except Conflict:
            raise Refused(
                409, "changed_meanwhile", _("The decision has changed since; read it again.")
            ) from None
        return Response(AssessmentSerializer(row).data)


def _named(sent) -> Named | None:
    named = Named(*(sent.validated_data[name] for name in ("disease", "icd10", "text")))
    if named == Named():
        return None
    return replace(named, differential=sent.validated_data.get("differential", named.differential))


class AssessmentViewSet(ReadViewSet):
    """The caller's own assessments."""

    queryset = Assessment.objects.select_related("clinic", "user", "impression", "conclusion").order_by("-id")
    serializer_class = AssessmentSerializer
    filterset_fields = ["analysis", "analysis__photo", "decision"]

    def get_queryset(self):
        return super().get_queryset().filter(user=self.request.user)

    def get_object(self):
        row = super().get_object()
        if row.user_id != self.request.user.pk:
            raise NotFound
        return row
