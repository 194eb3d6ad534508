"""Dividing photos into training and test so that no patient is on both sides. Pure.

By time, whole patients are taken in the order of their earliest photo: the oldest go to training, until the
share of photos is met as nearly as whole patients allow. Patients without any date count as the oldest. A
training patient's later photos may be younger than the first test photo; the split says how many do that.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

TIME, PATIENT, RANDOM = "time", "patient", "random"
METHODS = (TIME, PATIENT, RANDOM)
TRAIN, TEST = "train", "test"


class CannotSplit(ValueError):
    """There are not two groups to divide, or the method or share makes no sense."""


@dataclass(frozen=True)
class Member:
    """A photo to be placed: its key, its content's hash, whose it is ("" for unknown), when it was taken."""

    pk: int
    sha256: str
    person: str = ""
    taken_on: date | None = None


def split(
    members: Sequence[Member],
    method: str,
    share: float,
    seed: int = 0,
    joined: Iterable[tuple[int, int]] = (),
) -> tuple[dict[int, str], dict]:
    """Return {key: train or test} and what was done, in numbers. Raises CannotSplit.

    ``share`` is training's: of the photos (time, random) or of the patients (patient). ``joined`` are pairs
    of keys that must stay together, such as two photos of one lesion.
    """
    if method not in METHODS or not 0 < share < 1:
        raise CannotSplit("unknown method or share")
    groups = together(members, joined)
    if len(groups) < 2:
        raise CannotSplit("fewer than two groups")
    if method == TIME:
        groups.sort(key=lambda group: (_earliest(group) or date.min, group[0].sha256, group[0].pk))
    else:
        # The order of the hashes is the same wherever the same photos are split.
        groups.sort(key=lambda group: (group[0].sha256, group[0].pk))
        random.Random(seed).shuffle(groups)
    cut = _cut([1 if method == PATIENT else len(group) for group in groups], share)
    train, test = groups[:cut], groups[cut:]
    sides = {member.pk: TRAIN for group in train for member in group}
    sides |= {member.pk: TEST for group in test for member in group}
    return sides, _said(method, share, seed, train, test)


def together(members: Sequence[Member], joined: Iterable[tuple[int, int]]) -> list[list[Member]]:
    """The members in groups that must not be parted: one patient's, the same photo's, and joined pairs."""
    parent = {member.pk: member.pk for member in members}

    def root(pk: int) -> int:
        while parent[pk] != pk:
            parent[pk] = parent[parent[pk]]
            pk = parent[pk]
        return pk

    first: dict[str, int] = {}
    for member in members:
        for name in (f"p{member.person}" if member.person else "", f"s{member.sha256}"):
            if name:
                parent[root(member.pk)] = root(first.setdefault(name, member.pk))
    for one, other in joined:
        if one in parent and other in parent:
            parent[root(one)] = root(other)
    groups: dict[int, list[Member]] = {}
    for member in sorted(members, key=lambda member: (member.sha256, member.pk)):
        groups.setdefault(root(member.pk), []).append(member)
    return list(groups.values())


def _cut(sizes: Sequence[int], share: float) -> int:
    """How many groups from the front come nearest to the share; at least one stays on each side."""
    target, total, best, cut = share * sum(sizes), 0, None, 1
    for count, size in enumerate(sizes[:-1], start=1):
        total += size
        if best is None or abs(total - target) < best:
            best, cut = abs(total - target), count
    return cut


def _earliest(group: Sequence[Member]) -> date | None:
    return min((member.taken_on for member in group if member.taken_on), default=None)


def _said(method: str, share: float, seed: int, train, test) -> dict:
    groups = [*train, *test]
    n_train, n_test = sum(map(len, train)), sum(map(len, test))
    said = {
        "method": method,
        "share": share,
        "seed": None if method == TIME else seed,
        "train": n_train,
        "test": n_test,
        "train_share": n_train / (n_train + n_test),
        "train_groups": len(train),
        "test_groups": len(test),
        "unknown_patient": sum(not member.person for group in groups for member in group),
        "joined": sum(len({member.person or member.pk for member in group}) > 1 for group in groups),
    }
    if method == TIME:
        boundary = min(filter(None, map(_earliest, test)), default=None)
        said |= {
            "boundary": boundary.isoformat() if boundary else None,
            "undated": sum(member.taken_on is None for group in groups for member in group),
            "straddling": sum(
                any(boundary and member.taken_on and member.taken_on >= boundary for member in group)
                for group in train
            ),
        }
    return said
