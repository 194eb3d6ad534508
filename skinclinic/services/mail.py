"""Mail, where a server is set up. Only jobs send it: a server may take its time, or take nothing."""

from django.conf import settings
from django.core.mail import send_mail

_BACKENDS = "django.core.mail.backends."
NO_MAIL_BACKENDS = (f"{_BACKENDS}dummy.EmailBackend",)
# They write mails where who runs the server reads them, and nobody gets any: enough for who changes the product.
WRITTEN_ONLY = (f"{_BACKENDS}console.EmailBackend", f"{_BACKENDS}filebased.EmailBackend")


def can_mail() -> bool:
    """Whether a mail server is set up."""
    none = NO_MAIL_BACKENDS if settings.DEBUG else (*NO_MAIL_BACKENDS, *WRITTEN_ONLY)
    return settings.EMAIL_BACKEND not in none


def send(address: str, subject: str, text: str) -> None:
    """Send ``text``. Raises OSError when the server does not take it."""
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
