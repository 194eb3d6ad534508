"""The same answers with fewer starts of kernels: CUDA graphs and torch.compile around the product's network.

A single photo keeps a GPU busy for less time than Python needs to start some five hundred kernels. The product uses
neither: whether they win on a card, and by how much, is what these rows tell.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from classifier.runtimes.base import Raw
from classifier.runtimes.torch_runtime import TorchRuntime
from tests.gpu.place import NEEDS_A_GPU, Place, in_turns, largest_difference
from tests.gpu.rows import Row, at_most, measured, not_evaluable

# Of logits and maps, as a share of the largest: the same kernels in the same precision, or ones that are fused.
_GRAPH, _COMPILED = 1e-3, 2e-2
# Compiling takes about a minute; a part of the check ends after less than three.
_TIME_TO_COMPILE = 60

Ask = Callable[[np.ndarray], Raw]


def rows(place: Place, runtime: TorchRuntime, images: np.ndarray, started: float) -> Iterator[Row]:
    """How a batch fares with a graph and, where time is left since ``started``, compiled."""
    size = len(images)
    kinds: dict[str, tuple[Callable[[TorchRuntime, np.ndarray], Ask], float]] = {
        "CUDA graph": (with_graph, _GRAPH),
        "torch.compile": (compiled, _COMPILED),
    }
    for name, (make, alike) in kinds.items():
        what = f"batch {size}, {name}"
        if not place.is_gpu:
            yield not_evaluable(what, NEEDS_A_GPU)
            continue
        if name == "torch.compile" and time.monotonic() - started > _TIME_TO_COMPILE:
            yield not_evaluable(what, "no time was left to compile it")
            continue
        before = time.monotonic()
        ask = make(runtime, images)
        expected, found = runtime.compute(images), ask(images)
        yield measured(f"{what}: made in", time.monotonic() - before, "s")
        for output in ("logits", "maps"):
            truth = getattr(expected, output)
            moved = largest_difference(getattr(found, output), truth) / float(np.abs(truth).max())
            yield at_most(f"{what}: {output}, share of the largest", moved, alike)
        tasks = {"plain": lambda: runtime.compute(images), "other": lambda ask=ask: ask(images)}
        seconds = in_turns(place, tasks, place.rounds)
        yield measured(f"{what}: times as fast as without", seconds["plain"] / seconds["other"])


def with_graph(runtime: TorchRuntime, images: np.ndarray) -> Ask:
    """The network recorded once for batches of this size, then replayed."""
    still = _on_device(runtime, images)
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.inference_mode(), torch.cuda.stream(aside):
        for _ in range(3):
            _outputs(runtime, still)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        made = _outputs(runtime, still)

    def ask(batch: np.ndarray) -> Raw:
        with torch.inference_mode():
            still.copy_(torch.from_numpy(batch))
            graph.replay()
            return Raw(*(part.cpu().numpy() for part in made))

    return ask


def compiled(runtime: TorchRuntime, images: np.ndarray) -> Ask:
    """The network fused by torch.compile, with graphs of its own."""
    fused = torch.compile(lambda still: _outputs(runtime, still), mode="reduce-overhead")

    def ask(batch: np.ndarray) -> Raw:
        with torch.inference_mode():
            return Raw(*(part.cpu().numpy() for part in fused(_on_device(runtime, batch))))

    ask(images)
    return ask


def _on_device(runtime: TorchRuntime, images: np.ndarray) -> torch.Tensor:
    moved = torch.from_numpy(images).to(runtime.device)
    return moved.to(dtype=runtime._type, memory_format=torch.channels_last)


def _outputs(runtime: TorchRuntime, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    network = runtime._network
    features = network.backbone(images).float()
    return *network.classify(features), network.pooled(features)
