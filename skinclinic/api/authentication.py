"""Who comes by a token."""

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from skinclinic.models import ApiToken, User
from skinclinic.services import tokens
from skinclinic.web.tokens import token_sent


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Token …``. The one place that holds a token to its scope and its clinic: whatever the address,
    a token that may only read changes nothing, and its owner acts in its clinic alone."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        if not (header := get_authorization_header(request)):
            return None
        key = token_sent(header)
        if key is None:
            # Not passed on to the session: whoever says who they are is taken at their word.
            raise AuthenticationFailed(_("Only “Authorization: Token …” is understood."), "not_a_token")
        try:
            token = tokens.find(key)
        except tokens.NotAccepted as error:
            if error.token:
                tokens.note_refusal(error.token, error.code)
            raise AuthenticationFailed(str(error), error.code) from None
        if token.is_read_only and request.method not in SAFE_METHODS and not _only_reads(request):
            tokens.note_refusal(token, "token_read_only")
            raise PermissionDenied(_("This token may only read. Nothing was changed."), "token_read_only")
        user = token.owner
        user.only_clinic_id = token.clinic_id
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


def _only_reads(request: Request) -> bool:
    """Whether the view says that it changes nothing by this method either (``only_reads``), because what it is asked
    does not go into an address."""
    view = (request.parser_context or {}).get("view")
    return request.method in getattr(view, "only_reads", ())


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema tells it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token skc_…`, of the account page or of `/api/v1/token/`.",
        }
