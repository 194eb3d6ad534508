"""Dividing photos into training and test so that no known patient or lesion is on both sides. Pure.

A photo whose patient nobody knows stays with the photos of its lesion; that its patient is on one side cannot be
promised. Photos that must stay together are a *group*.

By time, whole groups are taken in the order of their earliest photo: the oldest go to training, until the share of
photos is met as nearly as whole groups allow. Groups without any date count as the oldest. A training group's later
photos may be younger than the first test photo; the split says how many do that.

Stratified, the groups of each disease are divided in the same share, a group counting for the rarest disease it has.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

TIME, STRATIFIED, PATIENT, RANDOM = "time", "stratified", "patient", "random"
METHODS = (TIME, STRATIFIED, PATIENT, RANDOM)
TRAIN, TEST = "train", "test"


class CannotSplit(ValueError):
    """There are not two groups to divide, or the method or share makes no sense."""


@dataclass(frozen=True)
class Member:
    """A photo to be placed: its key, its content's hash, whose it is and of which lesion ("" for unknown), when it
    was taken, what it shows."""

    pk: int
    sha256: str
    person: str = ""
    taken_on: date | None = None
    lesion: str = ""
    label: str = ""


Group = Sequence[Member]


def split(
    members: Sequence[Member],
    method: str,
    share: float,
    seed: int = 0,
    joined: Iterable[tuple[int, int]] = (),
) -> tuple[dict[int, str], dict]:
    """Return {key: train or test} and what was done, in numbers. Raises CannotSplit.

    ``share`` is training's: of the photos (time, random) or of the groups (patient, stratified). ``joined`` are
    pairs of keys that must stay together, such as two photos that a curator found to show one lesion.
    """
    if method not in METHODS or not 0 < share < 1:
        raise CannotSplit("unknown method or share")
    groups = together(members, joined)
    if len(groups) < 2:
        raise CannotSplit("fewer than two groups")
    train, test = (
        _stratified(groups, share, seed) if method == STRATIFIED else _cut_in_two(groups, method, share, seed)
    )
    sides = {member.pk: TRAIN for group in train for member in group}
    sides |= {member.pk: TEST for group in test for member in group}
    return sides, _said(method, share, seed, train, test)


def together(members: Sequence[Member], joined: Iterable[tuple[int, int]]) -> list[Group]:
    """The members in groups that must not be parted: one patient's, one lesion's, the same photo's, and joined
    pairs."""
    parent = {member.pk: member.pk for member in members}

    def root(pk: int) -> int:
        while parent[pk] != pk:
            parent[pk] = parent[parent[pk]]
            pk = parent[pk]
        return pk

    first: dict[str, int] = {}
    for member in members:
        for kind, name in (("p", member.person), ("l", member.lesion), ("s", member.sha256)):
            if name:
                parent[root(member.pk)] = root(first.setdefault(kind + name, member.pk))
    for one, other in joined:
        if one in parent and other in parent:
            parent[root(one)] = root(other)
    groups: dict[int, list[Member]] = {}
    for member in sorted(members, key=lambda member: (member.sha256, member.pk)):
        groups.setdefault(root(member.pk), []).append(member)
    return list(groups.values())


def _cut_in_two(groups: list[Group], method: str, share: float, seed: int) -> tuple[list[Group], list[Group]]:
    """The groups in one line, the front of which trains."""
    if method == TIME:
        groups = sorted(groups, key=lambda group: (_earliest(group) or date.min, *_place(group)))
    else:
        groups = _shuffled(groups, random.Random(seed))
    cut = _cut([1 if method == PATIENT else len(group) for group in groups], share)
    return groups[:cut], groups[cut:]


def _stratified(groups: list[Group], share: float, seed: int) -> tuple[list[Group], list[Group]]:
    """Divide the groups of each disease by the share, the rarest disease first.

    A disease of two groups or more is on both sides wherever rarer ones leave the choice. What rounding leaves over
    is carried on to the next disease, so that the whole stays near the share.
    """
    shuffled = _shuffled(groups, random.Random(seed))
    places: dict[str, list[int]] = {}
    for place, group in enumerate(shuffled):
        for label in {member.label for member in group}:
            places.setdefault(label, []).append(place)
    train: set[int] = set()
    test: set[int] = set()
    over = 0.0
    for label in sorted(places, key=lambda label: (len(places[label]), label)):
        count = len(places[label])
        rest = [place for place in places[label] if place not in train and place not in test]
        trained = sum(place in train for place in places[label])
        least, most = (1 - trained, count - trained - 1) if count > 1 else (0, 1)
        wanted = round(share * count - trained + min(max(over, -0.5), 0.5))
        cut = min(max(min(wanted, most), least, 0), len(rest))
        over += share * len(rest) - cut
        train.update(rest[:cut])
        test.update(rest[cut:])
    if not train or not test:
        # Nothing but diseases of a single group, and too few of them for the share.
        cut = _cut([1] * len(shuffled), share)
        return shuffled[:cut], shuffled[cut:]
    return [shuffled[place] for place in sorted(train)], [shuffled[place] for place in sorted(test)]


def _shuffled(groups: list[Group], chance: random.Random) -> list[Group]:
    # The order of the hashes is the same wherever the same photos are split.
    groups = sorted(groups, key=_place)
    chance.shuffle(groups)
    return groups


def _place(group: Group) -> tuple[str, int]:
    return group[0].sha256, group[0].pk


def _cut(sizes: Sequence[int], share: float) -> int:
    """How many groups from the front come nearest to the share; at least one stays on each side."""
    target, total, best, cut = share * sum(sizes), 0, None, 1
    for count, size in enumerate(sizes[:-1], start=1):
        total += size
        if best is None or abs(total - target) < best:
            best, cut = abs(total - target), count
    return cut


def _earliest(group: Group) -> date | None:
    return min((member.taken_on for member in group if member.taken_on), default=None)


def _said(method: str, share: float, seed: int, train: list[Group], test: list[Group]) -> dict:
    groups = [*train, *test]
    n_train, n_test = sum(map(len, train)), sum(map(len, test))
    unknown = [member for group in groups for member in group if not member.person]
    said = {
        "method": method,
        "share": share,
        "seed": None if method == TIME else seed,
        "train": n_train,
        "test": n_test,
        "train_share": n_train / (n_train + n_test),
        "train_groups": len(train),
        "test_groups": len(test),
        "train_patients": _patients(train),
        "test_patients": _patients(test),
        "unknown_patient": len(unknown),
        # Into how many lesions (or photos of which not even that is known) those fall.
        "unknown_patient_lesions": len({member.lesion or member.pk for member in unknown}),
        "joined": sum(
            len({member.person or member.lesion or member.pk for member in group}) > 1 for group in groups
        ),
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


def _patients(groups: list[Group]) -> int:
    return len({member.person for group in groups for member in group if member.person})
