"""Codes of a second factor count once, whichever process sees them; one that comes again is told to its owner.

When a code was used is told by the very clock by which codes are right (``allauth_adapters``), not by a question to the
database: a code that is right again because a clock was put back was used, by that clock, just now.
"""

from datetime import timedelta

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from skinclinic.engine import clock
from skinclinic.models import SignInCount, User
from skinclinic.services import account_mail, audit

# Longer than any code of an app is right.
ONCE_IN = timedelta(minutes=5)


def is_used(user: User, code: str) -> bool:
    """Whether the code was right a moment ago; its owner learns that it came again."""
    if not SignInCount.objects.filter(pk=_key(user, code), at__gt=clock.moment() - ONCE_IN).exists():
        return False
    _tell(user)
    return True


def take(user: User, code: str) -> bool:
    """Use a code that is right; False where somebody else was faster."""
    now = clock.moment()
    row, is_new = SignInCount.objects.get_or_create(key=_key(user, code), defaults={"at": now})
    # The number of another day is another code.
    if is_new or SignInCount.objects.filter(pk=row.pk, at__lte=now - ONCE_IN).update(at=now):
        return True
    _tell(user)
    return False


def _tell(user: User) -> None:
    audit.record("second_factor.used_again", user)
    account_mail.notify(
        user,
        _(
            "A code of your second factor was used a second time, and refused. If it was not you, somebody saw it."
        ),
    )


def _key(user: User, code: str) -> str:
    said = repr((user.pk, "".join(code.split()).casefold()))
    return salted_hmac("skinclinic.used_codes", said, algorithm="sha256").hexdigest()
