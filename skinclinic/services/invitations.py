"""Invitations: a link with a secret that works once, for a week. Only the secret's hash is kept."""

from datetime import timedelta

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.models import Clinic, Invitation, Member, User
from skinclinic.services import mail
from skinclinic.services.secret_links import new_secret, secret_hash

VALID_FOR = timedelta(days=7)


class InvitationClosed(Exception):
    """The link was used, revoked or has expired, perhaps a moment ago."""


class AlreadyMember(Exception):
    """The person is an active member of the clinic; the invitation stays open for somebody else."""


@transaction.atomic
def invite(clinic: Clinic, *, email: str, role: str, by: User) -> tuple[Invitation, str]:
    """Make an invitation; return it with the secret of its link, which cannot be had again.

    An earlier open invitation of the same address to the same clinic stops working.
    """
    revoke_all_for(email, clinic)
    secret = new_secret()
    invitation = Invitation.objects.create(
        clinic=clinic,
        email=email,
        role=role,
        secret_sha256=secret_hash(secret),
        invited_by=by,
        expires_at=timezone.now() + VALID_FOR,
    )
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
    member.role, member.is_active = invitation.role, True
    member.save()
    return member


def revoke(invitation: Invitation) -> bool:
    """Stop a link from working; False when it no longer did."""
    return bool(_open().filter(pk=invitation.pk).update(revoked_at=timezone.now()))


def revoke_all_for(email: str, clinic: Clinic) -> None:
    """Stop every open link sent to this address."""
    if email:
        _open().filter(clinic=clinic, email__iexact=email).update(revoked_at=timezone.now())


def revoke_all_by(user: User, clinic: Clinic) -> None:
    """Stop every open link this person sent."""
    _open().filter(clinic=clinic, invited_by=user).update(revoked_at=timezone.now())


def open_of(clinic: Clinic):
    """The clinic's invitations nobody has answered yet, newest first."""
    return _open().filter(clinic=clinic).select_related("invited_by")


def closed_of(clinic: Clinic):
    """The clinic's invitations that were used, revoked or have expired, newest first."""
    return (
        Invitation.objects.filter(clinic=clinic)
        .exclude(pk__in=_open().values("pk"))
        .select_related("invited_by", "accepted_by")
    )


def mail_link(invitation: Invitation, link: str) -> bool:
    """Send the link; False when there is no mail server or it did not take the message."""
    context = {"invitation": invitation, "link": link, "days": VALID_FOR.days}
    return mail.send(
        invitation.email,
        _("Invitation to %(clinic)s") % {"clinic": invitation.clinic},
        render_to_string("people/invitation_mail.txt", context),
        about=f"invitation {invitation.pk}",
    )


def _open():
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
