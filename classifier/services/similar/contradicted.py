"""Labels that most of the nearest proven photos contradict: what a curator looks at first for errors."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from classifier.models import LabelCheck, ModelVersion
from classifier.services.analysis import features
from classifier.services.similar import bank, neighbours
from skinclinic.archive.models import Entry
from skinclinic.archive.services.curating import consent
from skinclinic.models import Photo

# So many of the nearest are asked; with fewer nothing is said.
ASKED = 10
# At least so many of them have one other label, and at most so many the photo's own.
AGAINST, FOR = 6, 1
# So many are kept with a check, the most contradicted first.
MOST_KEPT = 500
_SAY_EACH = 25


@dataclass(frozen=True)
class Contradicted:
    """An entry with what its neighbours say: ``says`` is the label of ``share`` of the ``ASKED`` nearest."""

    entry: Entry
    says: str
    share: int


def among(
    version: ModelVersion, entries: Sequence[tuple[int, int]], say: Callable[[int], None] = lambda done: None
) -> tuple[list[dict[str, Any]], int]:
    """What stands against the labels of these (entry, photo), and of how many nothing could be told.

    Of one without features, with fewer than ``ASKED`` proven photos of other lesions and patients, or whose own label
    has fewer (so that its neighbours could hardly have it), nothing is told. The rows are {entry, label, says, share}.
    """
    found: list[dict[str, Any]] = []
    silent = 0
    held = _held(entries)
    for done, (pk, photo_id) in enumerate(entries, start=1):
        told = _of(version, pk, photo_id, held)
        if told is None:
            silent += 1
        elif told:
            found.append(told)
        if done % _SAY_EACH == 0:
            say(done)
    found.sort(key=lambda row: (-row["share"], row["entry"]))
    return found[:MOST_KEPT], silent


def _held(entries: Sequence[tuple[int, int]]) -> set[str]:
    """The labels of at least ``ASKED`` proven photos of the clinic of these."""
    clinic = (
        Entry.objects.filter(pk=entries[0][0]).values_list("clinic", flat=True).first() if entries else None
    )
    if clinic is None:
        return set()
    counted = bank.proven(clinic).values_list("label").annotate(n=Count("pk"))
    return {label for label, n in counted if n >= ASKED}


def _of(version: ModelVersion, pk: int, photo_id: int, held: set[str]) -> dict[str, Any] | None:
    """{}: nothing stands against it; None: nothing can be told."""
    photo = Photo.objects.filter(pk=photo_id).select_related("lesion").first()
    label = Entry.objects.filter(pk=pk).values_list("label", flat=True).first()
    own = features.of_photo(photo, version) if photo else None
    if photo is None or label not in held or own is None:
        return None
    near = neighbours.of_photo(photo, version.pk, own, ASKED)
    counted = Counter(Entry.objects.filter(pk__in=near).values_list("label", flat=True))
    if counted.total() < ASKED:
        return None
    says, share = max(counted.items(), key=lambda item: (item[1], item[0]))
    if says == label or share < AGAINST or counted[label] > FOR:
        return {}
    return {"entry": pk, "label": label, "says": says, "share": share}


def standing(check: LabelCheck) -> list[Contradicted]:
    """Those of a check that are as they were then: not reviewed since, with the same label, of patients who consent."""
    kept = {row["entry"]: row for row in check.contradicted.get("rows", [])}
    entries = Entry.objects.filter(clinic=check.clinic_id, pk__in=kept).exclude(consent.missing())
    entries = entries.filter(Q(reviewed_at=None) | Q(reviewed_at__lt=check.asked_at)).select_related(
        "source", "photo"
    )
    found = entries.in_bulk()
    return [
        Contradicted(found[pk], row["says"], row["share"])
        for pk, row in kept.items()
        if pk in found and found[pk].label == row["label"]
    ]
