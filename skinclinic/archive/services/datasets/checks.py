"""The checks a dataset must stand: each passed or failed, with the photos behind it.

At 200,000 photos a check must not look through the members once for each member: sets of keys are asked for
(IN), which both databases read once, instead of conditions that name the outer row.
"""

from dataclasses import dataclass, field

from django.db.models import Count, F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair, Review
from skinclinic.archive.services.datasets import freezing
from skinclinic.vocabulary import icd10
from skinclinic.vocabulary.diseases import DISEASE_KEYS

SHOWN = 24


@dataclass(frozen=True)
class Check:
    """``count``: how many photos (or classes) stand against it; ``items``: the first of the photos."""

    key: str
    title: str
    passed: bool
    count: int = 0
    said: str = ""
    items: list[DatasetItem] = field(default_factory=list)


def of(version: DatasetVersion) -> list[Check]:
    """Make every check; what classes are to have is what ``version.stated`` says."""
    items = version.items.select_related("entry")
    trained, tested = items.filter(split="train"), items.filter(split="test")
    twice = items.order_by().values("content_sha256").annotate(n=Count("id")).filter(n__gt=1)
    with_subtypes = items.exclude(subtype="").order_by().values("label").distinct()
    checks = [
        _sizes(version),
        _rows(
            "subtypes",
            _("Subtype counts add up to their class"),
            items.filter(subtype="", label__in=with_subtypes),
        ),
        _rows("labels", _("Labels agree with the archive's now"), items.exclude(label=F("entry__label"))),
        _rows("icd10", _("ICD-10 fits the label"), items.filter(_unfit())),
        _stated(version),
        _minimum(version),
        _rows(
            "patients",
            _("No patient is in both training and test"),
            tested.filter(person__in=trained.exclude(person="").order_by().values("person")),
        ),
        _rows(
            "twice",
            _("No photo is there twice"),
            items.filter(content_sha256__in=twice.values("content_sha256")),
        ),
        _near(version, trained, tested),
        _undecided(version),
        _rows("rejected", _("No member was rejected"), items.filter(entry__review=Review.REJECTED)),
        _rows("reviewed", _("Every member was reviewed"), items.filter(entry__review=Review.PENDING)),
        _rows("deleted", _("Every photo is still in the archive"), items.filter(entry=None)),
        _rows(
            "consent",
            _("Every patient of the clinic consents"),
            items.filter(entry__source__is_own=True).exclude(entry__patient__research_consent="given"),
        ),
    ]
    if version.is_frozen:
        now = freezing.fingerprint_of(version)
        checks.append(
            Check("fingerprint", _("The members are those that were frozen"), now == version.sha256, said=now)
        )
    return checks


def _unfit() -> Q:
    """Items with a code that their disease cannot have."""
    found = Q(pk__in=())
    for disease in DISEASE_KEYS:
        fitting = Q(icd10="")
        for beginning in icd10.beginnings(disease):
            fitting |= Q(icd10__startswith=beginning)
        found |= Q(label=disease) & ~fitting
    return found


def _rows(key: str, title: str, rows, said: str = "") -> Check:
    count = rows.count()
    return Check(key, title, not count, count, said, list(rows.order_by("pk")[:SHOWN]) if count else [])


def _sizes(version: DatasetVersion) -> Check:
    items = version.items
    n = dict(items.order_by().values_list("split").annotate(n=Count("id")))
    total, train, test, none = sum(n.values()), n.get("train", 0), n.get("test", 0), n.get("", 0)
    title = _("Training and test add up to the total")
    numbers = {"train": train, "test": test, "sum": train + test, "total": total}
    said = _("%(train)d + %(test)d = %(sum)d of %(total)d") % numbers
    if none == total:
        return Check("sizes", title, True, said=_("not split"))
    stated = (version.split or {}).get("said", {})
    agrees = not stated or (stated["train"], stated["test"]) == (train, test)
    rows = list(items.filter(split="").select_related("entry")[:SHOWN])
    return Check("sizes", title, not none and agrees, none, said, rows)


def _stated(version: DatasetVersion) -> Check:
    title = _("Classes have as many photos as stated")
    stated = version.stated.get("counts", {})
    if not stated:
        return Check("stated", title, True, said=_("nothing is stated"))
    counted = dict(
        version.items.order_by().filter(label__in=stated).values_list("label").annotate(n=Count("id"))
    )
    wrong = {label: n for label, n in stated.items() if counted.get(label, 0) != n}
    said = "; ".join(
        _("%(label)s: %(n)d stated, %(counted)d counted")
        % {"label": labels.name(label, get_language() or "en"), "n": n, "counted": counted.get(label, 0)}
        for label, n in list(wrong.items())[:SHOWN]
    )
    return Check("stated", title, not wrong, len(wrong), said)


def _minimum(version: DatasetVersion) -> Check:
    minimum = version.stated.get("minimum", 1)
    few = list(
        version.items.order_by()
        .values_list("label")
        .annotate(n=Count("id"))
        .filter(n__lt=minimum)
        .order_by("label")
    )
    said = ", ".join(f"{labels.name(label, get_language() or 'en')} {n}" for label, n in few[:SHOWN])
    title = _("Every class has at least %d photos") % minimum
    return Check("minimum", title, not few, len(few), said)


def _near(version: DatasetVersion, trained, tested) -> Check:
    trained, tested = trained.order_by(), tested.order_by()
    pairs = DuplicatePair.objects.filter(clinic=version.clinic_id).order_by()
    pairs = pairs.exclude(verdict=DuplicatePair.Verdict.DIFFERENT)
    alike = tested.filter(entry__in=_others("first", pairs, trained, "second")).values("pk")
    also_alike = tested.filter(entry__in=_others("second", pairs, trained, "first")).values("pk")
    same_hash = tested.filter(phash__in=trained.filter(phash__isnull=False).values("phash")).values("pk")
    rows = version.items.select_related("entry").filter(pk__in=alike.union(also_alike, same_hash))
    return _rows("near", _("No photo looks like one on the other side"), rows)


def _undecided(version: DatasetVersion) -> Check:
    members = version.items.exclude(entry=None).order_by()
    pairs = DuplicatePair.objects.filter(clinic=version.clinic_id, verdict=DuplicatePair.Verdict.OPEN)
    within = pairs.filter(second__in=members.values("entry")).order_by()
    alike = members.filter(entry__in=_others("first", within, members, "first")).values("pk")
    also_alike = members.filter(entry__in=_others("first", within, members, "second")).values("pk")
    rows = version.items.select_related("entry").filter(pk__in=alike.union(also_alike))
    return _rows("undecided", _("Every pair that looks alike was decided"), rows)


def _others(side: str, pairs, items, wanted: str):
    """The entries on the ``wanted`` side of those pairs whose ``side`` is among the items."""
    return pairs.filter(**{f"{side}__in": items.exclude(entry=None).values("entry")}).values(wanted)
