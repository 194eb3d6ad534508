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
from skinclinic.api import errors
from skinclinic.api.base import ApiRequest
from skinclinic.fhir import JSON
from skinclinic.fhir.parts import Json, issue, outcome

# FHIR's kinds of issues (its ValueSet issue-type), by status.
_ISSUES = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
    409: "conflict", 412: "conflict", 413: "too-costly", 415: "not-supported", 422: "processing", 429: "throttled",
    503: "transient", 507: "no-store",
}  # fmt: skip
_JSONS = ("", "json", JSON, "application/json", "text/json")


class FhirRenderer(JSONRenderer):
    media_type = JSON
    format = "json"


class JsonOnly(BaseContentNegotiation):
    """JSON whatever is asked for by ``Accept``, as the rest of the API; ``_format`` may ask for nothing else."""

    def select_parser(self, request, parsers):
        return parsers[0] if parsers else None

    def select_renderer(self, request, renderers, format_suffix=None):
        if request.query_params.get("_format", "") not in _JSONS:
            raise NotAcceptable
        return renderers[0], renderers[0].media_type


class FhirView(APIView):
    """Told of by its CapabilityStatement, not by the schema of the API."""

    schema = None
    request: ApiRequest
    renderer_classes = [FhirRenderer]
    content_negotiation_class = JsonOnly
    # Parameters besides ``_format``.
    parameters: frozenset[str] = frozenset()

    def teller(self) -> Teller:
        return Teller(self.request.user, base_of(self.request))

    def require_known(self) -> None:
        """Raise ValidationError for a parameter that there is none of: nothing that was asked is passed over."""
        if wrong := sorted(set(self.request.query_params) - self.parameters - {"_format"}):
            known = ", ".join(sorted({*self.parameters, "_format"}))
            raise ValidationError({name: [_no_parameter(known)] for name in wrong})

    def get_exception_handler(self):
        return _handle


def _no_parameter(known: str) -> str:
    return _("There is no such parameter. There are: %(known)s.") % {"known": known}


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
