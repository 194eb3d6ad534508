"""The photos of a version that stand against it, by reason: for its checks, its list of photos, and to take them out.

At 200,000 photos nothing may look through the members once for each member: sets of keys are asked for (IN), which
both databases read once, instead of conditions that name the outer row.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair, Review
from skinclinic.archive.services.curating import consent, torn_lesions
from skinclinic.vocabulary import icd10
from skinclinic.vocabulary.diseases import DISEASE_KEYS

Rows = QuerySet[DatasetItem]

_AT_ONCE = 500
REJECTED, DELETED, CONSENT, COVERED, WITHDRAWN = "rejected", "deleted", "consent", "covered", "withdrawn"
# What keeps a version from being frozen, and is mended by taking the photos out.
BARRING = (DELETED, REJECTED, CONSENT)


def rows(version: DatasetVersion, reason: str) -> Rows:
    """The photos that a reason of ``REASONS`` concerns."""
    return REASONS[reason](version)


def chosen(version: DatasetVersion, asked: Mapping[str, str]) -> Rows:
    """The photos of a reason (``against``), a ``label`` and a side (``split``), as far as these are asked for."""
    found = rows(version, asked["against"]) if "against" in asked else version.items.all()
    return found.filter(**{name: value for name, value in asked.items() if name != "against"})


def _train(version: DatasetVersion) -> Rows:
    return version.items.filter(split=DatasetItem.Split.TRAIN).order_by()


def _test(version: DatasetVersion) -> Rows:
    return version.items.filter(split=DatasetItem.Split.TEST).order_by()


def _rejected(version: DatasetVersion) -> Rows:
    return version.items.filter(entry__review=Review.REJECTED)


def _unreviewed(version: DatasetVersion) -> Rows:
    return version.items.filter(entry__review=Review.PENDING)


def _deleted(version: DatasetVersion) -> Rows:
    return version.items.filter(entry=None).exclude(content_sha256__startswith=DatasetItem.WITHDRAWN)


def _withdrawn(version: DatasetVersion) -> Rows:
    """Lines that are left of photos whose patients were erased."""
    # Beyond all digits of a hash: a range, which the index of contents has whatever the database sorts by.
    return version.items.filter(content_sha256__gte=DatasetItem.WITHDRAWN)


def _without_consent(version: DatasetVersion) -> Rows:
    return version.items.filter(consent.missing("entry__"))


def _covered(version: DatasetVersion) -> Rows:
    """Photos that were covered for good since the version was frozen: what it held is there no more."""
    return version.items.exclude(entry=None).exclude(content_sha256=F("entry__content_sha256"))


def _other_label(version: DatasetVersion) -> Rows:
    return version.items.exclude(label=F("entry__label"))


def _unfit_code(version: DatasetVersion) -> Rows:
    """Photos with a code that their disease cannot have."""
    found = Q(pk__in=())
    for disease in DISEASE_KEYS:
        fitting = Q(icd10="")
        for beginning in icd10.beginnings(disease):
            fitting |= Q(icd10__startswith=beginning)
        found |= Q(label=disease) & ~fitting
    return version.items.filter(found)


def _without_subtype(version: DatasetVersion) -> Rows:
    """Photos without a subtype whose class has some."""
    named = version.items.exclude(subtype="").order_by().values("label").distinct()
    return version.items.filter(subtype="", label__in=named)


def _on_both_sides(name: str) -> Callable[[DatasetVersion], Rows]:
    """Test photos whose patient trains, too."""

    def found(version: DatasetVersion) -> Rows:
        known = _train(version).exclude(**{name: ""}).values(name)
        return version.items.filter(split=DatasetItem.Split.TEST, **{f"{name}__in": known})

    return found


def _lesions_on_both_sides(version: DatasetVersion) -> Rows:
    """Test photos whose lesion trains, too, also if it is held in pieces."""
    torn: list[int] = []
    if version.split:
        held = list(pieces(version))
        trained = {lesion for _pk, lesion, side in held if side == DatasetItem.Split.TRAIN}
        torn = [pk for pk, lesion, side in held if side == DatasetItem.Split.TEST and lesion in trained]
    known = _train(version).exclude(lesion="").values("lesion")
    return version.items.filter(Q(lesion__in=known) | Q(pk__in=torn), split=DatasetItem.Split.TEST)


def pieces(version: DatasetVersion) -> Iterator[tuple[int, int, str]]:
    """(item, lesion, side) of the members whose lesion is held in pieces."""
    whole = torn_lesions.whole(version.clinic_id)
    keys = list(whole)
    for start in range(0, len(keys), _AT_ONCE):
        part = version.items.filter(entry__in=keys[start : start + _AT_ONCE])
        for pk, entry, side in part.values_list("pk", "entry_id", "split"):
            yield pk, whole[entry], side


def pieces_together(clinic_id: int, item_of: Mapping[int, int]) -> list[tuple[int, int]]:
    """Pairs of items of one lesion that is held in pieces. ``item_of``: {entry: item}."""
    first: dict[int, int] = {}
    pairs: list[tuple[int, int]] = []
    for entry, lesion in torn_lesions.whole(clinic_id).items():
        if entry in item_of:
            pairs.append((first.setdefault(lesion, item_of[entry]), item_of[entry]))
    return pairs


def _twice(version: DatasetVersion) -> Rows:
    return version.items.filter(content_sha256__in=_contents_twice(version))


def _contents_twice(version: DatasetVersion):
    contents = version.items.order_by().values("content_sha256").annotate(n=Count("id"))
    return contents.filter(n__gt=1).values("content_sha256")


def _like_other_side(version: DatasetVersion) -> Rows:
    first, *others = _keys_like_other_side(version)
    return version.items.filter(pk__in=first.union(*others))


def _keys_like_other_side(version: DatasetVersion) -> Iterator[QuerySet[Any]]:
    train, test = _train(version), _test(version)
    pairs = _pairs(version).exclude(verdict=DuplicatePair.Verdict.DIFFERENT)
    yield test.filter(entry__in=_others("first", pairs, train, "second")).values("pk")
    yield test.filter(entry__in=_others("second", pairs, train, "first")).values("pk")
    yield test.filter(phash__in=train.filter(phash__isnull=False).values("phash")).values("pk")


def _undecided(version: DatasetVersion) -> Rows:
    first, *others = _keys_undecided(version)
    return version.items.filter(pk__in=first.union(*others))


def _keys_undecided(version: DatasetVersion) -> Iterator[QuerySet[Any]]:
    members = version.items.exclude(entry=None).order_by()
    pairs = _pairs(version).filter(verdict=DuplicatePair.Verdict.OPEN)
    within = pairs.filter(second__in=members.values("entry"))
    yield members.filter(entry__in=_others("first", within, members, "first")).values("pk")
    yield members.filter(entry__in=_others("first", within, members, "second")).values("pk")


def _alike(version: DatasetVersion) -> Rows:
    """Everything that looks like another photo of the version and was not decided, or is on the other side."""
    first, *others = (*_keys_undecided(version), *_keys_like_other_side(version))
    same = version.items.order_by().filter(content_sha256__in=_contents_twice(version)).values("pk")
    return version.items.filter(pk__in=first.union(*others, same))


def _pairs(version: DatasetVersion) -> QuerySet[DuplicatePair]:
    return DuplicatePair.objects.filter(clinic=version.clinic_id).order_by()


def _others(side: str, pairs, items: Rows, wanted: str):
    """The entries on the ``wanted`` side of those pairs whose ``side`` is among the items."""
    return pairs.filter(**{f"{side}__in": items.exclude(entry=None).values("entry")}).values(wanted)


REASONS: dict[str, Callable[[DatasetVersion], Rows]] = {
    REJECTED: _rejected,
    "reviewed": _unreviewed,
    "alike": _alike,
    "undecided": _undecided,
    "near": _like_other_side,
    "patients": _on_both_sides("person"),
    "lesions": _lesions_on_both_sides,
    "twice": _twice,
    "labels": _other_label,
    "icd10": _unfit_code,
    "subtypes": _without_subtype,
    DELETED: _deleted,
    CONSENT: _without_consent,
    COVERED: _covered,
    WITHDRAWN: _withdrawn,
}
