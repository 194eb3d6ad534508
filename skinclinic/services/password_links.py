"""Links to choose a new password: mailed to whoever asks, or made by an admin. They work once, for an hour."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import ApiToken, Member, PasswordLink, Role, User
from skinclinic.services import account_mail, audit, letters, signing_out
from skinclinic.services.refused import Refused
from skinclinic.services.secret_links import new_nonce, secret_hash, secret_of

VALID_FOR = timedelta(hours=1)
# Nobody's mail is filled by whoever types a name again and again.
MAILED_AN_HOUR = 3
# So many people may share an address and still get their mails.
ALIKE = 5


class LinkGone(Exception):
    """The link was used or has expired, or a newer one or a new password has ended it."""


def ask(name: str, address: Callable[[str], str]) -> None:
    """Mail a link to whoever has this user name or e-mail address, if that is anybody who may sign in and has one.

    ``address`` makes the link of a secret. What is done tells nobody whether there is such a person.
    """
    wanted = Q(username__iexact=name) | Q(email__iexact=name)
    people = User.objects.filter(wanted, is_active=True).exclude(email="").exclude(password__startswith="!")
    for user in people.order_by("pk")[:ALIKE]:
        asked = PasswordLink.objects.filter(
            user=user, made_by=None, made_at__gt=timezone.now() - timedelta(hours=1)
        )
        if asked.count() < MAILED_AN_HOUR:
            _mail(user, address)


def make(member: Member, by: User) -> tuple[PasswordLink, str]:
    """A link that an admin gives a member; return it with its secret, which cannot be had again. Raises Refused."""
    check_may_help(member, by)
    with transaction.atomic():
        audit.record("password.link", member.user, clinic=member.clinic, by=by)
        return _make(member.user, secret_of(new_nonce()), by)


def check_may_help(member: Member, by: User) -> None:
    """Raise Refused where this admin must not give the member another way in.

    Who belongs to a clinic where the admin is none keeps the present one: it opens that clinic, too.
    """
    user = member.user
    own = Member.objects.filter(user=by, role=Role.ADMIN, is_active=True).values("clinic")
    if user == by:
        raise Refused("user", _("Change how you sign in yourself on your account page."))
    if user.is_service:
        raise Refused("user", _("A service account has no password; make a token for it."))
    if not user.is_active or not member.is_active:
        raise Refused("user", _("%(name)s has no access. Give access again first.") % {"name": user})
    if Member.objects.filter(user=user, is_active=True).exclude(clinic__in=own).exists():
        text = _(
            "%(name)s also belongs to a clinic of which you are no admin. Only an admin of both may do this."
        )
        raise Refused("user", text % {"name": user})


def find(secret: str) -> PasswordLink:
    """The link of a secret. Raises LinkGone."""
    link = _open().filter(secret_sha256=secret_hash(secret)).select_related("user").first()
    if link is None:
        raise LinkGone
    return link


@transaction.atomic
def use(link: PasswordLink, hashed: str) -> None:
    """Give the person the password that was hashed before, and end the link and all that let in before. Raises
    LinkGone where somebody was faster."""
    if not _open().filter(pk=link.pk).update(used_at=timezone.now()):
        raise LinkGone
    User.objects.filter(pk=link.user_id).update(password=hashed)
    end_all(link.user)
    signing_out.everywhere(link.user, why=ApiToken.Why.PASSWORD)
    audit.record("password.reset", link.user, by=link.user)
    account_mail.notify(link.user, _("The password was changed."))


def end_all(user: User) -> None:
    """No link made before works any more."""
    _open().filter(user=user).update(expires_at=clock.now())


@broom
def forget_old_links() -> None:
    PasswordLink.objects.filter(expires_at__lt=Now() - timedelta(days=1)).delete()


@transaction.atomic
def _mail(user: User, address: Callable[[str], str]) -> None:
    nonce = new_nonce()
    _make(user, secret_of(nonce), None)
    text = render_to_string("people/password_mail.txt", {"user": user, "link": address(letters.SECRET)})
    account_mail.post(user, _("A new password for SkinClinic"), text, nonce=nonce)


@transaction.atomic
def _make(user: User, secret: str, by: User | None) -> tuple[PasswordLink, str]:
    end_all(user)
    link = PasswordLink.objects.create(
        user=user, secret_sha256=secret_hash(secret), made_by=by, expires_at=clock.now() + VALID_FOR
    )
    return link, secret


def _open():
    return PasswordLink.objects.filter(used_at=None, expires_at__gt=Now(), user__is_active=True)
