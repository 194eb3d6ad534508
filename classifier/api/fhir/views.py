"""Reading and searching."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from classifier.api.fhir import kinds, searching, totals
from classifier.api.fhir.answering import FhirView, open_to
from classifier.api.fhir.including import Included, includes, reverse
from classifier.api.fhir.kinds import Kind
from classifier.api.fhir.observations import OBSERVED
from classifier.models import Analysis
from classifier.presenters import analysis_files
from classifier.presenters.analysis_files import Drawn
from classifier.presenters.fhir import answers, lesion, photos, proof, rows, systems
from classifier.presenters.fhir.teller import Teller, base_of
from classifier.presenters.hidden_answers import impression_first
from classifier.presenters.result import answer_view
from skinclinic import permissions
from skinclinic.api.errors import Refused
from skinclinic.api.files import made, stored_jpeg, tag_of, unreadable
from skinclinic.fhir import JSON, capability
from skinclinic.fhir.parts import bundle, entry
from skinclinic.files import store
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web import keyset

# Raise it when what is told of rows changes, so that files are fetched anew.
DRAWN = 1


class Metadata(FhirView):
    """The CapabilityStatement, which names nothing of any clinic: for everybody, as FHIR has it."""

    permission_classes = [AllowAny]
    parameters = frozenset(("mode",))

    def get(self, request: Request) -> Response:
        self.require_known()
        if (mode := request.query_params.get("mode", "full")) not in ("full", "normative"):
            raise ValidationError({"mode": [searching.not_here(mode)]})
        searched = {name: (kind.parameters, kind.operations) for name, kind in kinds.SEARCHED.items()}
        searched[kinds.OBSERVATION] = OBSERVED, ()
        offered = {
            name: capability.Offered(
                {one: parameter.kind for one, parameter in parameters.items()},
                operations,
                includes(name),
                reverse(name),
            )
            for name, (parameters, operations) in searched.items()
        }
        offered |= {name: capability.Offered() for name in ("Binary", "CodeSystem", "OperationDefinition")}
        version = str(settings.SPECTACULAR_SETTINGS["VERSION"])
        return Response(capability.statement(base_of(self.request), version, timezone.now(), offered))


class Codes(FhirView):
    """The codes that only this product has."""

    def get(self, request: Request) -> Response:
        self.require_known()
        return Response(systems.own_codes(self.teller()))


class Operation(FhirView):
    """The operation that only this product has."""

    def get(self, request: Request) -> Response:
        self.require_known()
        return Response(capability.everything(base_of(request)))


class Search(FhirView):
    """``kind``: of which resources."""

    kind: Kind = kinds.PATIENT

    def get(self, request: Request) -> Response:
        self.parameters = frozenset(
            (*self.kind.parameters, *searching.OF_EVERY_SEARCH, *searching.OF_ONE_KIND)
        )
        self.require_known()
        teller, size = self.teller(), searching.count_asked(self.request)
        along = Included(self.request, self.kind.name, teller)
        found = searching.narrowed(
            self.kind.rows(self.request.user), self.kind.parameters, self.request, teller
        )
        found, order = searching.ordered(found, self.kind.sorts, self.request)
        total = totals.Total(None, [])
        if searching.is_total_asked(self.request) or size == 0:
            total = totals.of(found, self.kind, request.query_params, teller)
        said = [entry(teller.base, one, "outcome") for one in total.said]
        if size == 0:
            return Response(bundle("searchset", said, links=self._links(""), total=total.number))
        try:
            page = keyset.page(found, order, request.query_params.get("cursor", ""), size)
        except keyset.BadCursor:
            raise NotFound from None
        shown, outcomes = open_to(page.rows, teller) if self.kind.of_answers else (page.rows, [])
        told = [self.kind.tell(row, teller) for row in shown]
        others, hidden = along.entries(told)
        entries = [entry(teller.base, one, "match") for one in told] + others
        entries += [entry(teller.base, one, "outcome") for one in outcomes or lesion.kept_back(hidden)]
        links = self._links(page.next) | {"previous": searching.page_address(self.request, page.previous)}
        return Response(
            bundle("searchset", entries + said, links=links, total=total.number, at=timezone.now())
        )

    def _links(self, after: str) -> dict[str, str]:
        return {
            "self": self.request.build_absolute_uri(),
            "first": searching.first_page(self.request),
            "next": searching.page_address(self.request, after),
        }


class Read(FhirView):
    """One resource of a ``Kind``."""

    kind: Kind = kinds.PATIENT

    def get(self, request: Request, pk: int) -> Response:
        if self.kind.name == "Device":
            row = self.kind.rows(self.request.user).filter(pk=pk).first()
            if row is None:
                raise Http404
        else:
            row = permissions.get_for(request.user, self.kind.rows(self.request.user), pk)
        self.require_known()
        if self.kind.of_answers:
            _require_open(row, self.teller())
        return Response(self.kind.tell(row, self.teller()))


class Everything(FhirView):
    """All that is told of a lesion."""

    def get(self, request: Request, pk: int) -> Response:
        row = permissions.get_for(request.user, rows.lesions(), pk)
        self.require_known()
        return Response(lesion.as_bundle(row, self.teller(), with_files=False))


class Pathology(FhirView):
    def get(self, request: Request, pk: int) -> Response:
        row = permissions.get_for(request.user, rows.pathologies(), pk)
        self.require_known()
        return Response(proof.pathology(row, self.teller()))


class _OfAnalysis(FhirView):
    def answered(self, pk: int) -> Analysis:
        """The analysis, if there is an answer that the person may see."""
        row = permissions.get_for(self.request.user, rows.analyses(), pk)
        self.require_known()
        _require_open(row, self.teller())
        if not row.is_done:
            raise Refused(409, "not_analysed", _("This photo is not analysed yet."))
        return row


class Score(_OfAnalysis):
    """Of one of the 12, also where it is not listed; none where the answer does not count."""

    def get(self, request: Request, pk: int, disease: str) -> Response:
        row = self.answered(pk)
        if disease not in DISEASE_KEYS or row.set_aside:
            raise Http404
        return Response(answers.score(row, disease, self.teller()))


def _require_open(row: Analysis, teller: Teller) -> None:
    if teller.hidden([row]):
        raise Refused(409, "impression_first", impression_first())


class PhotoFile(FhirView):
    """The file itself; as a Binary where ``Accept`` asks for FHIR's JSON."""

    def get(self, request: Request, pk: int) -> HttpResponseBase:
        row = permissions.get_for(request.user, rows.photos(), pk)
        self.require_known()
        name = f"photo-{row.pk}"
        if not _wants_resource(request):
            return stored_jpeg(self.request, row.file_key, f"{name}.jpg")
        try:
            content = store.read(row.file_key)
        except OSError:
            raise unreadable() from None
        return Response(photos.binary(name, "image/jpeg", content, row.lesion))


