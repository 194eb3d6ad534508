"""What every answer of the FHIR server shares: its kind, and errors as OperationOutcome."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAcceptable, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.models import Analysis
from classifier.presenters.fhir import lesion
from classifier.presenters.fhir.teller import Teller, base_of
from skinclinic.api import errors, strict
from skinclinic.api.base import ApiRequest
from skinclinic.api.permissions import ClinicPermission
from skinclinic.fhir import JSON
from skinclinic.fhir.parts import Json, issue, outcome

# FHIR's kinds of issues (its ValueSet issue-type), by status.
_ISSUES = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
    409: "conflict", 412: "conflict", 413: "too-costly", 415: "not-supported", 422: "processing", 429: "throttled",
    503: "transient", 507: "no-store",
}  # fmt: skip
_JSONS = ("", "json", JSON, "application/json", "text/json")
_SENT = (JSON, "application/json", "text/json")
# Kinds of FHIR's answers that there are none of here.
_OTHERS = frozenset(
    ("application/fhir+xml", "application/xml", "text/xml", "application/fhir+turtle", "text/turtle")
)
# Of several values only the last would count.
_ONCE = frozenset(("_count", "_sort", "_total", "_format", "cursor", "mode"))


class FhirRenderer(JSONRenderer):
    media_type = JSON
    format = "json"


class JsonOnly(BaseContentNegotiation):
    """JSON, as the rest of the API, unless ``Accept`` or ``_format`` wants another kind of FHIR's alone."""

    def select_parser(self, request, parsers):
        sent = request.content_type.partition(";")[0].strip().lower()
        return parsers[0] if parsers and sent in _SENT else None

    def select_renderer(self, request, renderers, format_suffix=None):
        # A + that nobody has quoted arrives as a blank.
        asked = request.query_params.get("_format", "").replace(" ", "+")
        wanted = {
            one.partition(";")[0].strip().lower() for one in request.headers.get("Accept", "").split(",")
        }
        if asked not in _JSONS or (not asked and wanted <= _OTHERS):
            raise NotAcceptable(_("FHIR is answered as JSON alone (application/fhir+json)."))
        return renderers[0], renderers[0].media_type


class FhirView(APIView):
    """Told of by its CapabilityStatement, not by the schema of the API."""

    schema = None
    request: ApiRequest
    # ``require_known`` is called once the row is known to be one's own.
    permission_classes = [ClinicPermission]
    renderer_classes = [FhirRenderer]
    content_negotiation_class = JsonOnly
    # Parameters besides ``_format``.
    parameters: frozenset[str] = frozenset()

    def teller(self) -> Teller:
        return Teller(self.request.user, base_of(self.request))

    def require_known(self) -> None:
        """Raise ValidationError for a parameter that there is none of: nothing that was asked is passed over."""
        asked, known = self.request.query_params, {*self.parameters, "_format"}
        if wrong := sorted(set(asked) - known):
            raise ValidationError({name: [strict.no_parameter(known)] for name in wrong})
        if again := strict.twice(asked, known - _ONCE):
            raise ValidationError(again)
        if empty := [name for name in asked if name not in _ONCE and "" in asked.getlist(name)]:
            raise ValidationError({name: [_("This is empty. Say what is searched for.")] for name in empty})

    def get_exception_handler(self):
        return _handle


def _handle(error: Exception, context: dict[str, Any]) -> Response | None:
    response = errors.handle(error, context)
    if response is None:
        return None
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = FhirRenderer(), JSON
    response.data = _outcome(
        response.data["error"], response.status_code, Teller(request.user, base_of(request))
    )
    return response


def _outcome(told: Json, status: int, teller: Teller) -> Json:
    """An error of the API as an OperationOutcome: one issue for each field, else one."""
    code = _ISSUES.get(status, "processing")
    own = [{"system": f"{teller.base}/CodeSystem/error", "code": str(told["code"])}]
    fields = told.get("fields") or {}
    issues = [issue(code, f"{name}: {_said(words)}", details=own, at=name) for name, words in fields.items()]
    return outcome(*(issues or [issue(code, str(told["message"]), details=own)]))


def _said(words: object) -> str:
    return " ".join(map(str, words)) if isinstance(words, list) else str(words)


def open_to(some: list[Analysis], teller: Teller) -> tuple[list[Analysis], list[Json]]:
    """Those whose answer the person may see, and what is said of the others."""
    hidden = teller.hidden(some)
    shown = [row for row in some if row.photo_id not in hidden]
    return shown, lesion.kept_back(len(some) - len(shown))


class NothingHere(FhirView):
    """Every other address below the server's."""

    def get(self, request: ApiRequest, rest: str = "") -> Response:
        raise Http404
