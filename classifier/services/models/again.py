"""A description that comes with weights which are here already: what of it is taken over, and what is not."""

from dataclasses import dataclass

from django.db import transaction

from classifier.models import ModelVersion
from classifier.networks.manifest import Manifest
from classifier.services.models import registry
from skinclinic.models import User

# What is looked at by itself, or follows from the weights.
_APART = ("thresholds", "training_photos", "familiarity", "heatmap_check")


@dataclass(frozen=True)
class CameAgain:
    """``added``: names of threshold sets that are new; ``kept``: of those that stand here with other values, and stay
    so; ``ignored``: what else it says otherwise, which was not taken over."""

    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@transaction.atomic
def take_over(version: ModelVersion, manifest: Manifest, user: User | None) -> CameAgain:
    """Add the threshold sets that are new, each written down; nothing that stands is changed."""
    stood = dict(version.threshold_sets.filter(clinic=None).values_list("name", "values"))
    added = registry.add_thresholds(version, manifest, user)
    differing = [
        name
        for name, entry in manifest.thresholds.items()
        if stood.get(name[:60], entry["values"]) != entry["values"]
    ]
    said = manifest.to_json()
    ignored = [key for key in said if key not in _APART and said[key] != version.manifest.get(key)]
    return CameAgain(tuple(row.name for row in added), tuple(differing), tuple(ignored))
