"""The second factor at sign-in: who has one, who must, whether a code is right."""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as passkeys
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from skinclinic.models import Clinic, Member, Role, Session, User
from skinclinic.services import account_mail, audit, sign_in_limits, used_codes
from skinclinic.web.requests import client_address
from skinclinic.web.sessions import BY_PROVIDER

# A session of somebody who must have one and has it; what is asked once need not be asked with every page.
SEEN = "second_factor"


def of(user: User) -> QuerySet[Authenticator]:
    """What the person signs in with; recovery codes only help out."""
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)


def has(user: User) -> bool:
    return of(user).exists()


def who_of(clinic: Clinic) -> set[int]:
    """The keys of a clinic's people who have one."""
    rows = Authenticator.objects.filter(user__memberships__clinic=clinic)
    return set(rows.exclude(type=Authenticator.Type.RECOVERY_CODES).values_list("user_id", flat=True))


def has_app(user: User) -> bool:
    """Whether an authenticator app is set up."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def kinds_of(user: User) -> dict[str, int]:
    """How many of each kind of authenticator there are; of recovery codes those that are left."""
    rows = list(Authenticator.objects.filter(user=user))
    kinds = {"app": Authenticator.Type.TOTP, "passkeys": Authenticator.Type.WEBAUTHN}
    counts = {name: sum(row.type == kind for row in rows) for name, kind in kinds.items()}
    lists = [row.wrap() for row in rows if row.type == Authenticator.Type.RECOVERY_CODES]
    return counts | {"codes": sum(len(codes.get_unused_codes()) for codes in lists)}


def tidy_code(text: str) -> str:
    """A code as it counts: apps show and people type it with spaces."""
    return "".join(text.split())


def has_code(user: User) -> bool:
    """Whether there are codes that can be typed."""
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN).exists()


def is_required(member: Member) -> bool:
    """Whether this member must sign in with a second factor."""
    if member.role == Role.ADMIN and settings.SECOND_FACTOR_FOR_ADMINS:
        return True
    return member.role in member.clinic.second_factor_roles


def is_required_of(user: User, memberships: Iterable[Member] | None = None) -> bool:
    if memberships is None:
        memberships = Member.objects.filter(user=user, is_active=True).select_related("clinic")
    return any(is_required(member) for member in memberships)


def is_missing(request) -> bool:
    """Whether who is signed in must set one up before anything else."""
    if request.session.get(SEEN) or request.session.get(BY_PROVIDER):
        return False
    if not is_required_of(request.user, request.memberships):
        return False
    if has(request.user):
        request.session[SEEN] = True
        return False
    return True


def is_right_code(request: HttpRequest, user: User, code: str) -> bool:
    """Whether this is a code of the person's app or list at this moment. Raises MustWait after too many wrong ones."""
    made, code = sign_in_limits.take(f"second factor {user.pk}", client_address(request)), tidy_code(code)
    if used_codes.is_used(user, code):
        return False
    for row in Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN):
        if row.wrap().validate_code(code) and used_codes.take(user, code):
            sign_in_limits.succeeded(made)
            return True
    return False


def passkey_options(request: HttpRequest) -> dict | None:
    """What the browser asks a passkey of who is signed in; None without one. The session keeps what was asked."""
    if not Authenticator.objects.filter(user=request.user.pk, type=Authenticator.Type.WEBAUTHN).exists():
        return None
    return passkeys.begin_authentication(request.user)


def is_right_passkey(request: HttpRequest, user: User, answer: str) -> bool:
    """Whether a passkey of the person answered what was asked last. Raises MustWait after too many wrong answers."""
    made = sign_in_limits.take(f"second factor {user.pk}", client_address(request))
    if not AuthenticateWebAuthnForm(user=user, data={"credential": answer}).is_valid():
        return False
    sign_in_limits.succeeded(made)
    return True


@transaction.atomic
def remove_all(user: User, by: User) -> None:
    """Somebody has lost telephone and recovery codes: an admin who knows that it is them lets them set up another."""
    Authenticator.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()
    audit.record("second_factor.remove", user, by=by)
    account_mail.notify(user, _("An admin removed your second factor."))
