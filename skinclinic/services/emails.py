"""A person's e-mail address: whoever has it can choose a new password, so a new one is first opened there."""

from collections.abc import Callable

from django.core import signing
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.models import User
from skinclinic.services import account_mail, audit, mail

SALT = "skinclinic.new_email"
VALID_SECONDS = 24 * 3600


class LinkGone(Exception):
    """The link was used, is too old, or another address was set since."""


def change(user: User, email: str, address: Callable[[str], str]) -> bool:
    """Set a new address, or, where mail can be sent, send it a link that does; whether it is set already.

    ``address`` makes the link of a secret.
    """
    if not email or not mail.can_mail():
        _set(user, email)
        return True
    said = {"user": user.pk, "email": email, "instead_of": user.email}
    # Not by ``signing``'s own stamp, which is that of this machine's clock.
    secret = signing.dumps({**said, "at": timezone.now().timestamp()}, salt=SALT)
    text = render_to_string("people/email_mail.txt", {"user": user, "link": address(secret)})
    account_mail.post(user, _("Your e-mail address in SkinClinic"), text, address=email)
    return False


def email_of(secret: str) -> str:
    """The address that a link is about. Raises LinkGone."""
    return _said(secret)["email"]


def confirm(secret: str) -> None:
    """Set the address that a link was sent to. Raises LinkGone."""
    said = _said(secret)
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=said["user"], is_active=True).first()
        if user is None or user.email != said["instead_of"]:
            raise LinkGone
        _set(user, said["email"])


def _said(secret: str) -> dict:
    try:
        said = signing.loads(secret, salt=SALT)
    except signing.BadSignature:
        raise LinkGone from None
    if timezone.now().timestamp() - said.get("at", 0) > VALID_SECONDS:
        raise LinkGone
    return said


@transaction.atomic
def _set(user: User, email: str) -> None:
    before = user.email
    if email == before:
        return
    user.email = email
    user.save(update_fields=["email"])
    audit.record("email.change", user, by=user)
    for told in filter(None, (before, email)):
        account_mail.notify(user, _("The e-mail address was changed."), address=told)
