"""Tokens of programs: made, found, revoked. A token is shown once; what is kept is its hash.

A token never does more than its owner may at this moment, and less where its scope or its clinic says so. What takes
something from a person takes it from the person's tokens for good: they do not work again when it is given back.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from skinclinic.engine.housekeeping import broom
from skinclinic.models import ApiToken, Clinic, Member, User
from skinclinic.services import audit
from skinclinic.services.refused import Refused
from skinclinic.services.secret_links import secret_hash
from skinclinic.web.counts import gettext as _

PREFIX = "skc_"
DEFAULT_DAYS, LONGEST_DAYS = 90, 365
# Of those that a password is given for at /api/token/.
BY_PASSWORD_FOR = timedelta(days=1)
BY_PASSWORD = "sign-in by password"
MOST = 50
# How long a token that works no more is still listed, and then kept at all.
LISTED_FOR, KEPT_FOR = timedelta(days=30), timedelta(days=365)
# When it was last used, or refused, is written no more often than this.
USE_NOTED_EVERY = timedelta(minutes=1)
_LONGEST_KEY = 200


class NotAccepted(Exception):
    """The token opens nothing; ``code`` and the message say why. ``token``: if there was such a one once."""

    def __init__(self, code: str, message: str, token: ApiToken | None = None):
        super().__init__(message)
        self.code, self.token = code, token


@dataclass(frozen=True)
class Wanted:
    """A token that somebody asks for; without ``clinic`` it opens all its owner may enter."""

    name: str
    scope: str
    clinic: Clinic | None = None
    lasting: timedelta = timedelta(days=DEFAULT_DAYS)


@transaction.atomic
def make(owner: User, wanted: Wanted, *, by: User) -> tuple[ApiToken, str]:
    """Make a token; return it with its text, which cannot be had again. Raises Refused."""
    if not timedelta(0) < wanted.lasting <= timedelta(days=LONGEST_DAYS):
        raise Refused("days", _("A token lasts for 1 to %(days)d days.") % {"days": LONGEST_DAYS})
    if owner.is_service and wanted.clinic is None:
        raise Refused("clinic", _("A token of a service account is one of its clinic."))
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        owner=owner,
        clinic=wanted.clinic,
        name=wanted.name,
        scope=wanted.scope,
        sha256=secret_hash(key),
        begins=key[:8],
        created_by=by,
        expires_at=timezone.now() + wanted.lasting,
    )
    audit.record("token.make", token, by=by, after=_told(token))
    return token, key


def check_room(owner: User) -> None:
    """Raise Refused where the owner has as many tokens as one may have."""
    if _working().filter(owner=owner).exclude(name=BY_PASSWORD).count() >= MOST:
        raise Refused(
            "name", _("There are %(count)d tokens already. Revoke one that is not needed.") % {"count": MOST}
        )


def find(key: str) -> ApiToken:
    """The token of this text, with its owner. Raises NotAccepted."""
    is_one = key.isascii() and 0 < len(key) < _LONGEST_KEY
    found = (
        ApiToken.objects.select_related("owner").filter(sha256=secret_hash(key)).first() if is_one else None
    )
    if found is None or not found.owner.is_active:
        raise NotAccepted("token_unknown", _("There is no such token."))
    if found.revoked_at:
        raise NotAccepted("token_revoked", _("This token was revoked. Make a new one."), found)
    if found.has_expired:
        raise NotAccepted("token_expired", _("This token has expired. Make a new one."), found)
    if _waits_for_provider(found.owner):
        raise NotAccepted(
            "sign_in_first",
            _("Sign in once more at %(name)s; then this token works again.") % {"name": settings.OIDC_NAME},
            found,
        )
    return found


def _waits_for_provider(owner: User) -> bool:
    """Whether it is too long ago that the hospital's provider, their only way in, let this person in."""
    if not settings.OIDC_ISSUER or owner.is_service or owner.has_usable_password():
        return False
    lately = timezone.now() - timedelta(days=settings.OIDC_TOKEN_DAYS)
    return owner.last_login is None or owner.last_login < lately


