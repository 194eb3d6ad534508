"""What every address of a reader shares: the secret as the only credential, nothing cached or told on, refusals in
words."""

from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from reader_study.services.making import enrolment
from reader_study.services.making.enrolment import LinkClosed
from reader_study.services.reading.reading import NoSuchPhoto
from reader_study.services.reading.refusals import REFUSALS, Refused
from skinclinic.web.requests import json_error

LANGUAGE_SECONDS = 365 * 24 * 3600


def for_readers(*methods: str, page: bool = False):
    """Decorate a view whose first argument is a link's secret. ``page``: a person looks at it, so that refusals
    are pages, else JSON."""

    def decorate(view):
        allowed = require_http_methods([*methods])(view)

        # Whoever knows the secret may do everything and no cookie plays a part, so there is nothing to forge.
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def guarded(request, secret, *args, **kwargs):
            spoken = enrolment.language_of(secret) if page else ""
            if spoken:
                translation.activate(spoken)
                request.LANGUAGE_CODE = spoken
            try:
                response = allowed(request, secret, *args, **kwargs)
            except LinkClosed:
                response = _refusal(request, secret, "link_closed", page)
            except NoSuchPhoto:
                response = _refusal(request, secret, "no_photo", page)
            except Refused as refused:
                response = _refusal(request, secret, refused.code, page, refused)
            if spoken and request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) != spoken:
                # What the page fetches later follows the cookie.
                keep_language(response, spoken)
            return sealed(response)

        return guarded

    return decorate


def keep_language(response: HttpResponse, language: str) -> None:
    """Remember the language in the browser, unless the answer chooses one already."""
    if settings.LANGUAGE_COOKIE_NAME not in response.cookies:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=LANGUAGE_SECONDS, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE, httponly=False,
        )  # fmt: skip


def sealed(response: HttpResponse) -> HttpResponse:
    """Keep the address, which holds the secret, from other sites and the answer from every cache."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store, private"
    response["X-Robots-Tag"] = "noindex"
    return response


def _refusal(
    request: HttpRequest, secret: str, code: str, page: bool, refused: Refused | None = None
) -> HttpResponse:
    refusal = REFUSALS[code]
    if not page:
        return json_error(
            refusal.status, code, str(refusal.words), then=refusal.then, final=refusal.is_logged
        )
    if not refusal.ends:
        return redirect("reading", secret)
    study = refused.reading.reader.study if refused and refused.reading else None
    context = {"code": code, "reason": refusal.words, "study": study, "secret": secret}
    return render(request, "reading/ended.html", context, status=refusal.status)
