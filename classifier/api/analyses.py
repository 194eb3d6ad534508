"""Endpoints over photos with their analyses, and over analyses."""

from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.reverse import reverse

from classifier.api import arrivals
from classifier.api.files import DRAWN, AnalysisFiles, asked_thresholds
from classifier.api.pictures import PictureActions
from classifier.api.serializers import (
    AnalysisSerializer,
    AskExplanationSerializer,
    AssessmentSerializer,
    ChosenSquareSerializer,
    DecisionSerializer,
    ExplanationSerializer,
    ImpressionSerializer,
    MapsSerializer,
    RetriedSerializer,
    RetryFailedSerializer,
    SimilarSerializer,
    SuggestedSquaresSerializer,
)
from classifier.metrics.listing import listed
from classifier.models import Analysis, Assessment
from classifier.presenters.analysis_files import square_jpeg
from classifier.presenters.hidden_answers import impression_first
from classifier.presenters.maps import maps_json
from classifier.services.analysis import assessments, explanations, suggested_squares
from classifier.services.analysis.analyses import NoModel, request_analysis, retry_failed
from classifier.services.analysis.assessments import Conflict, Named, NotAChange, NotPossible
from classifier.services.similar import neighbours
from skinclinic import imaging, permissions
from skinclinic.api import strict, waiting
from skinclinic.api.base import ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.api.files import DICOM, IF_NONE_MATCH, JPEG, made, tag_of, unreadable
from skinclinic.api.parsers import FormParser, JSONParser, MultiPartParser
from skinclinic.api.records import lesion_of_request
from skinclinic.api.serializers import NewPhotoSerializer
from skinclinic.engine import jobs
from skinclinic.imaging.boxes import BoxLike
from skinclinic.models import Job, Photo
from skinclinic.presenters.answers import refusal_words
from skinclinic.presenters.attempts import count_photo
from skinclinic.services import dicom_photos, repeated
from skinclinic.services.arriving import Arrival
from skinclinic.services.photos import set_box
from skinclinic.services.refused import Refused as NotNow

ANALYSES = (
    Analysis.objects.asked_for()
    .select_related("clinic", "job", "model_version", "photo__lesion")
    .prefetch_related("model_version__threshold_sets")
)


