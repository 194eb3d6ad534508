"""What one threshold of one disease gives on a dataset."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from classifier.metrics.groups import POLICIES, GroupSpecificity, group_specificity
from classifier.metrics.listing import is_listed
from classifier.metrics.proportions import Proportion, proportion


@dataclass(frozen=True)
class AtThreshold:
    """Counts and shares at ``threshold``; a share of nothing has the value None.

    ``optimistic``: the threshold was chosen on these photos. PPV and NPV hold for the prevalence of this
    dataset. ``groups`` follows the policy asked for, ``other_policies`` shows the alternatives.
    """

    threshold: float
    optimistic: bool
    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion
    groups: GroupSpecificity
    other_policies: tuple[GroupSpecificity, ...]


@dataclass(frozen=True)
class Truth:
    """What each photo shows: ``names[codes[i]]``; ``photos`` counts the photos of each name.

    Names are those of all score columns, in their order, then any others that occur (backgrounds), sorted.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    photos: dict[str, int]

    @classmethod
    def of(cls, truth: Iterable[str], keys: tuple[str, ...]) -> "Truth":
        """``truth`` [n] of disease keys and names of anything else."""
        values = [str(value) for value in truth]
        names = keys + tuple(sorted(set(values) - set(keys)))
        place = {name: index for index, name in enumerate(names)}
        codes = np.fromiter((place[value] for value in values), np.intp, len(values))
        counts = np.bincount(codes, minlength=len(names)).tolist()
        return cls(names, codes, dict(zip(names, counts, strict=True)))


def at_threshold(
    scores: np.ndarray, truth: Truth, key: str, threshold: float, *, policy: str, optimistic: bool
) -> AtThreshold:
    """List disease ``key`` where its ``scores`` [n] are greater than ``threshold`` and count."""
    rejected = _rejected(scores, truth, threshold)
    photos = truth.photos
    false_negatives, positives = rejected[key], photos[key]
    true_negatives = sum(rejected.values()) - false_negatives
    negatives = len(scores) - positives
    true_positives, false_positives = positives - false_negatives, negatives - true_negatives
    groups = {name: group_specificity(key, rejected, photos, name) for name in POLICIES}
    return AtThreshold(
        threshold=float(threshold),
        optimistic=optimistic,
        true_positives=true_positives,
        false_negatives=false_negatives,
        true_negatives=true_negatives,
        false_positives=false_positives,
        sensitivity=proportion(true_positives, positives),
        specificity=proportion(true_negatives, negatives),
        ppv=proportion(true_positives, true_positives + false_positives),
        npv=proportion(true_negatives, true_negatives + false_negatives),
        groups=groups[policy],
        other_policies=tuple(group for name, group in groups.items() if name != policy),
    )


def _rejected(scores: np.ndarray, truth: Truth, threshold: float) -> Mapping[str, int]:
    counts = np.bincount(truth.codes[~is_listed(scores, threshold)], minlength=len(truth.names))
    return dict(zip(truth.names, counts.tolist(), strict=True))
