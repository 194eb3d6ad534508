"""Diseases in groups by tier, and the specificity of a disease among the others of a group.

Actinic keratosis is premalignant. Where two groups are wanted, a policy says which it belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from classifier.metrics.proportions import Proportion, proportion
from skinclinic.vocabulary.diseases import BENIGN, DISEASES, MALIGNANT, PREMALIGNANT

# Policies: premalignant diseases count as benign, as malignant, or are a group of their own.
AS_BENIGN, AS_MALIGNANT, OWN_GROUP = BENIGN, MALIGNANT, PREMALIGNANT
POLICIES = (AS_BENIGN, AS_MALIGNANT, OWN_GROUP)


@dataclass(frozen=True)
class GroupSpecificity:
    """Rejected photos of the other diseases of a group / all their photos.

    ``specificity_among_other_premalignant`` is None unless the policy makes them a group of their own.
    """

    policy: str
    specificity_among_other_malignant: Proportion
    specificity_among_other_benign: Proportion
    specificity_among_other_premalignant: Proportion | None


def tier_groups(policy: str = AS_BENIGN) -> dict[str, tuple[str, ...]]:
    """Disease keys by group, each in the fixed order."""
    if policy not in POLICIES:
        raise ValueError(f"policy {policy!r} must be one of {', '.join(POLICIES)}")
    tiers = POLICIES if policy == OWN_GROUP else (BENIGN, MALIGNANT)
    return {
        tier: tuple(
            disease.key
            for disease in DISEASES
            if (policy if disease.tier == PREMALIGNANT else disease.tier) == tier
        )
        for tier in tiers
    }


def group_specificity(
    key: str, rejected: Mapping[str, int], photos: Mapping[str, int], policy: str
) -> GroupSpecificity:
    """``rejected`` of ``photos`` by true disease, summed over the groups without ``key`` itself."""
    found = {
        tier: proportion(
            sum(rejected.get(other, 0) for other in keys if other != key),
            sum(photos.get(other, 0) for other in keys if other != key),
        )
        for tier, keys in tier_groups(policy).items()
    }
    return GroupSpecificity(policy, found[MALIGNANT], found[BENIGN], found.get(PREMALIGNANT))
