"""What every page of a study shares: who may see it, and what its frame shows."""

from django.utils.translation import gettext as _

from reader_study.models import Study
from reader_study.services.access import Access
from reader_study.services.making import opening
from skinclinic.permissions import VIEW, get_for, member_of
from skinclinic.web.requests import SignedInRequest

STUDIES = Study.objects.select_related("clinic", "model_version", "created_by", "opened_by", "closed_by")


def study_of(request: SignedInRequest, pk: int, need: str = VIEW) -> Study:
    """The study, for members of its clinic with this right."""
    return get_for(request.user, STUDIES, pk, need)


def access_of(request: SignedInRequest, pk: int) -> Access:
    """The study, and what the signed-in person may see of it. Raises Http404 for outsiders."""
    study = study_of(request, pk)
    return Access(study, member_of(request.user, study.clinic_id))


def frame(request: SignedInRequest, study: Study, tab: str) -> dict:
    """What the head of the page and its tabs need."""
    member = member_of(request.user, study.clinic_id)
    return {"study": study, "tab": tab, "can_run": member.can_run_studies, "states": Study.State}


def saved(study: Study) -> str:
    """What is said once a part of a study is stored: of a draft also what is missing first before it opens."""
    study.refresh_from_db()
    step = opening.next_step(study)
    return _("Saved. Next: %(step)s") % {"step": step} if step else _("Saved.")
