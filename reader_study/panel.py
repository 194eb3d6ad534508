"""What the votes of a panel say of a photo. Pure: no Django.

A diagnosis holds that more than half of the members gave, or else the one that settled their disagreement.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations


@dataclass(frozen=True)
class Vote:
    """``image``: the number of the photo. ``is_adjudication``: it settles what the others disagree on."""

    image: int
    rater: str
    diagnosis: str
    voted_on: date | None = None
    is_adjudication: bool = False

    def as_json(self) -> dict[str, object]:
        found = asdict(self)
        return found | {"voted_on": self.voted_on.isoformat() if self.voted_on else None}


@dataclass(frozen=True)
class Finding:
    """``diagnosis``: what holds, "" while it is open. ``agreeing`` of ``members`` gave it before any settling."""

    diagnosis: str
    members: int
    agreeing: int
    is_settled: bool

    @property
    def is_unanimous(self) -> bool:
        return self.agreeing == self.members


def finding(votes: Sequence[Vote]) -> Finding:
    """Of all votes on one photo."""
    counts = Counter(vote.diagnosis for vote in votes if not vote.is_adjudication)
    members = sum(counts.values())
    settling = next((vote.diagnosis for vote in votes if vote.is_adjudication), "")
    if settling:
        return Finding(settling, members, counts[settling], True)
    diagnosis, most = counts.most_common(1)[0] if counts else ("", 0)
    return Finding(diagnosis if 2 * most > members else "", members, most, False)


def findings(votes: Sequence[Vote]) -> dict[int, Finding]:
    """By photo, in the order of their numbers."""
    by_image: dict[int, list[Vote]] = {}
    for vote in votes:
        by_image.setdefault(vote.image, []).append(vote)
    return {number: finding(by_image[number]) for number in sorted(by_image)}


@dataclass(frozen=True)
class Agreement:
    """How far a panel agrees: photos that several voted on, those all agreed on, those that were settled, and the
    share of pairs of votes that name the same disease (None where there is no pair)."""

    photos: int
    unanimous: int
    settled: int
    raters: int
    pairs: float | None


def agreement(votes: Sequence[Vote]) -> Agreement:
    """Over all photos with two or more votes, without those that settle."""
    found = {number: one for number, one in findings(votes).items() if one.members > 1}
    by_image: Mapping[int, list[str]] = {
        number: [vote.diagnosis for vote in votes if vote.image == number and not vote.is_adjudication]
        for number in found
    }
    same = [a == b for given in by_image.values() for a, b in combinations(given, 2)]
    return Agreement(
        len(found),
        sum(one.is_unanimous for one in found.values()),
        sum(one.is_settled for one in found.values()),
        len({vote.rater for vote in votes}),
        sum(same) / len(same) if same else None,
    )
