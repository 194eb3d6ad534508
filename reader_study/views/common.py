"""What every page of a study shares: who may see it, and what its frame shows."""

from reader_study.models import Study
from skinclinic.permissions import STUDY, VIEW, get_for, member_of, require
from skinclinic.web.requests import SignedInRequest

STUDIES = Study.objects.select_related("clinic", "model_version", "created_by", "opened_by", "closed_by")


def study_of(request: SignedInRequest, pk: int, need: str = VIEW) -> Study:
    """The study, for members of its clinic with this right."""
    return get_for(request.user, STUDIES, pk, need)


def study_with_truth(request: SignedInRequest, pk: int) -> Study:
    """The study for those who may see its photos and readers now: after closing every member of the clinic."""
    study = study_of(request, pk)
    if not study.is_closed:
        require(member_of(request.user, study.clinic_id), STUDY)
    return study


def frame(request: SignedInRequest, study: Study, tab: str) -> dict:
    """What the head of the page and its tabs need."""
    member = member_of(request.user, study.clinic_id)
    return {"study": study, "tab": tab, "can_run": member.can_run_studies, "states": Study.State}
