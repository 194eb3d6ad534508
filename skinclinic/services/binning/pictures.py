"""A photo in the bin keeps its file: what would reach that, too, must wait until it is back or gone."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from skinclinic.models import BinnedRow, Photo
from skinclinic.services import covering


def why_not_covered(photos: Sequence[Photo]) -> str:
    """Why areas of these photos of one clinic cannot be covered for good because of the bin, in words; "" if they can:
    another photo of the same picture would come back with them uncovered."""
    pictures = {photo.picture for photo in photos if photo.picture}
    binned = BinnedRow.objects.filter(
        item__clinic=photos[0].clinic_id, model="skinclinic.photo", data__picture__in=pictures
    )
    if pictures and binned.exists():
        return _(
            "Another lesion of this picture lies in the bin with the picture as it was. Restore it there, or delete "
            "it for good, then cover."
        )
    return ""


covering.reasons_against.append(why_not_covered)
