"""Invitations: a link with a secret that works once, for a week. Only the secret's hash is kept."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.models import Clinic, Invitation, Letter, Member, User
from skinclinic.services import audit, letters
from skinclinic.services.secret_links import new_nonce, secret_hash, secret_of

VALID_FOR = timedelta(days=7)


class InvitationClosed(Exception):
    """The link was used, revoked or has expired, perhaps a moment ago."""


class AlreadyMember(Exception):
    """The person is an active member of the clinic; the invitation stays open for somebody else."""


@transaction.atomic
def invite(
    clinic: Clinic, *, email: str, role: str, by: User, address: Callable[[str], str] | None = None
) -> tuple[Invitation, str]:
    """Make an invitation; return it with the secret of its link, which cannot be had again.

    With ``address``, which makes the link of a secret, it is mailed if a server is set up. An earlier open
    invitation of the same address to the same clinic stops working.
    """
    revoke_all_for(email, clinic)
    nonce = new_nonce()
    secret = secret_of(nonce)
    invitation = Invitation.objects.create(
        clinic=clinic,
        email=email,
        role=role,
        secret_sha256=secret_hash(secret),
        invited_by=by,
        expires_at=timezone.now() + VALID_FOR,
    )
    if address:
        invitation.letter = _post(invitation, address(letters.SECRET), nonce)
        invitation.save(update_fields=["letter"])
    audit.record("invitation.make", invitation, by=by, after={"role": role})
    return invitation, secret


def find_open(secret: str) -> Invitation:
    """The open invitation of a link. Raises InvitationClosed for any other."""
    invitation = (
        _open().filter(secret_sha256=secret_hash(secret)).select_related("clinic", "invited_by").first()
    )
    if invitation is None:
        raise InvitationClosed
    return invitation


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Member:
    """Make the person a member and use the invitation up; a new (unsaved) person is stored as well.

    Raises InvitationClosed when somebody else was faster and AlreadyMember, in both cases storing nothing.
    """
    if user._state.adding:
        user.save()
    member = Member.objects.filter(clinic=invitation.clinic, user=user).first()
    if member and member.is_active:
        raise AlreadyMember
    if not _open().filter(pk=invitation.pk).update(accepted_at=timezone.now(), accepted_by=user):
        raise InvitationClosed
    if member is None:
        member = Member(clinic=invitation.clinic, user=user)
    before = {"role": member.role, "is_active": member.is_active} if member.pk else None
    member.role, member.is_active = invitation.role, True
    member.save()
    after = {"role": member.role, "is_active": True}
    audit.record(
        "member.join", member, by=user, before=before, after=after, facts={"invitation": invitation.pk}
    )
    return member


def revoke(invitation: Invitation) -> bool:
    """Stop a link from working; False when it no longer did."""
    return bool(_revoke(_open().filter(pk=invitation.pk)))


def revoke_all_for(email: str, clinic: Clinic) -> None:
    """Stop every open link sent to this address."""
    if email:
        _revoke(_open().filter(clinic=clinic, email__iexact=email))


def revoke_all_by(user: User, clinic: Clinic) -> None:
    """Stop every open link this person sent."""
    _revoke(_open().filter(clinic=clinic, invited_by=user))


@transaction.atomic
def _revoke(rows: QuerySet[Invitation]) -> int:
    found, now = list(rows.select_related("letter__job")), timezone.now()
    count = rows.update(revoked_at=now)
    for row in found:
        if row.letter:
            letters.withdraw(row.letter)
    if count:
        ended = Invitation.objects.filter(pk__in=[row.pk for row in found], revoked_at=now)
        audit.record_all("invitation.revoke", ended.select_related("clinic"))
    return count


def open_of(clinic: Clinic):
    """The clinic's invitations nobody has answered yet, newest first."""
    return _open().filter(clinic=clinic).select_related("invited_by", "letter__job")


def closed_of(clinic: Clinic):
    """The clinic's invitations that were used, revoked or have expired, newest first."""
    return (
        Invitation.objects.filter(clinic=clinic)
        .exclude(pk__in=_open().values("pk"))
        .select_related("invited_by", "accepted_by")
    )


def _post(invitation: Invitation, link: str, nonce: str) -> Letter | None:
    context = {"invitation": invitation, "link": link, "days": VALID_FOR.days}
    return letters.post(
        invitation.clinic,
        invitation.email,
        _("Invitation to %(clinic)s") % {"clinic": invitation.clinic},
        render_to_string("people/invitation_mail.txt", context),
        nonce=nonce,
    )


def _open():
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
