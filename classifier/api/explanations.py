"""Endpoints over explanations; asking for one is an action of its analysis."""

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from classifier.api.serializers import ExplanationSerializer
from classifier.models import Explanation
from classifier.presenters.hidden_answers import impression_first
from classifier.presenters.maps import maps_json
from classifier.services.analysis import assessments, explanations
from skinclinic.api import strict
from skinclinic.api.base import ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.engine import work
from skinclinic.services.refused import Refused as NotNow


class ExplanationViewSet(ReadViewSet):
    """Other explanations that were asked for: where they stand, and their heatmaps."""

    queryset = Explanation.objects.select_related(
        "clinic", "analysis__photo__lesion", "analysis__model_version"
    ).order_by("-id")
    serializer_class = ExplanationSerializer
    filterset_fields = ["analysis", "analysis__photo", "method", "state"]

    def get_object(self):
        row = super().get_object()
        if not assessments.may_see_answer(self.request.user, self.member(row.clinic_id), row.analysis):
            raise Refused(409, "impression_first", impression_first())
        return row

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def maps(self, request, pk=None):
        """The 12 heatmaps in [0, 1] and the square they lie on."""
        row = self.get_object()
        if not row.is_done:
            raise Refused(409, "not_explained", _("This explanation is not computed yet."))
        return Response(maps_json(row.heatmaps(), row.analysis.box))

    @extend_schema(request=None, responses=ExplanationSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request, pk=None):
        """Stop one that waits or runs; ``retry`` takes it up again."""
        strict.only(request)
        row = self.get_object()
        job = work.last([explanations.JOB], row.pk)
        if job is None or not work.cancel(job, request.user):
            raise Refused(409, "not_busy", _("It is over already; there is nothing to stop."))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=ExplanationSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request, pk=None):
        """Take one up again that was stopped or failed."""
        strict.only(request)
        row = self.get_object()
        try:
            went_on = explanations.go_on(row, request.user)
        except NotNow as refused:
            raise Refused(409, "cannot_explain", str(refused)) from None
        if not went_on:
            raise Refused(409, "not_stopped", _("It is not stopped; there is nothing to take up again."))
        return Response(self.get_serializer(self.get_object()).data)
