"""The token that a request brings, before and after the API has dealt with it."""

import logging

from django.db import Error
from django.http import HttpRequest

from skinclinic.models import ApiToken
from skinclinic.services import tokens

log = logging.getLogger(__name__)
KEYWORDS = (b"token", b"bearer")


def token_sent(header: bytes) -> str | None:
    """The token of an ``Authorization`` header; "" for what can be none, None where no token is meant."""
    word, _space, rest = header.partition(b" ")
    return rest.strip().decode("ascii", "replace") if word.lower() in KEYWORDS else None


def writing_token(request: HttpRequest) -> ApiToken | None:
    """The token that comes with the request, if it may change something."""
    key = token_sent(request.headers.get("Authorization", "").encode("latin-1", "replace"))
    if key is None:
        return None
    try:
        token = tokens.find(key)
    except tokens.NotAccepted:
        return None
    return None if token.is_read_only else token


class TokenUseMiddleware:
    """Notes that a token was used once the answer is sent: nobody waits for it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        # Of the API's request, which says it to this one.
        if isinstance(token := getattr(request, "auth", None), ApiToken):
            close = response.close

            def close_and_note():
                try:
                    tokens.note_use(token)
                except Error:
                    log.warning("the use of a token could not be noted", exc_info=True)
                close()

            response.close = close_and_note
        return response
