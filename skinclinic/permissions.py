"""Who may see and change what: outsiders get 404, members who may only read get 403.

Every model that belongs to a clinic has a ``clinic`` field; these functions are the only door to its rows.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from skinclinic.models import Lesion, Member, Photo, User
from skinclinic.web import acting
from skinclinic.web.requests import MemberRequest, SignedInRequest

M = TypeVar("M", bound=Model)
P = ParamSpec("P")
R = TypeVar("R")


class OfClinic(Protocol):
    """A row that belongs to a clinic."""

    clinic_id: int


VIEW, EDIT, CURATE, STUDY, ADMIN = "view", "edit", "curate", "study", "admin"


class NoClinic(PermissionDenied):
    """Who is signed in belongs to no clinic, so that no page of one is open to them."""


def visible(model: type[M], user: User | AnonymousUser) -> QuerySet[M]:
    """Rows of ``model`` in any clinic the user is an active member of."""
    if not user.is_authenticated:
        return model._default_manager.none()
    return model._default_manager.filter(clinic__in=clinics_of(user))


def clinics_of(user: User | AnonymousUser) -> list[int]:
    """Keys of the clinics the user is an active member of. A list rather than a subquery: only of keys it sees can the
    database tell a small clinic, whose rows it finds by an index, from a large one."""
    found = getattr(user, "found_memberships", None)
    if found is None:
        return list(memberships(user).order_by().values_list("clinic", flat=True))
    only = getattr(user, "only_clinic_id", None)
    return [member.clinic_id for member in found if only in (None, member.clinic_id)]


def known(rows: QuerySet[M], user: User | AnonymousUser) -> QuerySet[M]:
    """Of these rows those the user may name: of own clinics, and what belongs to none, such as models that came with
    the product. To name another one is as naming nothing."""
    return rows.filter(Q(clinic=None) | Q(clinic__in=clinics_of(user)))


def memberships(user: User | AnonymousUser) -> QuerySet[Member]:
    """The user's active memberships; for who comes by a token of one clinic, that one's alone."""
    rows = Member.objects.filter(user=user.pk, is_active=True)
    only = getattr(user, "only_clinic_id", None)
    return rows if only is None else rows.filter(clinic=only)


def get_for(
    user: User | AnonymousUser, model: type[M] | QuerySet[M], pk: int | str | None, need: str = VIEW
) -> M:
    """Return the row, or raise Http404 for outsiders and PermissionDenied for members without the right."""
    queryset = model if isinstance(model, QuerySet) else model._default_manager.all()
    try:
        row = queryset.filter(pk=pk).select_related("clinic").get()
    except (ObjectDoesNotExist, ValueError, TypeError, OverflowError):
        raise Http404 from None
    return the_one_for(user, [row], need)


def the_one_for(user: User | AnonymousUser, rows: list[M], need: str = VIEW) -> M:
    """The same, of a row that was asked for by its key already, with its clinic: none was found, or one."""
    if not rows:
        raise Http404
    require(member_of(user, cast(OfClinic, rows[0]).clinic_id), need)
    acting.let_to(rows[0])
    return rows[0]


def membership(user: User | AnonymousUser, clinic_id: int) -> Member | None:
    """The user's active membership of a clinic; in a request, as it was when that came."""
    if not user.is_authenticated:
        return None
    found = getattr(user, "found_memberships", None)
    if found is not None:
        return next((member for member in found if member.clinic_id == clinic_id), None)
    return memberships(user).filter(clinic=clinic_id).select_related("clinic").first()


def member_of(user: User | AnonymousUser, clinic_id: int) -> Member:
    """The user's active membership of a clinic, or Http404 for outsiders."""
    member = membership(user, clinic_id)
    if member is None:
        raise Http404
    return member


def require(member: Member | None, need: str) -> Member:
    """Return the member, or raise PermissionDenied without the right."""
    if need not in (VIEW, EDIT, CURATE, STUDY, ADMIN):
        raise ValueError(f"no such right: {need}")
    if member is None or not member.is_active:
        raise NoClinic(_("You are not a member of a clinic yet."))
    if need == EDIT and not member.can_edit:
        raise PermissionDenied(_("Your role in this clinic may look but not change."))
    if need == CURATE and not member.can_curate:
        raise PermissionDenied(_("Only a curator or an admin of this clinic may do this."))
    if need == STUDY and not member.can_run_studies:
        raise PermissionDenied(_("Only a study coordinator or an admin of this clinic may do this."))
    if need == ADMIN and not member.is_admin:
        raise PermissionDenied(_("Only an admin of this clinic may do this."))
    return member


def may(member: Member | None, need: str) -> bool:
    """Whether the member has the right."""
    try:
        require(member, need)
    except PermissionDenied:
        return False
    return True


def clinic_member(
    need: str = VIEW,
) -> Callable[[Callable[Concatenate[MemberRequest, P], R]], Callable[Concatenate[SignedInRequest, P], R]]:
    """Decorate a view: the signed-in user needs this right in the current clinic (request.membership)."""

    def decorate(
        view: Callable[Concatenate[MemberRequest, P], R],
    ) -> Callable[Concatenate[SignedInRequest, P], R]:
        @wraps(view)
        def checked(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(request.membership, need)
            return view(cast(MemberRequest, request), *args, **kwargs)

        # A large body of somebody without this right is not even read (BodySizeMiddleware).
        checked.need = need  # type: ignore[attr-defined]
        return checked

    return decorate


def get_lesion_for(user: User | AnonymousUser, pk: int | str | None, need: str = VIEW) -> Lesion:
    return get_for(user, Lesion, pk, need)


def get_photo_for(user: User | AnonymousUser, pk: int | str | None, need: str = VIEW) -> Photo:
    return get_for(user, Photo.objects.select_related("lesion"), pk, need)
