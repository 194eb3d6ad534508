"""What every address of a reader shares: the secret as the only credential, nothing cached or told on, refusals in
words."""

from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from reader_study.services.making.enrolment import LinkClosed
from reader_study.services.reading.reading import NoSuchPhoto, Refused
from skinclinic.web.requests import json_error

# After these the reader has nothing more to do here; after the others the study's first page says what is next.
ENDS = ("link_closed", "withdrawn", "closed", "not_open")
STATUSES = {
    "link_closed": 404,
    "no_photo": 404,
    "withdrawn": 403,
    "not_open": 403,
    "earlier_session": 403,
    "washout": 403,
    "not_yet": 403,
    "key_of_another": 400,
    "no_going_back": 403,
    "not_aided": 403,
}


def words(code: str) -> str:
    """Why something was refused, for the reader."""
    known = {
        "link_closed": _("This link does not work any more. Ask the study's coordinator for a new one."),
        "withdrawn": _("You no longer take part in this study, so nothing more can be answered."),
        "closed": _("This study is closed. No more answers are taken."),
        "not_open": _("This study is not open yet."),
        "finished": _("This session is finished; its answers are final."),
        "not_begun": _("This session has not been begun. Open the link of the study again."),
        "instructions": _("Read and confirm the instructions first."),
        "earlier_session": _("Finish the session before this one first."),
        "washout": _("This session is not open yet; the days since the one before are not over."),
        "unanswered": _("Not every photo is answered yet."),
        "key_of_another": _("The key of this answer belongs to another photo. Make a new one."),
        "not_yet": _("It is not this photo's turn yet."),
        "no_going_back": _("In this study earlier photos cannot be opened again or changed."),
        "not_the_last": _("Only the last answer can be taken back."),
        "undo_too_late": _("It is too late to take this answer back."),
        "first_stands": _("The first answer to this photo stands: the model's answer was shown after it."),
        "first_needed": _("Give your own answer first; then the model's is shown."),
        "changed_meanwhile": _("This answer was changed elsewhere at the same moment. Send it again."),
        "not_aided_first": _("This session has no answer before the model's."),
        "not_aided": _("The model's answer is not shown in this session."),
        "no_photo": _("There is no such photo, or it was deleted. Tell the study's coordinator."),
    }
    return known[code]


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
            try:
                response = allowed(request, secret, *args, **kwargs)
            except LinkClosed:
                response = _refusal(request, secret, "link_closed", page)
            except NoSuchPhoto:
                response = _refusal(request, secret, "no_photo", page)
            except Refused as refused:
                response = _refusal(request, secret, refused.code, page, refused)
            return sealed(response)

        return guarded

    return decorate


def sealed(response: HttpResponse) -> HttpResponse:
    """Keep the address, which holds the secret, from other sites and the answer from every cache."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store, private"
    response["X-Robots-Tag"] = "noindex"
    return response


def _refusal(
    request: HttpRequest, secret: str, code: str, page: bool, refused: Refused | None = None
) -> HttpResponse:
    status = STATUSES.get(code, 409)
    if not page:
        return json_error(status, code, words(code))
    if code not in ENDS:
        return redirect("reading", secret)
    study = refused.reading.reader.study if refused and refused.reading else None
    context = {"code": code, "reason": words(code), "study": study, "secret": secret}
    return render(request, "reading/ended.html", context, status=status)
