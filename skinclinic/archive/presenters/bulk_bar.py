"""What gallery and review queue need to do something with many photos."""

from skinclinic.archive.presenters.shown import reasons
from skinclinic.archive.presenters.work import BulkProgress
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.engine import clock
from skinclinic.models import Diagnosis
from skinclinic.vocabulary import tags
from skinclinic.web.requests import MemberRequest


def bulk_bar(request: MemberRequest, chosen: Selection, here: str) -> dict:
    """``here``: the address of the page, to come back to."""
    clinic = request.membership.clinic
    return {
        "bulk": {
            "search": chosen.to_json(),
            "back": here,
            "seen": clock.now().isoformat(),
        },
        "reasons": reasons(),
        "tag_choices": tags.TAGS,
        "proofs": Diagnosis.ConfirmedBy.choices,
        "strip": BulkProgress.newest(request, clinic),
    }
