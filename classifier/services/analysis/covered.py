"""What follows for analyses when a photo is covered for good.

An answer to a square that the covers do not touch stands. One to a square that they touch stays in the history, marked
as of the photo before (``Analysis.before_cover``), and the square is analysed again; until that is done the earlier
answer stands on lists, so that no suspicion goes away with a cover. Its features and the squares that were suggested
are deleted: the covered area may be told from them.
"""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from classifier.models import Analysis, PhotoFeatures, SuggestedSquares
from classifier.services.analysis.analyses import NoModel, request_analysis
from skinclinic.models import Photo, User
from skinclinic.services import covering
from skinclinic.services.covering import NewPicture


@covering.on_covered
def analyse_again(photos: Sequence[Photo], picture: NewPicture, user: User | None) -> None:
    """Mark the answers to what is there no more, and ask for those of the current squares anew."""
    for photo in photos:
        rows = Analysis.objects.filter(photo=photo, before_cover=False).defer("maps")
        touched = [row for row in rows if any(one.touches(row.box) for one in picture.covers)]
        Analysis.objects.filter(pk__in=[row.pk for row in touched]).update(before_cover=True)
        seen = PhotoFeatures.objects.filter(photo=photo).defer("values")
        gone = [row.pk for row in seen if any(one.touches(row.box) for one in picture.covers)]
        PhotoFeatures.objects.filter(pk__in=gone).delete()
        SuggestedSquares.objects.filter(photo=photo).delete()
        if any(row.job_id and row.box == photo.box for row in touched):
            try:
                request_analysis(photo, user=user)
            except NoModel:
                continue


def told(photos: Sequence[Photo]) -> Iterator[str]:
    """What covering them will mean for their answers."""
    if Analysis.objects.asked_for().filter(photo__in=photos).exists():
        yield _(
            "If a cover reaches into the analysed square, that is analysed again; the earlier answer stays in the "
            "history."
        )


covering.consequences.append(told)
