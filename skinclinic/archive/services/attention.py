"""What of the archive needs attention."""

from collections.abc import Iterator

from django.urls import reverse

from skinclinic.archive.models import DuplicatePair, Entry, Import, Review
from skinclinic.models import Clinic
from skinclinic.services.attention import Item, count, source, written
from skinclinic.web.counts import ngettext


@source
def _archive(clinic: Clinic) -> Iterator[Item]:
    if n := count(Entry.objects.filter(clinic=clinic, review=Review.PENDING)):
        words = ngettext("%(n)d photo of the archive to review", "%(n)d photos of the archive to review", n)
        yield Item(words % {"n": written(n)}, reverse("review"))
    if n := count(DuplicatePair.objects.filter(clinic=clinic, verdict=DuplicatePair.Verdict.OPEN)):
        words = ngettext(
            "%(n)d pair of photos that look alike to decide",
            "%(n)d pairs of photos that look alike to decide",
            n,
        )
        yield Item(words % {"n": written(n)}, reverse("duplicates"))
    if n := count(Import.objects.filter(clinic=clinic, state=Import.State.FAILED)):
        words = ngettext("%(n)d import stopped", "%(n)d imports stopped", n)
        yield Item(words % {"n": written(n)}, reverse("imports"))
