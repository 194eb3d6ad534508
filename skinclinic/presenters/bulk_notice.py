"""What was just done to many cases, for the one page that comes after it, with what was left and an undo."""

from django.http import HttpRequest

from skinclinic.services.cases_at_once import Done

KEPT = "cases_done"
MOST_NAMED = 50


def remember(request: HttpRequest, said: str, done: Done) -> None:
    request.session[KEPT] = {
        "said": said,
        "same": done.same,
        "left": [list(one) for one in done.left[:MOST_NAMED]],
        "more": max(0, len(done.left) - MOST_NAMED),
        "change": done.change.pk if done.change else None,
    }


def just_done(request: HttpRequest) -> dict | None:
    """It is told once."""
    return request.session.pop(KEPT, None) if KEPT in request.session else None
