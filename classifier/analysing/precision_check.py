"""What computing in another precision changes in the answers to photos."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from PIL import Image

from classifier.analysing.pipeline import analyse_prepared, prepare
from classifier.metrics.listing import listed
from classifier.runtimes.base import Runtime


@dataclass
class Differing:
    """Photos whose differential (the diseases above their thresholds, likeliest first) is another: by its diseases, or
    by their order alone."""

    diseases: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


@dataclass
class Compared:
    """``photos`` compared. ``differing``: by name of the threshold set. ``largest``: of all differences of a
    probability, that of "not among these 12" too; ``largest_of``: the photo."""

    photos: int = 0
    differing: dict[str, Differing] = field(default_factory=dict)
    largest: float = 0.0
    largest_of: str = ""

    def share(self, name: str) -> float:
        """The share of photos that get another differential by this threshold set."""
        one = self.differing[name]
        return (len(one.diseases) + len(one.order)) / max(self.photos, 1)


def compare(
    full: Runtime,
    coarse: Runtime,
    crops: Iterable[tuple[str, Image.Image]],
    thresholds: Mapping[str, Mapping[str, float]],
) -> Compared:
    """Run both runtimes of one model over named square crops, and hold their scores against each set of thresholds.

    Raises NonFiniteScores.
    """
    found = Compared(differing={name: Differing() for name in thresholds})
    for photo, crop in crops:
        found.photos += 1
        prepared = [prepare(crop, full.manifest.preprocessing)]
        (one,), (other,) = analyse_prepared(full, prepared), analyse_prepared(coarse, prepared)
        for name, limits in thresholds.items():
            lists = [listed(outcome.scores, limits) for outcome in (one, other)]
            if set(lists[0]) != set(lists[1]):
                found.differing[name].diseases.append(photo)
            elif lists[0] != lists[1]:
                found.differing[name].order.append(photo)
        differences = [abs(one.scores[key] - other.scores[key]) for key in one.scores]
        difference = max(*differences, abs(one.background - other.background))
        if difference >= found.largest:
            found.largest, found.largest_of = difference, photo
    return found
