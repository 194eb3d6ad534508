"""The division of a draft into training and test: made, taken back, made again as it was.

Which photo goes to which side is worked out by ``splits`` (pure); with many photos a job does it (``large``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from skinclinic.archive.models import DatasetVersion, DuplicatePair
from skinclinic.archive.services.datasets import against, large, splits
from skinclinic.archive.services.datasets.large import lock_draft
from skinclinic.services.refused import Refused


def forget_split(version: DatasetVersion, *, here: bool = False) -> None:
    """Take the division back: with other members it says nothing any more. The sides of many photos are taken from them
    by a job, unless one is at work already (``here``)."""
    if not version.split:
        return
    version.split = {}
    version.save(update_fields=["split"])
    if not here and large.is_large(version):
        large.ask(large.UNSPLIT_JOB, version)
    else:
        version.items.exclude(split="").update(split="")


def unsplit(version: DatasetVersion) -> None:
    """Take their sides from all photos of a draft that is divided no more."""
    row = lock_draft(version)
    if not row.split:
        row.items.exclude(split="").update(split="")
        large.changed(row)
    large.done(large.UNSPLIT_JOB, row)


def restore_split(version: DatasetVersion, split_before: dict) -> None:
    """Divide a draft without sides as it was once, if it has all its photos of then again: the same photos are divided
    in the same way. Where it comes out otherwise, it stays without."""
    version = lock_draft(version)
    said = split_before.get("said", {})
    if version.split or split_before.get("method") not in splits.METHODS:
        return
    photos = version.items.count() if version.photos is None else version.photos
    if photos != said.get("train", 0) + said.get("test", 0):
        return
    if large.is_large(version):
        large.ask(large.SPLIT_JOB, version, {"expected": said, **_named(split_before)})
        return
    try:
        division = divide(version, **_named(split_before))
    except Refused:
        return
    if division.said == said:
        store_split(version, division)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("method", "share", "seed")}


@dataclass(frozen=True)
class Division:
    """Which side each item goes to, by its key; ``said``: what was done; ``revision``: of the version divided."""

    method: str
    share: float
    seed: int
    sides: dict[int, str]
    said: dict[str, Any]
    revision: int


def request_split(version: DatasetVersion, method: str, share: float, seed: int = 0) -> bool:
    """``split``: now, or as a job when there are many photos (True). Raises Refused."""
    with transaction.atomic():
        row = lock_draft(version)
        large.require_idle(row)
        if large.is_large(row):
            large.ask(large.SPLIT_JOB, row, {"method": method, "share": share, "seed": seed})
            return True
        split(row, method, share, seed)
    return False


@transaction.atomic
def split(version: DatasetVersion, method: str, share: float, seed: int = 0) -> dict:
    """Divide the draft into training and test; return what was done. Raises Refused."""
    version = lock_draft(version)
    division = divide(version, method, share, seed)
    store_split(version, division)
    return division.said


def divide(version: DatasetVersion, method: str, share: float, seed: int = 0) -> Division:
    """Which photo goes to which side. Raises Refused."""
    revision = DatasetVersion.objects.values_list("revision", flat=True).get(pk=version.pk)
    fields = ("pk", "content_sha256", "person", "taken_on", "lesion", "label")
    rows = list(version.items.values_list("entry_id", *fields))
    item_of = {entry: pk for entry, pk, *_rest in rows if entry}
    together = DuplicatePair.objects.filter(
        clinic=version.clinic_id,
        verdict__in=(DuplicatePair.Verdict.SAME_PHOTO, DuplicatePair.Verdict.SAME_LESION),
    ).values_list("first_id", "second_id")
    joined = [(item_of[a], item_of[b]) for a, b in together if a in item_of and b in item_of]
    joined += against.pieces_together(version.clinic_id, item_of)
    members = [splits.Member(*values) for _entry, *values in rows]
    try:
        sides, said = splits.split(members, method, share, seed, joined)
    except splits.CannotSplit:
        raise Refused(
            "",
            _(
                "A split needs photos of at least two patients or lesions, a method, and a share between 0 and 100 %."
            ),
        ) from None
    return Division(method, share, seed, sides, said, revision)


@transaction.atomic
def store_split(version: DatasetVersion, division: Division) -> None:
    """Give the photos of a draft their sides. Raises Refused, also where its members are others meanwhile."""
    version = lock_draft(version)
    if version.revision != division.revision:
        raise Refused("", _("The version was changed while it was divided. Split it again."))
    said = division.said
    # All to one side first, so that only the smaller side is named key by key.
    fewer = splits.TEST if said["test"] <= said["train"] else splits.TRAIN
    other = splits.TRAIN if fewer == splits.TEST else splits.TEST
    version.items.exclude(split=other).update(split=other)
    keys = [pk for pk, side in division.sides.items() if side == fewer]
    for start in range(0, len(keys), 500):
        version.items.filter(pk__in=keys[start : start + 500]).update(split=fewer)
    version.split = {
        "method": division.method, "share": division.share, "seed": division.seed, "said": said,
    }  # fmt: skip
    version.save(update_fields=["split"])
    large.changed(version)
