"""Signing in and out, and who tried in vain: from where is told here, so that guessing can be followed; and what
a person sets up to sign in with."""

import hmac
from hashlib import sha256
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from skinclinic.models import User
from skinclinic.models.audit import AuditEvent
from skinclinic.services import account_mail, audit, audit_chain
from skinclinic.web import counted
from skinclinic.web.requests import client_address, network_of


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    is_new = request is not None and _is_new_place(user, client_address(request))
    audit.record("sign_in", user, by=user)
    counted.sign_ins.labels("accepted").inc()
    if is_new and request is not None:
        where = client_address(request)
        account_mail.notify(
            user, _("Signed in from an address not seen before: %(address)s.") % {"address": where}
        )


def _is_new_place(user: User, address: str) -> bool:
    """Whether this person came from elsewhere whenever they came before."""
    before = AuditEvent.objects.filter(action="sign_in", user_key=user.pk)
    # Mostly it is the newest; only for another all that the person ever did is gone through.
    if before.filter(address=address).order_by("-id").values("pk")[:1]:
        return False
    known = {network_of(one) for one in before.order_by().values_list("address", flat=True).distinct()}
    return bool(known) and network_of(address) not in known


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
    counted.sign_ins.labels("refused").inc()


@receiver(authenticator_added)
def second_factor_added(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _tell("second_factor.add", user, authenticator)


@receiver(authenticator_removed)
def second_factor_removed(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _tell("second_factor.remove", user, authenticator)


def _tell(action: str, user: User, authenticator: Authenticator) -> None:
    """Recovery codes come and go with what they stand in for."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        audit.record(action, user, by=user, facts={"kind": str(authenticator.type)})