class HeatmapFile(_OfAnalysis):
    def get(self, request: Request, pk: int, disease: str) -> HttpResponseBase:
        row = self.answered(pk)
        if disease not in DISEASE_KEYS:
            raise Http404
        name, tag = f"heatmap-{row.pk}-{disease}", tag_of(DRAWN, row.pk, disease, row.analysed_at)
        return _drawn(self, row, name, "image/png", tag,
                      lambda: analysis_files.heatmap_png(row, Drawn(disease), over_photo=False))  # fmt: skip


class ReportFile(_OfAnalysis):
    """The report as PDF."""

    def get(self, request: Request, pk: int) -> HttpResponseBase:
        row = self.answered(pk)
        view = answer_view(row, answers.thresholds_of(row))
        try:
            report = analysis_files.report_of(self.request.user, row, view, Drawn(view.rows[0].disease.key))
        except OSError:
            raise unreadable() from None
        tag = tag_of(DRAWN, row.pk, analysis_files.words_of(report))
        return _drawn(
            self, row, f"report-{row.pk}", "application/pdf", tag, lambda: analysis_files.report_pdf(report)
        )


def _drawn(view: FhirView, row: Analysis, name: str, mime: str, tag: str, make: Any) -> HttpResponseBase:
    suffix = mime.rpartition("/")[2]
    response = made(view.request, tag, mime, f"{name}.{suffix}", make)
    if (
        not _wants_resource(view.request)
        or not isinstance(response, HttpResponse)
        or response.status_code != 200
    ):
        return response
    return Response(photos.binary(name, mime, response.content, row.photo.lesion))


def _wants_resource(request: Request) -> bool:
    return JSON in request.headers.get("Accept", "") or bool(request.query_params.get("_format"))
