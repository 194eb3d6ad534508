"""What a model's training photos are like, made of the photos themselves (``classifier.metrics.familiarity``)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from PIL import Image

from classifier.analysing.pipeline import analyse
from classifier.metrics.familiarity import Calibrated, calibrate, is_unlike
from classifier.metrics.proportions import Proportion, in_groups
from classifier.networks.familiarity import describe, to_bytes
from classifier.runtimes.base import Runtime

_AT_ONCE = 32

# A square picture and whose it is.
Picture = tuple[Image.Image, str]


@dataclass
class Features:
    """``rows``: float16 [D] of each photo, of ``groups``. ``without``: photos that have none."""

    rows: list[np.ndarray] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    without: int = 0


def features_of(
    runtime: Runtime, pictures: Iterable[Picture], say: Callable[[int], None] = lambda done: None
) -> Features:
    """The features of square pictures, as they are kept with answers. Raises NonFiniteScores."""
    found = Features()
    for part in _parts(pictures):
        for outcome, (_picture, group) in zip(
            analyse(runtime, [picture for picture, _group in part]), part, strict=True
        ):
            if outcome.features is None:
                found.without += 1
                continue
            found.rows.append(outcome.features)
            found.groups.append(group)
        say(len(found.rows) + found.without)
    return found


def make(trained_on: Features, unseen: Features | None = None) -> tuple[bytes, dict[str, object], Calibrated]:
    """The file beside a model's weights, what its manifest says of it, and what both rest on. ``unseen``: photos of
    other patients, which the network has not learnt from. Raises TooFew."""
    found = calibrate(np.stack(trained_on.rows) if trained_on.rows else np.empty((0, 1)), trained_on.groups)
    content = to_bytes(found.familiar)
    if unseen is None or not unseen.rows:
        return content, describe(content, found), found
    return content, describe(content, found, alarms(found, unseen), len(set(unseen.groups))), found


def alarms(found: Calibrated, photos: Features) -> Proportion:
    """Of photos, how many are told to be unlike the training photos."""
    return in_groups(is_unlike(found.familiar.unlike(np.stack(photos.rows))), photos.groups)


def _parts(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    remaining = iter(pictures)
    while part := list(islice(remaining, _AT_ONCE)):
        yield part
