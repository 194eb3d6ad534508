"""Who sees what of a study: members look, coordinators and admins run it, and before it is closed only they
see which photos it holds."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from reader_study.models import Study, StudyImage
from skinclinic.models import Clinic, Member, Photo


def studies_of(clinic: Clinic) -> QuerySet[Study]:
    """The clinic's studies, newest first."""
    return Study.objects.filter(clinic=clinic).order_by("-id")


def sees_results(study: Study, member: Member) -> bool:
    """Whether a member may see answers beside the truth: of a closed study everybody, before that only those who
    run it and after a logged decision."""
    return study.is_closed or (study.is_unblinded and member.can_run_studies)


def why_kept(photo: Photo) -> str:
    """Why a photo may not be deleted now: readers of an open study would come to a gap."""
    needing = (
        StudyImage.objects.filter(photo=photo, study__state=Study.State.OPEN).select_related("study").first()
    )
    if needing is None:
        return ""
    return _("This photo belongs to the open study “%(study)s”. Close the study first.") % {
        "study": needing.study
    }
