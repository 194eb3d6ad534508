"""How many a search finds, without counting more than some thousand of them in a request.

R4 leaves it to a server whether it tells a total (``Bundle.total`` is optional, ``_total`` a wish), and a total that is
not exact may be told where that is said.
"""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import QuerySet

from classifier.api.fhir.kinds import Kind
from classifier.presenters.fhir.teller import Teller
from skinclinic.fhir.parts import Json, instant, issue, outcome
from skinclinic.models import Clinic
from skinclinic.permissions import clinics_of
from skinclinic.services import kept_counts
from skinclinic.web.counts import gettext as _

# So many are counted when somebody asks.
MOST = 10_000


class Total(NamedTuple):
    """``number``: None where it is not told; ``said``: what is said of it, as outcomes."""

    number: int | None
    said: list[Json]


def of(found: QuerySet, kind: Kind, asked: Mapping[str, str], teller: Teller) -> Total:
    """Of what a search with the parameters ``asked`` finds: exactly up to MOST; of more what the reconciler has
    counted, where nothing narrows the search."""
    is_whole = bool(kind.counted_as) and not any(name in kind.parameters for name in asked)
    if is_whole and (kept := _kept(kind, teller)):
        return kept
    # Answers along their own index, which stops there: else the database gathers all lesions first.
    few = found.order_by(*(("-pk",) if kind.of_answers else ())).values("pk")[: MOST + 1].count()
    if few <= MOST:
        return Total(few, [])
    if is_whole:  # The reconciler has not been round yet.
        return Total(found.count(), [])
    text = _(
        "More than %(most)d are found; how many is not counted. Narrow the search, or go through its pages."
    )
    return Total(None, [_said("too-costly", text % {"most": MOST})])


def _kept(kind: Kind, teller: Teller) -> Total | None:
    """All that the person's clinics have, if that is more than MOST and was counted before."""
    clinics = Clinic.objects.filter(pk__in=clinics_of(teller.user)).order_by("pk")
    counts = [kept_counts.of(clinic, kind.counted_as)[kind.counted_as] for clinic in clinics]
    moments = [count.at for count in counts if count.at is not None]
    total = sum(count.count for count in counts)
    if total <= MOST or not moments:
        return None
    text = _(
        "The total was counted at %(at)s. What has come since is added; what was changed or has gone since is "
        "not."
    )
    return Total(total, [_said("informational", text % {"at": instant(min(moments))})])


def _said(code: str, text: str) -> Json:
    return outcome(issue(code, text, severity="information"))
