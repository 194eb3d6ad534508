"""The checks a dataset must stand: each passed or failed, with the photos behind it."""

from dataclasses import dataclass, field

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair, Review
from skinclinic.archive.services import freezing

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
    same_person = DatasetItem.objects.filter(version=version, person=OuterRef("person"))
    same_content = DatasetItem.objects.filter(
        version=version, content_sha256=OuterRef("content_sha256")
    ).exclude(pk=OuterRef("pk"))
    with_subtypes = items.exclude(subtype="").order_by().values("label").distinct()
    checks = [
        _sizes(version),
        _rows(
            "subtypes",
            _("Subtype counts add up to their class"),
            items.filter(subtype="", label__in=with_subtypes),
        ),
        _rows("labels", _("Labels agree with the archive's now"), items.exclude(label=F("entry__label"))),
        _stated(version),
        _minimum(version),
        _rows(
            "patients",
            _("No patient is in both training and test"),
            tested.exclude(person="").filter(Exists(same_person.filter(split="train"))),
        ),
        _rows("twice", _("No photo is there twice"), items.filter(Exists(same_content))),
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


def _pairs(version: DatasetVersion, first, second) -> Q:
    return Q(first__in=first.values("entry"), second__in=second.values("entry"))


def _near(version: DatasetVersion, trained, tested) -> Check:
    pairs = DuplicatePair.objects.filter(clinic=version.clinic_id).exclude(
        verdict=DuplicatePair.Verdict.DIFFERENT
    )
    across = pairs.filter(_pairs(version, trained, tested) | _pairs(version, tested, trained))
    same_hash = tested.filter(phash__isnull=False).filter(
        Exists(DatasetItem.objects.filter(version=version, split="train", phash=OuterRef("phash")))
    )
    rows = tested.filter(
        Q(entry__in=across.values("first")) | Q(entry__in=across.values("second")) | Q(pk__in=same_hash.values("pk"))
    )  # fmt: skip
    return _rows("near", _("No photo looks like one on the other side"), rows)


def _undecided(version: DatasetVersion) -> Check:
    members = version.items.exclude(entry=None)
    pairs = DuplicatePair.objects.filter(clinic=version.clinic_id, verdict=DuplicatePair.Verdict.OPEN)
    pairs = pairs.filter(_pairs(version, members, members))
    rows = version.items.select_related("entry").filter(
        Q(entry__in=pairs.values("first")) | Q(entry__in=pairs.values("second"))
    )
    return _rows("undecided", _("Every pair that looks alike was decided"), rows)
