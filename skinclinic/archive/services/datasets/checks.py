"""The checks a dataset must stand: each passed or failed, with the photos behind it.

``facts`` asks the database and gives plain values, which can be kept; ``of`` says them in the reader's language.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils.translation import get_language

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import against, freezing
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

SHOWN = 24
# Reasons of ``against`` that are checks, in their order; the others stand between them.
_COUNTED = (
    "subtypes", "labels", "icd10", "patients", "lesions", "twice", "near", "undecided", against.REJECTED, "reviewed",
    against.DELETED, against.CONSENT, against.COVERED, against.WITHDRAWN,
)  # fmt: skip
Facts = dict[str, Any]


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


def of(version: DatasetVersion, facts: Facts | None = None) -> list[Check]:
    """Every check, in words, of ``facts`` or what is counted now; what classes are to have is what ``version.stated``
    says. One query for the photos that are shown."""
    found = counted(version) if facts is None else facts
    keys = {key for name in _COUNTED for key in found["rows"][name]["items"]} | {*found["no_side"]}
    there = DatasetItem.objects.select_related("entry").in_bulk(keys) if keys else {}

    def photos(wanted: list[int]) -> list[DatasetItem]:
        return [there[key] for key in wanted if key in there]

    def rows(key: str, title: str, said: str = "") -> Check:
        row = found["rows"][key]
        return Check(key, title, not row["count"], row["count"], said, photos(row["items"]))

    uncompared = _not_compared(found)
    checks = [
        _sizes(version, found, photos(found["no_side"])),
        rows("subtypes", _("Subtype counts add up to their class")),
        rows("labels", _("Labels agree with the archive's now")),
        rows("icd10", _("ICD-10 fits the label")),
        _stated(version, found),
        _minimum(version, found),
        rows("patients", _("No known patient is in both training and test"), _not_known(version, found)),
        rows("lesions", _("No lesion is in both training and test"), _in_pieces(found)),
        rows("twice", _("No photo is there twice")),
        rows("near", _("No photo looks like one on the other side"), uncompared),
        rows("undecided", _("Every pair that looks alike was decided"), uncompared),
        rows(against.REJECTED, _("No member was rejected")),
        rows("reviewed", _("Every member was reviewed")),
        rows(against.DELETED, _("Every photo is still in the archive")),
        rows(against.CONSENT, _("Every patient of the clinic consents")),
        rows(against.COVERED, _("No photo was covered since")),
        rows(against.WITHDRAWN, _("No photo was withdrawn since")),
    ]
    if version.is_frozen:
        title = _("The members are those that were frozen")
        if found["fingerprint"]:
            now = found["fingerprint"]
            checks.append(Check("fingerprint", title, now == version.sha256, said=now))
        else:
            said = _("cannot be told any more: photos were withdrawn")
            checks.append(Check("fingerprint", title, False, said=said))
    return checks


def counted(
    version: DatasetVersion,
    say: Callable[[float], None] = lambda share: None,
    marked: dict[str, list[int]] | None = None,
) -> Facts:
    """What the checks go by, counted now: {"rows": {reason: {"count", "items": keys of the first}}, "sides": {side: n},
    "labels": {label: n}, "fingerprint": that of now, "" where photos were withdrawn, …}. ``say`` hears the share that
    is done, ``marked`` gets all keys by reason."""
    rows: dict[str, dict] = {}
    for done, name in enumerate(_COUNTED):
        say(done / len(_COUNTED))
        keys = sorted(against.rows(version, name).order_by().values_list("pk", flat=True))
        rows[name] = {"count": len(keys), "items": keys[:SHOWN]}
        if marked is not None:
            marked[name] = keys
    items = version.items.order_by()
    is_told = version.is_frozen and not rows[against.WITHDRAWN]["count"]
    return {
        "rows": rows,
        "sides": dict(items.values_list("split").annotate(n=Count("id"))),
        "no_side": list(items.filter(split="").order_by("pk").values_list("pk", flat=True)[:SHOWN])
        if items.exclude(split="").exists()
        else [],
        "labels": dict(items.values_list("label").annotate(n=Count("id")).order_by("label")),
        "unknown_patients": items.filter(person="").count(),
        "uncompared": items.filter(entry__gt=duplicates.compared_up_to(version.clinic)).count(),
        "in_pieces": len({lesion for _pk, lesion, _side in against.pieces(version)}),
        "no_hash": items.filter(content_sha256="").count(),
        "fingerprint": freezing.fingerprint_of(version) if is_told else "",
    }


def _not_known(version: DatasetVersion, found: Facts) -> str:
    """How many photos of a divided version the check of patients cannot speak of."""
    if not version.split or not (n := found["unknown_patients"]):
        return ""
    return (
        ngettext(
            "of %d photo the patient is not known: this cannot be checked",
            "of %d photos the patient is not known: this cannot be checked",
            n,
        )
        % n
    )


def _not_compared(found: Facts) -> str:
    """How many photos came after the last search for photos that look alike."""
    n = found["uncompared"]
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


def _in_pieces(found: Facts) -> str:
    """How many lesions several imports have brought in pieces."""
    if not (n := found["in_pieces"]):
        return ""
    return (
        ngettext(
            "%d lesion is held in pieces by several imports; its photos count as of one",
            "%d lesions are held in pieces by several imports; their photos count as of one each",
            n,
        )
        % n
    )


def _sizes(version: DatasetVersion, found: Facts, rows: list[DatasetItem]) -> Check:
    n = found["sides"]
    total, train, test, none = sum(n.values()), n.get("train", 0), n.get("test", 0), n.get("", 0)
    title = _("Training and test add up to the total")
    numbers = {"train": train, "test": test, "sum": train + test, "total": total}
    said = _("%(train)d + %(test)d = %(sum)d of %(total)d") % numbers
    if none == total:
        return Check("sizes", title, True, said=_("not split"))
    stated = (version.split or {}).get("said", {})
    agrees = not stated or (stated["train"], stated["test"]) == (train, test)
    return Check("sizes", title, not none and agrees, none, said, rows)


def _stated(version: DatasetVersion, found: Facts) -> Check:
    title = _("Classes have as many photos as stated")
    stated = version.stated.get("counts", {})
    if not stated:
        return Check("stated", title, True, said=_("nothing is stated"))
    counted = found["labels"]
    wrong = {label: n for label, n in stated.items() if counted.get(label, 0) != n}
    said = "; ".join(
        _("%(label)s: %(n)d stated, %(counted)d counted")
        % {"label": labels.name(label, get_language() or "en"), "n": n, "counted": counted.get(label, 0)}
        for label, n in list(wrong.items())[:SHOWN]
    )
    return Check("stated", title, not wrong, len(wrong), said)


def _minimum(version: DatasetVersion, found: Facts) -> Check:
    minimum = version.stated.get("minimum", 1)
    few = [(label, n) for label, n in sorted(found["labels"].items()) if n < minimum]
    said = ", ".join(f"{labels.name(label, get_language() or 'en')} {grouped(n)}" for label, n in few[:SHOWN])
    title = ngettext("Every class has a photo", "Every class has at least %d photos", minimum) % minimum
    return Check("minimum", title, not few, len(few), said)