class PhotoViewSet(PictureActions):
    """Photos: POST a file to store and analyse it; ``crop`` chooses another square."""

    parser_classes = [MultiPartParser, FormParser, JSONParser]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @extend_schema(
        parameters=[arrivals.KEY, arrivals.PREFER],
        request={"multipart/form-data": NewPhotoSerializer},
        responses={201: arrivals.ArrivedPhotoSerializer, 200: arrivals.ArrivedPhotoSerializer},
    )
    def create(self, request):
        """Store a photo with all that is known of it, and ask for its analysis. 201 with `Location`; 200 with
        ``duplicate`` for a file the clinic has, and ``given_back`` where its stored file had been lost and was stored
        again. ``analysis`` says where the answer is and how far it is."""
        sent = NewPhotoSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        lesion = lesion_of_request(request, values.get("lesion"))
        clinic = lesion.clinic if lesion else self.clinic_for_new()
        if values.get("clinic", clinic.slug) != clinic.slug:
            raise ValidationError({"clinic": [_("The lesion is another clinic's.")]})
        arrival = Arrival(
            clinic, request.user, lesion, values.get("patient_code", ""), values.get("site", "")
        )
        key = arrivals.key_of(request)
        count_photo(request)
        data = values["file"].read()
        if not key:
            return self._stored(arrival, values, data)
        try:
            with repeated.once(request.user, key, arrivals.as_text(values, data)) as before:
                if before.status:
                    return self._again(before)
                return self._stored(arrival, values, data, before)
        except repeated.OtherBody:
            raise arrivals.key_reused() from None
        except repeated.AtWork:
            raise arrivals.at_work() from None

    def _stored(self, arrival, values, data, keyed=None) -> Response:
        arrivals.require_usable(arrival, is_no_name=values["code_is_no_name"])
        photo, is_new = arrivals.store_it(arrival, values, data)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        said = {
            "duplicate": not is_new,
            "not_taken": [] if is_new else arrivals.not_taken(values, photo),
            "patient_is_new": arrival.patient_is_new,
            "given_back": photo.given_back,
        }
        if keyed:
            repeated.done(keyed, code, photo.pk, said)
        return self._arrived(photo, code, said)

    def _again(self, before) -> Response:
        """The answer to a request that came before: of the same photo, as it stands now."""
        photo = Photo.objects.select_related("clinic", "lesion").filter(pk=before.photo_key).first()
        if photo is None:
            raise Refused(409, "photo_gone", _("This photo was stored, and was deleted since."))
        permissions.get_for(self.request.user, Photo, photo.pk, permissions.EDIT)
        response = self._arrived(photo, before.status, before.said)
        response["Idempotency-Replayed"] = "true"
        return response

    def _arrived(self, photo, code: int, said: dict) -> Response:
        has_waited = arrivals.wait_for(self.request, photo)
        patient = photo.lesion.patient
        whose = (
            {"id": patient.pk, "code": patient.code, "is_new": said["patient_is_new"]} if patient else None
        )
        shown = self.get_serializer(photo).data
        shown |= {name: said[name] for name in ("duplicate", "given_back", "not_taken")} | {"patient": whose}
        address = reverse("api-photo-detail", args=[photo.pk], request=self.request)
        response = Response(shown, status=code, headers={"Location": address})
        if has_waited:
            response["Preference-Applied"] = f"wait={waiting.wished(self.request)}"
        return response

    @extend_schema(parameters=[IF_NONE_MATCH], responses=JPEG)
    @action(detail=True)
    def crop(self, request, pk=None):
        """The square that is analysed now, as JPEG; that of an analysis is `/analyses/ID/square/`."""
        photo = self.get_object()
        tag = tag_of(DRAWN, photo.file_key, photo.box)
        name = f"photo-{photo.pk}-square.jpg"
        return made(request, tag, "image/jpeg", name, lambda: square_jpeg(photo, photo.box))

    @extend_schema(methods=["GET"], responses=SuggestedSquaresSerializer)
    @extend_schema(methods=["POST"], request=None, responses={202: SuggestedSquaresSerializer})
    @action(detail=True, methods=["get", "post"], url_path="suggested-squares")
    def suggested_squares(self, request, pk=None):
        """Up to five squares that the clinic's model proposes, the likeliest first; POST asks for them. They tell what
        stands out in the photo, and are often wrong: a person chooses, none is chosen by itself."""
        photo = self.get_object()
        if request.method == "GET":
            return Response(SuggestedSquaresSerializer(suggested_squares.of(photo)).data)
        strict.only(request)
        permissions.get_photo_for(request.user, photo.pk, permissions.EDIT)
        try:
            found = suggested_squares.ask(photo, request.user)
        except NotNow as refused:
            raise Refused(409, "no_model", str(refused)) from None
        return Response(SuggestedSquaresSerializer(found).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(parameters=[IF_NONE_MATCH], responses=DICOM)
    @action(detail=True)
    def dicom(self, request, pk=None):
        """The photo as a DICOM object: Dermoscopic Photography or VL Photographic Image. Its SOP Instance UID is the
        same as long as nothing it says changes."""
        try:
            found = dicom_photos.made_of(self.get_object())
        except OSError:
            raise unreadable() from None
        return made(request, tag_of(DRAWN, found.uid), "application/dicom", found.name, found.encoded)

    @extend_schema(request=ChosenSquareSerializer, responses={202: AnalysisSerializer})
    @crop.mapping.post
    def choose_crop(self, request, pk=None):
        """Choose the square that is analysed: its `x`, `y` and `size`, or the number (`suggested`) of one that
        `/suggested-squares/` tells, with its `model`: another may have come into use since, which suggests others.
        Earlier analyses stay."""
        photo = self.get_object()
        is_suggested = "suggested" in request.data
        strict.only(request, *(("suggested", "model") if is_suggested else ("x", "y", "size")))
        box: BoxLike = {name: request.data[name] for name in ("x", "y", "size") if name in request.data}
        try:
            if is_suggested:
                box = suggested_squares.chosen(photo, request.data["suggested"], request.data.get("model"))
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


def is_over(row: Analysis) -> bool:
    """Whether nothing more comes of it by itself."""
    return row.job is None or row.job.state in (Job.State.DONE, Job.State.FAILED)


class AnalysisViewSet(AnalysisFiles):
    """Analyses: state, scores, differential by threshold set, heatmaps; the caller's own assessment of each."""

    queryset = ANALYSES.order_by("-id")
    serializer_class = AnalysisSerializer
    filterset_fields = ["photo", "photo__lesion", "model_version", "job__state"]

    def list(self, request):
        """Analyses, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(shown(self, page or []))

    @extend_schema(parameters=[arrivals.PREFER])
    def retrieve(self, request, pk=None):
        """One analysis."""
        row = self.get_object()
        has_waited = not is_over(row) and waiting.wait(
            waiting.wished(request), lambda: is_over(self.get_object())
        )
        response = Response(shown(self, [self.get_object() if has_waited else row])[0])
        if has_waited:
            response["Preference-Applied"] = f"wait={waiting.wished(request)}"
        return response

    def _answered(self) -> Analysis:
        """The analysis, if its answer is there and may be seen."""
        row = self.get_object()
        if not assessments.may_see_answer(self.request.user, self.member(row.clinic_id), row):
            raise Refused(409, "impression_first", impression_first())
        if not row.is_done:
            raise Refused(409, "not_analysed", _("This photo is not analysed yet."))
        return row

    @extend_schema(responses=MapsSerializer)
    @action(detail=True)
    def maps(self, request, pk=None):
        """The 12 heatmaps in [0, 1] and the square they lie on."""
        row = self._answered()
        return Response(maps_json(row.heatmaps(), row.box))

    @extend_schema(methods=["GET"], responses=ExplanationSerializer(many=True))
    @extend_schema(methods=["POST"], request=AskExplanationSerializer, responses={202: ExplanationSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_fields=None)
    def explanations(self, request, pk=None):
        """Other explanations of the answer; POST asks for one, or gives the one that was asked for already."""
        row = self._answered()
        if request.method == "GET":
            return Response(ExplanationSerializer(row.explanations.select_related("clinic"), many=True).data)
        sent = AskExplanationSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            found = explanations.ask(row, sent.validated_data["method"], request.user)
        except NotNow as refused:
            raise Refused(409, "cannot_explain", str(refused)) from None
        return Response(ExplanationSerializer(found).data, status=status.HTTP_202_ACCEPTED)

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
        strict.only(request)
        if not jobs.retry(row.job):
            raise Refused(409, "not_failed", _("Only a failed analysis can be tried again."))
        return Response(shown(self, [self.get_object()])[0])

    @extend_schema(request=RetryFailedSerializer, responses=RetriedSerializer)
    @action(detail=False, methods=["post"], url_path="retry-failed")
    def retry_failed(self, request):
        """Queue the failed analyses of a clinic (``clinic``, by default the caller's first) again, 500 at a time."""
        strict.only(request, "clinic")
        queued, left = retry_failed(self.clinic_for_new(), request.user)
        return Response({"queued": queued, "still_failed": left})

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
        chosen = asked_thresholds(analysis, values["thresholds"])
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
