"""How answers were given, never which: very fast ones, the same choice many times in a row, one confidence for all.

It is shown and not judged: a reader may be fast, and a run may be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

# An answer is very fast below this many seconds, or below this part of the reader's own median.
FAST_SECONDS, FAST_SHARE = 1.0, 0.2
# A run or one confidence is told from so many answers on.
LEAST_RUN, LEAST_CONFIDENCES = 10, 10


@dataclass(frozen=True)
class Manner:
    """Of one reader in one session: ``fast`` of ``timed`` answers within FAST_SECONDS, ``hasty`` within a fifth of the
    reader's own median, ``run`` the longest row of the same choice of ``answers``, ``confidence`` how many
    confidences were all the same, 0 where they were not."""

    answers: int
    timed: int
    fast: int
    hasty: int
    run: int
    confidence: int

    @property
    def is_told(self) -> bool:
        """Whether there is something to look at."""
        return bool(self.fast or self.hasty or self.run or self.confidence)


def manner(
    choices: Sequence[str], seconds: Sequence[float | None], confidences: Sequence[float | None] = ()
) -> Manner:
    """Of answers in the order in which the photos were shown, those from paper left out."""
    times = [one for one in seconds if one is not None]
    limit = FAST_SHARE * median(times) if times else 0.0
    run = max((len(list(group)) for _choice, group in groupby(choices)), default=0)
    said = [one for one in confidences if one is not None]
    is_one = len(said) >= LEAST_CONFIDENCES and len(set(said)) == 1
    return Manner(
        answers=len(choices),
        timed=len(times),
        fast=sum(one < FAST_SECONDS for one in times),
        hasty=sum(FAST_SECONDS <= one < limit for one in times),
        run=run if run >= LEAST_RUN else 0,
        confidence=len(said) if is_one else 0,
    )
