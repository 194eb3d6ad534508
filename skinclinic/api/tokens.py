"""The token that a password is given for."""

from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import PlainText, in_clinic
from skinclinic.api.errors import Refused
from skinclinic.api.permissions import KnownParameters
from skinclinic.models import ApiToken, User
from skinclinic.services import second_factor, tokens


class PasswordSerializer(strict.Serializer):
    """A name and a password, for a token."""

    username = PlainText(max_length=150)
    password = serializers.CharField(trim_whitespace=False, max_length=256)
    scope = serializers.ChoiceField(ApiToken.Scope.choices, default=ApiToken.Scope.WRITE)
    clinic = serializers.SlugField(
        required=False, help_text="The only clinic it opens; not sent: all of yours."
    )


class NewTokenSerializer(strict.Serializer):
    """The token, shown this once. ``clinic``: the only one it opens; null: all of its owner's."""

    token = serializers.CharField()
    scope = serializers.ChoiceField(ApiToken.Scope.choices)
    clinic = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField()


class TokenView(APIView):
    """For programs that know a password."""

    authentication_classes: list = []
    permission_classes = [AllowAny, KnownParameters]

    @extend_schema(request=PasswordSerializer, responses=NewTokenSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """A new token for user name and password. It works for a day; tokens for longer are made on the account page.
        Each call makes another one, and those before go on. After too many wrong passwords: 429, with `Retry-After`."""
        sent = PasswordSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        # The request itself, so that the lock after wrong passwords answers for this address as for the page.
        user = authenticate(request._request, username=given["username"], password=given["password"])
        if not isinstance(user, User):
            raise Refused(400, "wrong_password", _("User name and password do not fit."))
        if second_factor.has(user) or second_factor.is_required_of(user):
            # A password alone lets nobody in who has another factor.
            raise Refused(
                403, "second_factor_needed", _("A password is not enough: make a token on your account page.")
            )
        clinic = None
        if slug := given.get("clinic"):
            member = in_clinic(permissions.memberships(user), slug).select_related("clinic").first()
            if member is None:
                raise serializers.ValidationError({"clinic": [_("You are not a member of this clinic.")]})
            clinic = member.clinic
        wanted = tokens.Wanted(tokens.BY_PASSWORD, given["scope"], clinic, tokens.BY_PASSWORD_FOR)
        token, key = tokens.make(user, wanted, by=user)
        answer = {
            "token": key, "scope": token.scope, "clinic": clinic and clinic.slug, "expires_at": token.expires_at,
        }  # fmt: skip
        return Response(
            NewTokenSerializer(answer).data, status=status.HTTP_200_OK, headers={"Cache-Control": "no-store"}
        )
