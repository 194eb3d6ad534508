"""Do scores and maps agree with those of the CPU in full precision?"""

import copy
import importlib.util
from collections.abc import Callable, Iterator

import numpy as np
import torch

from classifier.networks import weights
from classifier.networks.network import MappedClassifier, restore
from classifier.runtimes import precisions
from classifier.runtimes.base import softmax
from tests.gpu import networks
from tests.gpu.place import NEEDS_A_GPU, Place, largest_difference
from tests.gpu.rows import Row, at_most, holds, not_evaluable

# Of probabilities, and of maps as a share of the largest value in them.
FULL, HALF = 5e-4, 2e-2
# bfloat16 has 8 bits, half precision 11: eight times as coarse.
COARSE = 8 * HALF
# Random weights, unlike trained ones, multiply rounding errors: half precision imitated on a CPU moved the maps of
# efficientnet_lite0 by 0.06, those of the shipped model by 0.003.
RANDOM_MAPS = 0.15


def checks(place: Place) -> dict[str, Callable[[], Iterator[Row]]]:
    """A check for each architecture and for the model that comes with the product."""

    def of_architecture(name: str) -> Iterator[Row]:
        reference = networks.on_the_cpu(networks.make(name), name, place.side)
        yield from _compare(place, name, reference, RANDOM_MAPS)

    def of_shipped() -> Iterator[Row]:
        manifest, state = weights.load_verified(weights.shipped_folders()[0])
        reference = networks.OnTheCpu(manifest, restore(manifest, state).eval())
        yield from _compare(place, "shipped model", reference, HALF)

    def of_outside(name: str) -> Iterator[Row]:
        library = name.partition(":")[0]
        if importlib.util.find_spec(library) is None:
            yield not_evaluable(name, f"{library} is not installed here")
            return
        yield from of_architecture(name)

    named = {name: (lambda name=name: of_architecture(name)) for name in place.compared}
    theirs = {name: (lambda name=name: of_outside(name)) for name in place.outside}
    return {**named, **theirs, "shipped model": of_shipped}


def _compare(place: Place, name: str, reference: networks.OnTheCpu, half_maps: float) -> Iterator[Row]:
    images = networks.images(place.images, reference.manifest.preprocessing.input_size, seed=7)
    expected = reference.forward(images)

    def rows(how: str, answer: tuple, scores: float, maps: float) -> Iterator[Row]:
        largest = float(np.abs(expected[1]).max())
        yield at_most(f"{name}, {how}: scores", largest_difference(answer[0], expected[0]), scores)
        moved = largest_difference(answer[1], expected[1]) / largest
        yield at_most(f"{name}, {how}: maps, share of the largest", moved, maps)

    yield from rows("full precision", _in_full(place, reference.network, images), FULL, FULL)
    if not place.is_gpu:
        yield not_evaluable(f"{name}, half precision", NEEDS_A_GPU)
        runtime = networks.on_the_device(reference, place)
        yield from rows("as run on a CPU", runtime.forward(images), FULL, FULL)
        return
    # Of an evaluation, of a clinic's photos, and what INFERENCE_PRECISION=bf16 asks for.
    limits = {
        precisions.F32: (FULL, FULL),
        precisions.F16: (HALF, half_maps),
        precisions.BF16: (COARSE, 8 * half_maps),
    }
    for precision, (scores, maps) in limits.items():
        runtime = networks.on_the_device(reference, place, precision=precision)
        yield from rows(f"as run, {precision}", runtime.forward(images), scores, maps)
        yield holds(f"{name}: the answer says {precision}", runtime.computed.precision == precision)


@torch.inference_mode()
def _in_full(place: Place, network: MappedClassifier, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    moved = copy.deepcopy(network).to(place.device)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        logits, maps = moved(torch.from_numpy(images).to(place.device))
    return softmax(logits.cpu().numpy()), maps.cpu().numpy()
