"""Signing in and out, and who tried in vain: from where is told here, so that guessing can be followed."""

import hmac
from hashlib import sha256
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from skinclinic.models import User
from skinclinic.services import audit, audit_chain


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    audit.record("sign_in", user, by=user)


@receiver(user_logged_out)
def signed_out(sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record("sign_out", user, by=user)


@receiver(user_login_failed)
def refused(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """A name that nobody has is not kept: people type their password there. The same one can be told again."""
    typed = str(credentials.get("username") or "")
    person = User.objects.filter(username__iexact=typed).first() if typed else None
    facts = (
        {}
        if person
        else {
            "unknown": hmac.new(audit_chain.keys()[0], typed.encode("utf-8", "replace"), sha256).hexdigest()[
                :12
            ]
        }
    )
    audit.record("sign_in.refused", person, facts=facts)
