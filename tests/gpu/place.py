"""Where the checks run and how large they are: in earnest on a GPU, tiny on a CPU."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

NEEDS_A_GPU = "needs a GPU"


@dataclass(frozen=True)
class Place:
    """A device and sizes. ``deep``: the network whose speed counts; ``compared``: those whose answers are
    compared; ``outside``: the same of torchvision and timm by name; ``trained``: those that are trained twice;
    ``graphed``: batches that are tried with graphs; ``queued``: how many photos of ``photo_side`` pixels wait.
    """

    device: torch.device
    deep: str = "resnet152"
    compared: tuple[str, ...] = ("efficientnet_lite0", "resnet152", "resnet50-caffe")
    outside: tuple[str, ...] = ("torchvision:convnext_tiny", "timm:tf_efficientnetv2_b0", "timm:resnetv2_50")
    trained: tuple[str, ...] = ("efficientnet_lite0", "resnet50")
    side: int = 224
    images: int = 8
    batches: tuple[int, ...] = (1, 32, 256)
    graphed: tuple[int, ...] = (1, 32)
    queued: int = 512
    photo_side: int = 1024
    rounds: int = 20
    product_side: int = 8192
    training_batch: int = 64
    training_steps: int = 10

    @property
    def is_gpu(self) -> bool:
        """Whether this is the real thing."""
        return self.device.type == "cuda"

    @property
    def half(self) -> torch.dtype:
        """What the product computes answers in here."""
        return torch.float16 if self.is_gpu else torch.float32

    def wait(self) -> None:
        """Until the device has done all that was asked of it."""
        if self.is_gpu:
            torch.cuda.synchronize(self.device)


def find() -> Place:
    """The GPU if there is one, else the CPU in small."""
    if torch.cuda.is_available():
        return Place(torch.device("cuda", 0))
    return Place(
        torch.device("cpu"),
        deep="resnet18",
        compared=("efficientnet_lite0", "resnet18"),
        outside=("timm:resnet10t",),
        trained=("resnet18",),
        side=64,
        images=2,
        batches=(1, 2, 4),
        graphed=(1,),
        queued=3,
        photo_side=96,
        rounds=1,
        product_side=256,
        training_batch=4,
        training_steps=1,
    )


def in_turns(place: Place, tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each task; all run in turns, after a first round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, task in tasks.items():
            place.wait()
            start = time.perf_counter()
            task()
            place.wait()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def largest_difference(answer: np.ndarray, reference: np.ndarray) -> float:
    """Of any two numbers in the same place; infinite where one of them is not finite."""
    if not np.isfinite(answer).all():
        return float("inf")
    return float(np.abs(np.float64(answer) - reference).max())
