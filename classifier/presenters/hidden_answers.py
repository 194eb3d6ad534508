"""Whose answers a page must not show yet."""

from django.utils.translation import gettext as _

from classifier.models import Analysis
from classifier.services.analysis.assessments import hidden_photo_ids
from skinclinic.permissions import member_of
from skinclinic.web.requests import SignedInRequest


def hidden_answers(request: SignedInRequest, clinic: int, photos) -> set[int]:
    """Photos of the clinic's own patients on which this person still owes an own impression."""
    waiting = [photo for photo in photos if not photo.lesion.is_archived]
    asked = Analysis.objects.asked_for().filter(photo__in=waiting).values_list("photo", flat=True)
    return hidden_photo_ids(request.user, member_of(request.user, clinic), set(asked))


def impression_first() -> str:
    """What page and API say of an answer that is kept back."""
    return _("Record your own impression first, or choose to see the answer without one.")
