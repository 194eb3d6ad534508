"""What follows in reader studies when photos go to the bin: open ones show them no more."""

from collections.abc import Iterator

from reader_study.models import StudyImage
from reader_study.services.making.withdrawal import of_images
from skinclinic.models import User
from skinclinic.services.binning import places
from skinclinic.services.binning.places import Photos
from skinclinic.services.consent import Effect


@places.on_bin
def in_studies(photos: Photos, user: User, act: bool) -> Iterator[Effect]:
    """Photos leave open studies and count no more there; a draft cannot open without them; a closed study stands."""
    images = StudyImage.with_repeats.filter(photo__in=list(photos), taken_out_at=None).order_by()
    yield from of_images(images, user, act)
