"""Who sees what of a study; the only place that decides it, for pages and API alike.

Members of the clinic see that a study exists. Who runs it (coordinators, admins) sees its photos and how far its
readers are; but while it is open nobody sees an answer, nor what a photo shows, until somebody unblinds the study,
which is logged with name and reason. Once it is closed every member sees everything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from reader_study.models import Study, StudyImage
from skinclinic import permissions
from skinclinic.models import Clinic, Member, Photo, User


@dataclass(frozen=True)
class Access:
    """What a member of the clinic may see of one of its studies."""

    study: Study
    member: Member

    @property
    def can_see_photos(self) -> bool:
        """Which photos it holds, its protocol, its log, and how far the readers are."""
        return self.study.is_closed or self.member.can_run_studies

    @property
    def can_see_answers(self) -> bool:
        """What readers answered, and everything computed from it."""
        return self.study.is_closed or (self.study.is_unblinded and self.member.can_run_studies)

    @property
    def can_see_truth(self) -> bool:
        """What each photo shows. Who draws the sample must know; but beside answers that come back on paper it
        would be a result."""
        return self.can_see_answers or (self.study.is_draft and self.member.can_run_studies)

    def require_photos(self) -> None:
        """Raise PermissionDenied."""
        if not self.can_see_photos:
            raise PermissionDenied(_("Only those who run the study see this before it is closed."))

    def require_truth(self) -> None:
        """Raise PermissionDenied, saying until when."""
        if not self.can_see_truth:
            raise PermissionDenied(
                _("What each photo shows is kept back while the study is open, unless it is unblinded.")
            )

    def require_answers(self) -> None:
        """Raise PermissionDenied, saying until when."""
        if not self.can_see_answers:
            raise PermissionDenied(
                _(
                    "The study is not closed: nobody sees answers or results before that, unless it is unblinded."
                )
            )


def with_photos_for(user: User | AnonymousUser) -> QuerySet[Study]:
    """Studies of which ``can_see_photos`` holds for this person."""
    mine, running = _clinics(user)
    return Study.objects.filter(Q(clinic__in=running) | Q(clinic__in=mine, state=Study.State.CLOSED))


def with_answers_for(user: User | AnonymousUser) -> QuerySet[Study]:
    """Studies of which ``can_see_answers`` holds for this person."""
    mine, running = _clinics(user)
    return Study.objects.filter(
        Q(clinic__in=running, unblinded_at__isnull=False) | Q(clinic__in=mine, state=Study.State.CLOSED)
    )


def _clinics(user: User | AnonymousUser) -> tuple[QuerySet, QuerySet]:
    """The clinics the person is in, and those whose studies the person runs."""
    mine = permissions.memberships(user)
    return mine.values("clinic"), mine.filter(role__in=Member.STUDY_ROLES).values("clinic")


def studies_of(clinic: Clinic) -> QuerySet[Study]:
    """The clinic's studies, newest first."""
    return Study.objects.filter(clinic=clinic).order_by("-id")


def why_kept(photo: Photo) -> str:
    """Why a photo may not be deleted now: readers of an open study would come to a gap."""
    if (study := _open_study_with([photo])) is None:
        return ""
    return _("This photo belongs to the open study “%(study)s”. Close the study first.") % {"study": study}


def why_not_covered(photos: Sequence[Photo]) -> str:
    """Why photos cannot be covered now: all readers of an open study must see the same picture."""
    if (study := _open_study_with(photos)) is None:
        return ""
    return _(
        "The open study “%(study)s” shows this photo, and all its readers must see the same picture. Close the study "
        "first, then cover the photo."
    ) % {"study": study}


def told_of_covering(photos: Sequence[Photo]) -> Iterator[str]:
    """What covering them will mean for studies that have ended or not begun."""
    images = StudyImage.objects.filter(photo__in=photos, taken_out_at=None).order_by()
    studies = Study.objects.filter(pk__in=images.values("study")).order_by("name")
    words = {
        Study.State.DRAFT: _("Drafts of studies cannot open until their samples are drawn again: %(names)s."),
        Study.State.CLOSED: _(
            "In closed studies readers have seen the photo as it is; they keep their figures and show it covered: "
            "%(names)s."
        ),
    }
    for state, text in words.items():
        if names := [str(study) for study in studies.filter(state=state)]:
            yield text % {"names": ", ".join(names)}


def _open_study_with(photos: Sequence[Photo]) -> Study | None:
    images = StudyImage.with_repeats.filter(
        photo__in=photos, study__state=Study.State.OPEN, taken_out_at=None
    )
    found = images.select_related("study").first()
    return found.study if found else None
