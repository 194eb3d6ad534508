"""Ending what lets somebody in: sessions of browsers, tokens of programs."""

from django.db import transaction

from skinclinic.models import ApiToken, Session, User
from skinclinic.services import audit, tokens


@transaction.atomic
def everywhere(user: User, *, but: str | None = None, why: str = ApiToken.Why.EVERYWHERE) -> None:
    """Sign a person out on every device, ``but`` for the session of this key, and end all tokens."""
    Session.objects.filter(user=user).exclude(pk=but or "").delete()
    tokens.revoke_all(user, why)
    audit.record("sign_out.everywhere", user)
