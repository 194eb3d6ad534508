"""What gallery and review queue need to do something with many photos."""

from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.presenters.shown import reasons
from skinclinic.archive.presenters.work import BulkProgress
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.models import Diagnosis
from skinclinic.vocabulary import tags
from skinclinic.web.requests import MemberRequest

MOST_DRAFTS = 100


def bulk_bar(request: MemberRequest, chosen: Selection, here: str) -> dict:
    """``here``: the address of the page, to come back to."""
    clinic = request.membership.clinic
    drafts = DatasetVersion.objects.filter(clinic=clinic, state=DatasetVersion.State.DRAFT)
    return {
        "bulk": {
            "search": chosen.to_json(),
            "back": here,
            "seen": bulk.newest_change(),
            "drafts": list(drafts.select_related("dataset").order_by("dataset__name")[:MOST_DRAFTS]),
        },
        "reasons": reasons(),
        "tag_choices": tags.TAGS,
        "proofs": Diagnosis.ConfirmedBy.choices,
        "strip": BulkProgress.newest(request, clinic),
    }