def revoke(token: ApiToken, *, by: User | None, why: str) -> bool:
    """Stop one from working; False when it no longer did."""
    return bool(_revoke(_working().filter(pk=token.pk), by, why))


def revoke_all(user: User, reason: str, *, by: User | None = None) -> int:
    """Stop all of a person's tokens; ``reason`` is one of ``ApiToken.Why``."""
    return _revoke(_working().filter(owner=user), by, reason)


def revoke_for_clinic(user: User, clinic: Clinic, *, by: User | None = None) -> int:
    """Stop those that opened this clinic, also those of all the person's clinics."""
    ours = _working().filter(Q(clinic=clinic) | Q(clinic=None), owner=user)
    return _revoke(ours, by, ApiToken.Why.ACCESS)


def note_use(token: ApiToken) -> None:
    """Keep that it was used just now, about once a minute."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


@transaction.atomic
def note_refusal(token: ApiToken, code: str) -> None:
    """Write down that it was used for what it does not do, about once a minute."""
    now = timezone.now()
    earlier = Q(last_refused_at=None) | Q(last_refused_at__lt=now - USE_NOTED_EVERY)
    if ApiToken.objects.filter(earlier, pk=token.pk).update(last_refused_at=now):
        audit.record("token.refused", token, facts={"code": code})


def of_person(user: User) -> QuerySet[ApiToken]:
    """A person's own, those first that work; what ended long ago is left out."""
    return _listed(ApiToken.objects.filter(owner=user)).select_related("clinic", "revoked_by")


def of_clinic(clinic: Clinic) -> QuerySet[ApiToken]:
    """Those that an admin of the clinic may see and revoke: of its service accounts, and any bound to it."""
    rows = _listed(ApiToken.objects.filter(clinic=clinic))
    return rows.select_related("owner", "created_by", "revoked_by").order_by("owner__username", "-id")


@transaction.atomic
def make_service_account(clinic: Clinic, *, name: str, role: str) -> Member:
    """A member without a password, for a program of the clinic; it comes by tokens only."""
    user = User(
        username=f"service-{secrets.token_hex(4)}-{clinic.slug}"[:150], display_name=name, service_of=clinic
    )
    user.set_unusable_password()
    user.save()
    member = Member.objects.create(clinic=clinic, user=user, role=role)
    audit.record("member.make", member, after={"role": role, "service": True})
    return member


class EndsTokens:
    """Among the validators of passwords: they are told of every password that is set, wherever that happens."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Every password will do."""

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Stop the tokens that were made under the former password."""
        if user is not None and user.pk:
            revoke_all(user, ApiToken.Why.PASSWORD)


@broom
def forget_old_tokens() -> None:
    ApiToken.objects.filter(expires_at__lt=Now() - KEPT_FOR).delete()
    # Programs that ask for one each morning would make lists too long to read.
    ApiToken.objects.filter(name=BY_PASSWORD, expires_at__lt=Now() - LISTED_FOR).delete()


def _working() -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now())


def _listed(rows: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
    since = timezone.now() - LISTED_FOR
    return rows.filter(Q(revoked_at=None) | Q(revoked_at__gt=since), expires_at__gt=since)


@transaction.atomic
def _revoke(rows: QuerySet[ApiToken], by: User | None, why: str) -> int:
    # Held, so that each ends once and is written down once.
    ending = list(rows.select_for_update().order_by("id"))
    for token in ending:
        token.revoked_at, token.revoked_by, token.revoked_why = timezone.now(), by, why
        audit.record("token.revoke", token, by=by, before=_told(token), facts={"why": why})
    ApiToken.objects.bulk_update(ending, ["revoked_at", "revoked_by", "revoked_why"])
    return len(ending)


def _told(token: ApiToken) -> dict[str, object]:
    return {
        "owner": token.owner_id, "scope": token.scope, "clinic": token.clinic_id, "expires_at": token.expires_at,
        "begins": token.begins,
    }  # fmt: skip
