"""Readers that a program plays: how they answer photos, how sure they say they are, and what they would do.

The truth stands out to them by their skill, lookalikes less, the rest is chance. With the model's answer before them
they weigh it in, clinicians more than professors. Of a photo that comes again they see much of the same again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifier.demo import archive as demo_archive
from reader_study.asked import MANAGEMENT
from skinclinic.vocabulary.diseases import DISEASE_KEYS, MALIGNANT_KEYS

LIKENESS, HARDNESS = 1.0, 0.6
# How much of what a reader sees in a photo is the same when it comes again.
SAME_AGAIN = 0.8
# From which part of their opinion on they would take a biopsy.
BIOPSY_FROM = 0.3
BIOPSY, NO_BIOPSY = MANAGEMENT[:2]
# (key, name, readers, skill, trust): skill is the log odds by which the truth stands out, trust how much of the
# model's opinion is taken over.
GROUPS = (
    ("professors", "Professors", 10, 3.3, 0.15),
    ("clinicians", "Clinicians", 6, 2.7, 0.25),
)
_MALIGNANT = [DISEASE_KEYS.index(key) for key in MALIGNANT_KEYS]


@dataclass(frozen=True)
class Person:
    """``pace``: the logarithm of the seconds a photo takes; ``years`` of practice."""

    group: str
    skill: float
    trust: float
    pace: float
    years: int


@dataclass(frozen=True)
class Said:
    """``first`` and ``first_seconds``: before the model was shown, "" and None where it was not."""

    choice: str
    confidence: int
    management: str
    seconds: float
    first: str = ""
    first_seconds: float | None = None


def people(chance: np.random.Generator) -> list[Person]:
    """The readers of all groups, one group after the other."""
    return [
        Person(
            key,
            chance.normal(skill, 0.35),
            trust,
            chance.normal(np.log(11), 0.25),
            int(chance.integers(*years)),
        )
        for (key, _name, count, skill, trust), years in zip(GROUPS, ((12, 31), (2, 12)), strict=True)
        for _ in range(count)
    ]


@dataclass(frozen=True)
class Photos:
    """``truth`` [n] as places among the diseases; ``hard`` [n, 12] what makes a photo hard for everybody; ``opinion``
    [n, 12] the model's, in log odds."""

    truth: np.ndarray
    hard: np.ndarray
    opinion: np.ndarray

    @classmethod
    def of(cls, truths: Sequence[str], scores: np.ndarray, chance: np.random.Generator) -> "Photos":
        opinion = np.log(np.clip(scores, 1e-4, 1))
        truth = np.array([DISEASE_KEYS.index(key) for key in truths])
        likeness = np.zeros((len(DISEASE_KEYS),) * 2)
        for one, other in demo_archive.LOOKALIKES:
            places = DISEASE_KEYS.index(one), DISEASE_KEYS.index(other)
            likeness[places] = likeness[places[::-1]] = LIKENESS
        hard = likeness[truth] + chance.normal(0, HARDNESS, opinion.shape)
        return cls(truth, hard, opinion - opinion.mean(1, keepdims=True))


def session(
    person: Person, photos: Photos, again: Mapping[int, int], *, is_aided: bool, chance: np.random.Generator
) -> Iterator[Said]:
    """What one reader says of each photo, then of those that come ``again`` {which: of which photo, as places}."""
    seen = photos.hard + (own := chance.normal(0, 1.0, photos.hard.shape))
    seen[np.arange(len(seen)), photos.truth] += person.skill
    twins = list(again.values())
    other = chance.normal(0, 1.0, (len(twins), len(DISEASE_KEYS)))
    seen_again = seen[twins] + (SAME_AGAIN - 1) * own[twins] + np.sqrt(1 - SAME_AGAIN**2) * other
    seen = np.concatenate([seen, seen_again])
    opinion = np.concatenate([photos.opinion, photos.opinion[twins]])
    final = seen + person.trust * opinion if is_aided else seen
    odds = np.exp(final - final.max(1, keepdims=True))
    share = odds / odds.sum(1, keepdims=True)
    seconds = np.exp(chance.normal(person.pace, 0.45, len(seen)))
    more = np.exp(chance.normal(np.log(3), 0.4, len(seen)))
    for place in range(len(seen)):
        choice, first = (DISEASE_KEYS[one[place].argmax()] for one in (final, seen))
        own_time = round(float(seconds[place]), 1)
        yield Said(
            choice,
            # As people move a slider: in steps of five, and never quite sure.
            confidence=int(5 * np.clip(round(20 * share[place].max()), 1, 19)),
            management=BIOPSY if share[place][_MALIGNANT].sum() >= BIOPSY_FROM else NO_BIOPSY,
            seconds=round(own_time + float(more[place]), 1) if is_aided else own_time,
            first=first if is_aided else "",
            first_seconds=own_time if is_aided else None,
        )
