"""Who comes from the hospital's own sign-in: an account of their own, and the roles that its claims give.

Claims rule the memberships they have given, at each sign-in; those of invitations stay as they are. An account is
never joined to one that is here already: an address or a name alone says too little for that.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify

from skinclinic.models import Clinic, Member, User
from skinclinic.services import audit, people

log = logging.getLogger(__name__)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Give the roles that the claims say; make an account for who comes for the first time."""
        said = _claims(sociallogin.account.extra_data)
        with transaction.atomic():
            user = sociallogin.user if sociallogin.is_existing else None
            if user is None and not wanted(said):
                raise ImmediateHttpResponse(_nothing(request))
            if user is None:
                user = _new_person(said)
                sociallogin.connect(request, user)
            apply(user, said)
        if not user.is_active or not user.memberships.filter(is_active=True).exists():
            raise ImmediateHttpResponse(_nothing(request))

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None):
        log.warning("single sign-on failed: %s", error, exc_info=exception)
        raise ImmediateHttpResponse(render(request, "registration/sso_failed.html", status=502))


def wanted(said: Mapping[str, Any]) -> dict[str, str]:
    """{short name of a clinic: role} of what the claims say."""
    value = said.get(settings.OIDC_CLAIM)
    values = {value} if isinstance(value, str) else {one for one in value or () if isinstance(one, str)}
    roles: dict[str, str] = {}
    for known, clinic, role in settings.OIDC_ROLES:
        if known in values:
            roles.setdefault(clinic, role)
    return roles


@transaction.atomic
def apply(user: User, said: Mapping[str, Any]) -> None:
    """Make the memberships what the claims say now; what they gave once and no longer give ends."""
    roles = wanted(said)
    for clinic in _clinics(roles):
        member = Member.objects.filter(clinic=clinic, user=user).first()
        if member is None:
            Member.objects.create(clinic=clinic, user=user, role=roles[clinic.slug], from_provider=True)
            audit.record("member.join", user, clinic=clinic, by=user, after={"role": roles[clinic.slug]})
        elif (member.role, member.is_active) != (roles[clinic.slug], True) or not member.from_provider:
            _change(member, role=roles[clinic.slug], is_active=True)
    for member in Member.objects.filter(user=user, from_provider=True, is_active=True).select_related(
        "clinic"
    ):
        if member.clinic.slug not in roles:
            _change(member, is_active=False)


def _change(member: Member, **changes: Any) -> None:
    try:
        people.change_member(member, **changes)
        Member.objects.filter(pk=member.pk).update(from_provider=True)
    except people.LastAdmin:
        # A clinic always keeps an admin; somebody else has to be made one first.
        log.warning("single sign-on takes nothing from the only admin of clinic %d", member.clinic_id)


def _clinics(roles: Iterable[str]) -> list[Clinic]:
    found = list(Clinic.objects.filter(slug__in=roles))
    if missing := set(roles) - {clinic.slug for clinic in found}:
        log.error("OIDC_ROLES names clinics that there are not: %s", ", ".join(sorted(missing)))
    return found


def _new_person(said: Mapping[str, Any]) -> User:
    """An account without a password; its user name is only seen, nobody types it."""
    name = _text(said.get("preferred_username") or said.get("email") or said.get("sub"))
    stem = slugify(name.partition("@")[0])[:100] or "person"
    taken = set(User.objects.filter(username__istartswith=stem).values_list("username", flat=True))
    username, number = stem, 2
    while username in taken:
        username, number = f"{stem}-{number}", number + 1
    user = User(
        username=username, display_name=_text(said.get("name"))[:120], email=_text(said.get("email"))[:254]
    )
    user.set_unusable_password()
    user.save()
    return user


def _claims(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What the ID token and the user info say; the latter is the newer."""
    return {**(extra.get("id_token") or {}), **(extra.get("userinfo") or {})}


def _text(value: Any) -> str:
    return "".join(filter(str.isprintable, value)) if isinstance(value, str) else ""


def _nothing(request: HttpRequest) -> HttpResponse:
    return render(request, "registration/no_membership.html", {"name": settings.OIDC_NAME}, status=403)
