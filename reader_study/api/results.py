"""Results of studies for programs."""

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from reader_study.models import Study, StudyResult
from reader_study.services.access import Access, with_answers_for
from reader_study.services.results import result_files
from reader_study.services.results import results as service
from reader_study.services.results.study_tables import FILES
from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ReadViewSet
from skinclinic.api.errors import Refused

_AK = OpenApiParameter("ak", enum=service.POLICIES, description="Where actinic keratosis counts.")


class StudyResultSerializer(strict.ModelSerializer):
    """How far the results of a study are."""

    id = serializers.IntegerField(source="study_id", help_text="That of the study.")
    study = serializers.CharField(source="study.name")

    class Meta:
        model = StudyResult
        fields = ["id", "study", "state", "error", "facts", "computed_at"]
        read_only_fields = fields


class StudyResultViewSet(ReadViewSet):
    """Results of the studies of the caller's clinics that are closed (or unblinded, for those who run them)."""

    queryset = Study.objects.select_related("clinic", "model_version").order_by("-id")
    serializer_class = StudyResultSerializer
    need = permissions.STUDY
    asked_with = {"retrieve": ("ak",), "file": ("ak", "name")}

    def list(self, request):
        """The studies whose results the caller may see, and how far these are."""
        studies = self.filter_queryset(self.get_queryset()).filter(pk__in=with_answers_for(request.user))
        rows = StudyResult.objects.filter(study__in=studies).select_related("study").order_by("-study")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(parameters=[_AK], responses=OpenApiTypes.OBJECT)
    def retrieve(self, request, pk=None):
        """The report as JSON, with where it comes from under ``about``. 409 until it is computed."""
        results = self._results()
        result_files.report_json(results)
        return Response(results.report)

    @extend_schema(
        parameters=[
            _AK, OpenApiParameter("name", enum=("answers-in-words.csv", *FILES), required=True),
        ],
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )  # fmt: skip
    @action(detail=True, methods=["get"])
    def file(self, request, pk=None):
        """A table: all answers in words, or one of those that "Replay from files" reads."""
        name = request.query_params.get("name", "")
        results = self._results()
        content = (
            result_files.answers_csv(results)
            if name == "answers-in-words.csv"
            else result_files.table(results, name)
        )
        if content is None:
            raise Http404
        response = HttpResponse(content, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition_header(
            True, result_files.name_of(results, name)
        )
        return response

    @extend_schema(request=None, responses={202: StudyResultSerializer})
    @action(detail=True, methods=["post"])
    def compute(self, request, pk=None):
        """Compute the results again."""
        study = self.get_object()
        strict.only(request)
        if not study.is_unblinded:
            raise Refused(409, "blinded", _("Results are computed once the study is closed."))
        return Response(self.get_serializer(service.request(study)).data, status=202)

    def _results(self) -> service.Results:
        study = self.get_object()
        Access(study, self.member(study.clinic_id)).require_answers()
        try:
            return service.Results(study, self.request.query_params.get("ak", ""))
        except service.NoResults:
            raise Refused(409, "not_computed", _("The results are not computed yet.")) from None
