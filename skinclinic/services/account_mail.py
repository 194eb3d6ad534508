"""Telling people by mail what was changed of their account: whoever did not do it learns of it."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from skinclinic.models import Clinic, Letter, User
from skinclinic.services import letters


def notify(user: User, what: str, *, address: str = "") -> Letter | None:
    """Say ``what`` was changed, where mail can be sent and an address is known."""
    context = {"user": user, "what": what, "at": timezone.now(), "public_address": settings.PUBLIC_ADDRESS}
    return post(user, what, render_to_string("people/account_mail.txt", context), address=address)


def post(user: User, subject: str, text: str, *, address: str = "", nonce: str = "") -> Letter | None:
    """A letter in the name of a clinic of the person's; whoever has none can see nothing and gets none."""
    clinic = Clinic.objects.filter(members__user=user, members__is_active=True).order_by("pk").first()
    return letters.post(clinic, address or user.email, subject, text, nonce=nonce) if clinic else None
