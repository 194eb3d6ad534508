"""Whoever has an answer of the API already is told that it is still the same (304), and gets it no second time."""

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

_KEPT = ("Cache-Control", "Vary", "Content-Location", "X-Content-Type-Options")


class UnchangedMiddleware:
    """Gives each JSON answer to GET and HEAD an ``ETag`` of what it says. That of a row has two parts: which version of
    it people have made, which ``If-Match`` compares, and which answer this is, which ``If-None-Match`` does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not _is_answer(request, response):
            return response
        of_row = response.get("ETag", "").strip('"')
        said = hashlib.sha256(response.content).hexdigest()[:32]
        response["ETag"] = f'"{of_row}.{said}"' if of_row else f'"{said}"'
        may_be_kept(request, response)
        return not_modified(response) if has_it(request, response["ETag"]) else response


def _is_answer(request: HttpRequest, response: HttpResponseBase) -> bool:
    is_json = response.get("Content-Type", "").startswith(("application/json", "application/fhir+json"))
    in_api = request.path.startswith("/api/") and request.method in ("GET", "HEAD")
    return in_api and is_json and response.status_code == 200 and not response.streaming


def has_it(request: HttpRequest, etag: str) -> bool:
    """Whether ``If-None-Match`` names this answer. A proxy that compresses makes tags weak (W/)."""
    sent = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in sent or etag in [one.removeprefix("W/") for one in sent]


def not_modified(response: HttpResponseBase) -> HttpResponse:
    """304 in the place of an answer, whose ``ETag`` it has."""
    headers = {name: response[name] for name in ("ETag", *_KEPT) if response.has_header(name)}
    return HttpResponseNotModified(headers=headers)


def may_be_kept(request: HttpRequest, response: HttpResponseBase) -> None:
    """A program may keep what it fetched and asks each time whether it still holds; a browser keeps nothing."""
    kept = "no-cache" if getattr(request, "auth", None) else "no-store"
    response["Cache-Control"] = f"{kept}, private"
