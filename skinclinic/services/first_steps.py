"""The first steps of a new member, by role: a link to do each, a page of help, and whether it is done where that can be
known. Apps register their own; they are shown where the role's work is until the member puts them away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from skinclinic.kept_queries import kept
from skinclinic.models import Invitation, Member, Photo, Role
from skinclinic.services import second_factor

# The URL name of the page where a role's work is.
LANDING = {
    Role.CLINICIAN: "worklist",
    Role.CURATOR: "archive",
    Role.COORDINATOR: "studies",
    Role.ADMIN: "overview",
}


@dataclass(frozen=True)
class Step:
    """``url``: a URL name; ``page``: of help; ``is_done``: None where it cannot be known."""

    words: Promise
    url: str
    page: str
    is_done: Callable[[Member], bool] | None = None


@dataclass(frozen=True)
class Told:
    """A step as it stands for a member; ``is_done`` is None where nobody can know."""

    step: Step
    is_done: bool | None


_steps: dict[str, list[tuple[int, Step]]] = {}


def register(role: str, steps: Sequence[tuple[int, Step]]) -> None:
    """Add steps of a role, each with its place among them."""
    known = _steps.setdefault(role, [])
    known.extend(steps)
    known.sort(key=lambda one: one[0])


def landing(member: Member | None) -> str:
    """The URL name of the page on which this member begins."""
    return LANDING[Role(member.role)] if member else "worklist"


def told(member: Member) -> list[Told]:
    """The member's steps in their order; each that can be known asks the database once."""
    return [
        Told(step, step.is_done(member) if step.is_done else None)
        for _place, step in _steps.get(member.role, [])
    ]


def put_away(member: Member) -> None:
    """Never show them to this member again."""
    Member.objects.filter(pk=member.pk).update(first_steps=False)


def _has_uploaded(member: Member) -> bool:
    return bool(_uploaded(member.clinic_id, member.user_id))


def _has_filed(member: Member) -> bool:
    return bool(_filed(member.clinic_id, member.user_id))


@kept
def _uploaded(clinic: int, user: int) -> QuerySet[Photo, int]:
    return Photo.objects.filter(clinic=clinic, uploaded_by=user).order_by().values_list("pk", flat=True)[:1]


@kept
def _filed(clinic: int, user: int) -> QuerySet[Photo, int]:
    mine = Photo.objects.filter(clinic=clinic, uploaded_by=user)
    return mine.filter(lesion__patient__isnull=False).order_by().values_list("pk", flat=True)[:1]


register(
    Role.CLINICIAN,
    [
        (10, Step(_("Upload a first photo"), "upload", "upload", _has_uploaded)),
        (20, Step(_("File it under a patient"), "worklist", "patients", _has_filed)),
        (50, Step(_("Know what a heatmap can tell and what not"), "worklist", "heatmaps")),
        (60, Step(_("Take photos on a phone"), "patients", "phone")),
    ],
)
register(
    Role.ADMIN,
    [
        (
            10,
            Step(
                _("Invite the others"),
                "members",
                "people",
                lambda member: Invitation.objects.filter(clinic=member.clinic_id).exists(),
            ),
        ),
        (
            20,
            Step(
                _("Set up your second factor"),
                "mfa_index",
                "account",
                lambda member: second_factor.has(member.user),
            ),
        ),
        (30, Step(_("Decide whether the own impression comes first"), "clinic-settings", "settings")),
        (
            40,
            Step(
                _("Write the letterhead"),
                "letterhead",
                "settings",
                lambda member: bool(member.clinic.letter_address),
            ),
        ),
    ],
)
