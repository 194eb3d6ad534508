"""What of an analysis is a file: its square, heatmaps, panels, report."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action

from classifier.models import Analysis, ThresholdSet
from classifier.plots.colormaps import COLORMAPS, OPACITY
from classifier.presenters import analysis_files, dicom_files
from classifier.presenters.analysis_files import Drawn
from classifier.presenters.result import answer_view
from skinclinic.api import strict
from skinclinic.api.base import ApiRequest, ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.api.files import IF_NONE_MATCH, JPEG, PDF, PNG, ZIP, made, tag_of, unreadable
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Raise it when what is drawn changes, so that programs fetch it anew.
DRAWN = 1


class DrawnSerializer(strict.Serializer):
    """``disease``: one of the 12; not given: the first listed, else the likeliest. ``opacity``: percent of the heatmap
    over the photo. ``thresholds``: by name, those by which diseases are listed."""

    disease = serializers.ChoiceField(DISEASE_KEYS, required=False)
    colours = serializers.ChoiceField(list(COLORMAPS), default="cividis")
    opacity = serializers.IntegerField(min_value=0, max_value=100, default=round(OPACITY * 100))
    thresholds = serializers.CharField(required=False)


class HeatmapSerializer(DrawnSerializer):
    """``over``: ``photo`` lays the heatmap over the analysed square, ``nothing`` draws it alone."""

    over = serializers.ChoiceField(["nothing", "photo"], default="nothing")


class AnalysisFiles(ReadViewSet):
    """For the viewset of analyses, whose ``_answered`` keeps back what pages keep back."""

    asked_with = {
        "heatmap": tuple(HeatmapSerializer().fields),
        "panels": tuple(DrawnSerializer().fields),
        "report": tuple(DrawnSerializer().fields),
    }

    def _answered(self) -> Analysis:
        raise NotImplementedError

    @extend_schema(parameters=[IF_NONE_MATCH], responses=JPEG)
    @action(detail=True)
    def square(self, request: ApiRequest, pk: str = "") -> HttpResponseBase:
        """The square of the photo that was analysed (the crop), as JPEG."""
        row = self.get_object()
        tag = tag_of(DRAWN, row.photo.file_key, row.box)
        name = f"photo-{row.photo_id}-square.jpg"
        return made(request, tag, "image/jpeg", name, lambda: analysis_files.square_jpeg(row.photo, row.box))

    @extend_schema(parameters=[IF_NONE_MATCH, HeatmapSerializer], responses=PNG)
    @action(detail=True)
    def heatmap(self, request: ApiRequest, pk: str = "") -> HttpResponseBase:
        """The heatmap of a disease as PNG, with the disease, the model and what it does not say under it. 409 while
        there is none, or while your own impression comes first."""
        row, asked, drawn = self._asked(HeatmapSerializer)
        over = asked["over"] == "photo"
        tag = tag_of(DRAWN, row.pk, row.photo.file_key, row.analysed_at, drawn, over, get_language())
        name = f"heatmap-{row.photo_id}-{drawn.disease}.png"
        return made(
            request, tag, "image/png", name, lambda: analysis_files.heatmap_png(row, drawn, over_photo=over)
        )

    @extend_schema(parameters=[IF_NONE_MATCH, DrawnSerializer], responses=PNG)
    @action(detail=True)
    def panels(self, request: ApiRequest, pk: str = "") -> HttpResponseBase:
        """Photo, overlay and heatmap side by side as PNG."""
        row, _asked, drawn = self._asked(DrawnSerializer)
        tag = tag_of(DRAWN, row.pk, row.photo.file_key, row.analysed_at, drawn, get_language())
        name = f"photo-{row.photo_id}-{drawn.disease}.png"
        return made(request, tag, "image/png", name, lambda: analysis_files.panels_png(row, drawn))

    @extend_schema(parameters=[IF_NONE_MATCH, DrawnSerializer], responses=PDF)
    @action(detail=True)
    def report(self, request: ApiRequest, pk: str = "") -> HttpResponseBase:
        """The report as PDF: what the model says, what you said of it, the pathology."""
        row, asked, drawn = self._asked(DrawnSerializer)
        view = answer_view(row, _thresholds(row, asked))
        try:
            report = analysis_files.report_of(request.user, row, view, drawn)
        except OSError:
            raise unreadable() from None
        tag = tag_of(DRAWN, row.pk, row.photo.file_key, drawn, analysis_files.words_of(report))
        name = f"report-{row.pk}.pdf"
        return made(request, tag, "application/pdf", name, lambda: analysis_files.report_pdf(report))

    @extend_schema(parameters=[IF_NONE_MATCH], responses=ZIP)
    @action(detail=True)
    def dicom(self, request: ApiRequest, pk: str = "") -> HttpResponseBase:
        """A ZIP of DICOM objects: the photo, the heatmap of each disease over it (Secondary Capture), the scores
        (Structured Report, TID 1500). In English."""
        row = self._answered()
        try:
            tag = tag_of(DRAWN, dicom_files.told_of(row))
        except OSError:
            raise unreadable() from None
        name = f"analysis-{row.pk}-dicom.zip"
        return made(
            request, tag, "application/zip", name, lambda: dicom_files.zipped(dicom_files.of_analysis(row))
        )

    def _asked(self, kind: type[DrawnSerializer]) -> tuple[Analysis, dict[str, Any], Drawn]:
        row = self._answered()
        sent = kind(data=self.request.query_params.dict())
        sent.is_valid(raise_exception=True)
        asked = sent.validated_data
        disease = asked.get("disease") or answer_view(row, _thresholds(row, asked)).rows[0].disease.key
        return row, asked, Drawn(disease, asked["colours"], asked["opacity"] / 100)


def _thresholds(row: Analysis, asked: dict[str, Any]) -> ThresholdSet | None:
    return asked_thresholds(row, asked.get("thresholds", ""))


def asked_thresholds(row: Analysis, name: str) -> ThresholdSet | None:
    """The set of this name; "": the usual one, None where the model has none. Raises Refused for another name."""
    if not name:
        return row.model_version.usual_thresholds(row.clinic_id)
    sets = row.model_version.thresholds_for(row.clinic_id)
    found = next((one for one in sets if one.name == name), None)
    if found is None:
        raise no_such_thresholds(sets)
    return found


def no_such_thresholds(sets: list[ThresholdSet]) -> Refused:
    said = _("There are no such thresholds. There are: %(names)s.")
    return Refused(400, "no_such_thresholds", said % {"names": ", ".join(row.name for row in sets)})
