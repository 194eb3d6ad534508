"""Clinics and their members. A clinic always keeps an admin who can sign in."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from skinclinic.models import Clinic, Invitation, Member, Role, User
from skinclinic.services import audit, invitations, tokens
from skinclinic.services.refused import Refused


class LastAdmin(Exception):
    """The change would leave the clinic without an admin."""


@transaction.atomic
def create_clinic(name: str) -> Clinic:
    """Make a clinic with a short name for addresses that nobody has yet."""
    stem = slugify(name, allow_unicode=False)[:50] or "clinic"
    taken = set(Clinic.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    return Clinic.objects.create(name=name, slug=slug)


@transaction.atomic
def change_member(member: Member, *, role: str | None = None, is_active: bool | None = None) -> Member:
    """Give a member another role, or take or give back the right to enter. Raises LastAdmin and Refused.

    Someone who loses the admin's rights or the clinic itself also loses the invitations that are still
    open in their name, which would otherwise be a way back in; and whoever loses the clinic, the tokens that opened it.
    """
    lock(member.clinic)
    member = Member.objects.select_related("clinic", "user").get(pk=member.pk)
    was_admin = member.is_admin and member.is_active
    before = {"role": member.role, "is_active": member.is_active}
    if role is not None:
        if role == Role.ADMIN and member.user.is_service:
            raise Refused("role", _("A service account cannot be an admin: that is for people who sign in."))
        member.role = Role(role)
    if is_active is not None:
        member.is_active = is_active
    if was_admin and not (member.is_admin and member.is_active):
        if not other_admins(member).exists():
            raise LastAdmin
        invitations.revoke_all_by(member.user, member.clinic)
    if not member.is_active:
        invitations.revoke_all_for(member.user.email, member.clinic)
        tokens.revoke_for_clinic(member.user, member.clinic)
    member.save(update_fields=["role", "is_active"])
    audit.record(
        "member.role", member, before=before, after={"role": member.role, "is_active": member.is_active}
    )
    return member


def matching(clinic: Clinic, text: str) -> QuerySet[Member]:
    """The clinic's members whose name, user name or e-mail address has ``text`` in it, those with access first."""
    words = Q(user__display_name__icontains=text) | Q(user__username__icontains=text)
    rows = Member.objects.filter(words | Q(user__email__icontains=text), clinic=clinic)
    return rows.select_related("clinic", "user").order_by("-is_active", "user__username")


def other_admins(member: Member):
    """The clinic's admins besides this member who can sign in."""
    return Member.objects.filter(
        clinic=member.clinic, role=Role.ADMIN, is_active=True, user__is_active=True
    ).exclude(pk=member.pk)


def lock(clinic: Clinic) -> None:
    """Hold the clinic's row until the transaction ends, so that two admins cannot remove each other.

    On SQLite every writing transaction already excludes the others.
    """
    Clinic.objects.select_for_update().get(pk=clinic.pk)


def rename_person(user: User, display_name: str) -> None:
    """Change the name colleagues see."""
    before = User.objects.values_list("display_name", flat=True).get(pk=user.pk)
    user.display_name = display_name
    with transaction.atomic():
        user.save(update_fields=["display_name"])
        audit.record("account.name", user, before={"name": before}, after={"name": display_name})


def save_clinic(clinic: Clinic) -> None:
    """Store what an admin decided for the clinic."""
    save_settings(clinic, ["name", "impression_first", "try_page_open", "second_factor_roles"])


@transaction.atomic
def save_settings(clinic: Clinic, names: Collection[str], *, texts: Collection[str] = ()) -> None:
    """Store these fields of a clinic, and what they were before; of ``texts`` only that they changed."""
    before = Clinic.objects.filter(pk=clinic.pk).values(*names).get()
    clinic.save(update_fields=names)
    changed = {name: [was, now] for name, was in before.items() if (now := getattr(clinic, name)) != was}
    if changed:
        audit.record("settings.change", clinic, **audit.changes(changed, texts))


@transaction.atomic
def anonymise(member: Member) -> None:
    """Forget the name and address of somebody who has left, at that person's wish. What was recorded stays, under a
    number. Raises Refused for whoever still has access somewhere."""
    user = User.objects.select_for_update().get(pk=member.user_id)
    if user.memberships.filter(is_active=True).exists():
        raise Refused("", _("This person still has access, here or in another clinic. Take that away first."))
    user.username, user.display_name, user.email = f"left-{user.pk}", f"#{user.pk}", ""
    user.first_name = user.last_name = ""
    user.is_active = False
    user.set_unusable_password()
    user.save()
    Invitation.objects.filter(accepted_by=user).update(email="")
    audit.record("member.anonymise", clinic=member.clinic_id, facts={"member": member.pk})
