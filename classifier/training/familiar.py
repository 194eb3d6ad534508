"""What the training photos are like, made when a training ends (``classifier.metrics.familiarity``)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from classifier.analysing import familiarity
from classifier.analysing.pipeline import NonFiniteScores
from classifier.metrics.familiarity import LEAST_GROUPS, LEAST_PHOTOS, TooFew
from classifier.networks.manifest import FAMILIARITY_FILE, Manifest
from classifier.networks.network import restore
from classifier.runtimes import precisions
from classifier.runtimes.torch_runtime import TorchRuntime
from classifier.training.plan import Sample
from skinclinic import imaging

log = logging.getLogger(__name__)


def told(
    manifest: Manifest,
    state: Mapping[str, Tensor],
    samples: Sequence[Sample],
    validates: np.ndarray,
    device: torch.device,
) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest with what it says of it, and the file beside the weights; neither where photos are too few.

    ``validates`` (bool [n]): photos of patients who were left out of training; false alarms are counted on them, too.
    """
    trained, unseen = (
        [sample for sample, out in zip(samples, validates, strict=True) if bool(out) is side]
        for side in (False, True)
    )
    if len(trained) < LEAST_PHOTOS or len({sample.group for sample in trained}) < LEAST_GROUPS:
        return manifest, {}
    runtime = _runtime(manifest, state, str(device))
    try:
        features = familiarity.features_of(runtime, _pictures(trained))
        content, said, _found = familiarity.make(
            features, familiarity.features_of(runtime, _pictures(unseen))
        )
    except (TooFew, NonFiniteScores) as error:
        log.warning("%s will not tell photos unlike its training photos: %s", manifest.name, error)
        return manifest, {}
    return replace(manifest, familiarity=said), {FAMILIARITY_FILE: content}


def _runtime(manifest: Manifest, state: Mapping[str, Tensor], device: str) -> TorchRuntime:
    # A runtime changes the parameters it is given.
    def opened(place: str) -> TorchRuntime:
        network = restore(manifest, {name: value.clone() for name, value in state.items()})
        return TorchRuntime(manifest, network, place, lambda: opened("cpu"), precisions.F32)

    return opened(device)


def _pictures(samples: Sequence[Sample]) -> Iterator[familiarity.Picture]:
    for sample in samples:
        picture = imaging.open_rgb(Path(sample.path).read_bytes())
        yield imaging.crop(picture, sample.box), sample.group
