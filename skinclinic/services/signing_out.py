"""Ending what lets somebody in: sessions of browsers, tokens of programs."""

from django.db import transaction
from rest_framework.authtoken.models import Token

from skinclinic.models import Session, User


@transaction.atomic
def everywhere(user: User, *, but: str | None = None) -> None:
    """Sign a person out on every device, ``but`` for the session of this key, and end all tokens."""
    Session.objects.filter(user=user).exclude(pk=but or "").delete()
    end_tokens(user)


def end_tokens(user: User) -> None:
    """No program gets in by a token made before."""
    Token.objects.filter(user=user).delete()
