"""The checks a dataset must stand: each passed or failed, with the photos behind it."""

from dataclasses import dataclass, field

from django.db.models import Count
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import against, freezing

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

    @property
    def has_photos(self) -> bool:
        """Whether ``against`` lists all photos behind it."""
        return self.key in against.REASONS

    @property
    def can_be_taken_out(self) -> bool:
        """Whether taking its photos out mends it without a thought."""
        return not self.passed and self.key in against.BARRING


def of(version: DatasetVersion) -> list[Check]:
    """Make every check; what classes are to have is what ``version.stated`` says."""
    uncompared = _not_compared(version)
    checks = [
        _sizes(version),
        _rows(version, "subtypes", _("Subtype counts add up to their class")),
        _rows(version, "labels", _("Labels agree with the archive's now")),
        _rows(version, "icd10", _("ICD-10 fits the label")),
        _stated(version),
        _minimum(version),
        _rows(version, "patients", _("No known patient is in both training and test"), _not_known(version)),
        _rows(version, "lesions", _("No lesion is in both training and test"), _in_pieces(version)),
        _rows(version, "twice", _("No photo is there twice")),
        _rows(version, "near", _("No photo looks like one on the other side"), uncompared),
        _rows(version, "undecided", _("Every pair that looks alike was decided"), uncompared),
        _rows(version, against.REJECTED, _("No member was rejected")),
        _rows(version, "reviewed", _("Every member was reviewed")),
        _rows(version, against.DELETED, _("Every photo is still in the archive")),
        _rows(version, against.CONSENT, _("Every patient of the clinic consents")),
        _rows(version, against.COVERED, _("No photo was covered since")),
        _rows(version, against.WITHDRAWN, _("No photo was withdrawn since")),
    ]
    if version.is_frozen:
        title = _("The members are those that were frozen")
        if against.rows(version, against.WITHDRAWN).exists():
            said = _("cannot be told any more: photos were withdrawn")
            checks.append(Check("fingerprint", title, False, said=said))
        else:
            now = freezing.fingerprint_of(version)
            checks.append(Check("fingerprint", title, now == version.sha256, said=now))
    return checks


def _rows(version: DatasetVersion, key: str, title: str, said: str = "") -> Check:
    rows = against.rows(version, key).select_related("entry")
    count = rows.count()
    return Check(key, title, not count, count, said, list(rows.order_by("pk")[:SHOWN]) if count else [])


def _not_known(version: DatasetVersion) -> str:
    """How many photos of a divided version the check of patients cannot speak of."""
    if not version.split or not (n := version.items.filter(person="").count()):
        return ""
    return (
        ngettext(
            "of %d photo the patient is not known: this cannot be checked",
            "of %d photos the patient is not known: this cannot be checked",
            n,
        )
        % n
    )


def _not_compared(version: DatasetVersion) -> str:
    """How many photos came after the last search for photos that look alike."""
    n = version.items.filter(entry__gt=duplicates.compared_up_to(version.clinic)).count()
    return (
        ngettext(
            "%d photo was not compared with the others yet: look for duplicates first",
            "%d photos were not compared with the others yet: look for duplicates first",
            n,
        )
        % n
        if n
        else ""
    )


def _in_pieces(version: DatasetVersion) -> str:
    """How many lesions several imports have brought in pieces."""
    lesions = {lesion for _pk, lesion, _side in against.pieces(version)}
    if not lesions:
        return ""
    return ngettext(
        "%d lesion is held in pieces by several imports; its photos count as of one",
        "%d lesions are held in pieces by several imports; their photos count as of one each",
        len(lesions),
    ) % len(lesions)


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
