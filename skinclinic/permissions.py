"""Who may see and change what: outsiders get 404, members who may only read get 403.

Every model that belongs to a clinic has a ``clinic`` field; these functions are the only door to its rows.
"""

from functools import wraps
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from skinclinic.models import Lesion, Member, Photo, User

M = TypeVar("M", bound=Model)

VIEW, EDIT, CURATE, STUDY, ADMIN = "view", "edit", "curate", "study", "admin"


def visible(model: type[M], user: User) -> QuerySet[M]:
    """Rows of ``model`` in any clinic the user is an active member of."""
    if not user.is_authenticated:
        return model._default_manager.none()
    return model._default_manager.filter(
        clinic__in=Member.objects.filter(user=user, is_active=True).values("clinic")
    )


def get_for(user: User | AnonymousUser, model: type[M] | QuerySet[M], pk, need: str = VIEW) -> M:
    """Return the row, or raise Http404 for outsiders and PermissionDenied for members without the right."""
    queryset = model if isinstance(model, QuerySet) else model._default_manager.all()
    try:
        row = queryset.filter(pk=pk).select_related("clinic").get()
    except (queryset.model.DoesNotExist, ValueError, TypeError, OverflowError):
        raise Http404 from None
    member = membership(user, row.clinic_id)
    if member is None:
        raise Http404
    require(member, need)
    return row


def membership(user: User | AnonymousUser, clinic_id: int) -> Member | None:
    """The user's active membership of a clinic."""
    if not user.is_authenticated:
        return None
    return (
        Member.objects.filter(user=user, clinic_id=clinic_id, is_active=True).select_related("clinic").first()
    )


def require(member: Member | None, need: str) -> None:
    """Raise PermissionDenied unless the member has the right."""
    if need not in (VIEW, EDIT, CURATE, STUDY, ADMIN):
        raise ValueError(f"no such right: {need}")
    if member is None or not member.is_active:
        raise PermissionDenied(_("You are not a member of a clinic yet."))
    if need == EDIT and not member.can_edit:
        raise PermissionDenied(_("Your role in this clinic may look but not change."))
    if need == CURATE and not member.can_curate:
        raise PermissionDenied(_("Only a curator or an admin of this clinic may do this."))
    if need == STUDY and not member.can_run_studies:
        raise PermissionDenied(_("Only a study coordinator or an admin of this clinic may do this."))
    if need == ADMIN and not member.is_admin:
        raise PermissionDenied(_("Only an admin of this clinic may do this."))


def clinic_member(need: str = VIEW):
    """Decorate a view: the signed-in user needs this right in the current clinic (request.membership)."""

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            require(request.membership, need)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def get_lesion_for(user: User, pk: int, need: str = VIEW) -> Lesion:
    return get_for(user, Lesion, pk, need)


def get_photo_for(user: User, pk: int, need: str = VIEW) -> Photo:
    return get_for(user, Photo, pk, need)
