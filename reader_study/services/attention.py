"""What of reader studies needs attention."""

from collections.abc import Iterator

from django.urls import reverse

from reader_study.models import Study
from skinclinic.models import Clinic
from skinclinic.services.attention import Item, count, source, written
from skinclinic.web.counts import ngettext


@source
def _open(clinic: Clinic) -> Iterator[Item]:
    if n := count(Study.objects.filter(clinic=clinic, state=Study.State.OPEN)):
        words = ngettext("%(n)d study is open", "%(n)d studies are open", n)
        yield Item(words % {"n": written(n)}, reverse("studies"))
