"""Mail to people, where a server is set up. Whatever the server does, the sender still has the text on the screen."""

import logging

from django.conf import settings
from django.core.mail import send_mail

log = logging.getLogger(__name__)

NO_MAIL_BACKENDS = ("django.core.mail.backends.dummy.EmailBackend",)


def can_mail() -> bool:
    """Whether a mail server is set up."""
    return settings.EMAIL_BACKEND not in NO_MAIL_BACKENDS


def send(address: str, subject: str, text: str, *, about: str) -> bool:
    """Send ``text``; False without an address or a server, or when it did not take the message. ``about``: what
    the server's log calls it."""
    if not address or not can_mail():
        return False
    try:
        send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [address])
    except Exception as error:  # noqa: BLE001 - backends raise what they like; a lost letter is no lost work
        log.warning("%s could not be mailed: %s", about, error)
        return False
    return True
