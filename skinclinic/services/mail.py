"""Mail, where a server is set up. Only jobs send it: a server may take its time, or take nothing."""

from django.conf import settings
from django.core.mail import send_mail

NO_MAIL_BACKENDS = ("django.core.mail.backends.dummy.EmailBackend",)


def can_mail() -> bool:
    """Whether a mail server is set up."""
    return settings.EMAIL_BACKEND not in NO_MAIL_BACKENDS


def send(address: str, subject: str, text: str) -> None:
    """Send ``text``. Raises OSError when the server does not take it."""
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
