"""Ending what lets somebody in: sessions of browsers, tokens of programs."""

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from skinclinic.models import ApiToken, Session, User
from skinclinic.services import audit, tokens


@transaction.atomic
def everywhere(user: User, *, but: str | None = None, why: str = ApiToken.Why.EVERYWHERE) -> None:
    """Sign a person out on every device, ``but`` for the session of this key, and end all tokens."""
    Session.objects.filter(user=user).exclude(pk=but or "").delete()
    tokens.revoke_all(user, why)
    audit.record("sign_out.everywhere", user)


@transaction.atomic
def there(user: User, name: str) -> bool:
    """End one session of a person's, by its name; False where there is none any more."""
    found = [row.pk for row in Session.objects.filter(user=user) if constant_time_compare(name_of(row), name)]
    if found:
        Session.objects.filter(pk__in=found).delete()
        audit.record("sign_out.there", user)
    return bool(found)


def name_of(session: Session) -> str:
    """What a page calls a session, whose key it never shows."""
    return salted_hmac("skinclinic.signing_out", session.pk, algorithm="sha256").hexdigest()[:24]
