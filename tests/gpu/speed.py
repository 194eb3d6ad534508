"""Photos a second with maps, beside torchvision's bare forward pass and the card's measured peak."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from classifier.analysing import pipeline
from classifier.analysing.batches import analyse_all
from classifier.analysing.pipeline import Outcome
from classifier.networks import torchvision_ops
from classifier.networks.cam import to_heatmaps
from classifier.networks.preprocess import to_array
from skinclinic.imaging.quality import Quality
from tests.gpu import graphs, networks
from tests.gpu.agreement import HALF
from tests.gpu.alone import StandIn
from tests.gpu.place import Place, in_turns, largest_difference
from tests.gpu.rows import Row, at_most, measured

# Both sides round to half precision, at different places.
_ALIKE = 0.05


def checks(place: Place) -> dict[str, Callable[[], Iterator[Row]]]:
    """The peak, then each batch size."""
    speed = Speed(place)
    return {
        "peak": speed.peak_rows,
        "same network": speed.same_logits,
        **{f"batch {size}": (lambda size=size: speed.rows(size)) for size in place.batches},
        "queued photos": speed.queued,
        # What takes longest comes last.
        **{f"graphs {size}": (lambda size=size: speed.graphs(size)) for size in place.graphed},
    }


class Speed:
    """Our runtime and torchvision's network with the same weights."""

    def __init__(self, place: Place):
        torchvision_ops.declare_missing()
        from torchvision import models

        self.place, self.started = place, time.monotonic()
        ours = networks.make(place.deep)
        last = {"fc.weight": ours.head.weight[:, :, 0, 0], "fc.bias": ours.bias}
        bare = getattr(models, place.deep)(num_classes=len(ours.bias)).eval().requires_grad_(False)
        bare.load_state_dict({**ours.backbone.state_dict(), **last})
        self.bare: nn.Module = bare.to(place.device, place.half, memory_format=torch.channels_last)
        self.runtime = networks.on_the_device(networks.on_the_cpu(ours, place.deep, place.side), place)
        self.own_batch = self.runtime.max_batch

    @cached_property
    def peak(self) -> float:
        """Floating-point operations a second of a large matrix product in the precision of the answers."""
        side, place = self.place.product_side, self.place
        left, right = (torch.randn(side, side, device=place.device).to(place.half) for _ in range(2))
        return (
            2 * side**3 / in_turns(place, {"product": lambda: left @ right}, max(3, place.rounds))["product"]
        )

    @cached_property
    def operations(self) -> int:
        """Floating-point operations of one photo in the bare network."""
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            self.bare(self.resident(1))
        return counter.get_total_flops()

    def resident(self, size: int) -> torch.Tensor:
        """Inputs that lie on the device already."""
        images = torch.from_numpy(networks.images(size, self.place.side))
        return images.to(self.place.device, self.place.half).contiguous(memory_format=torch.channels_last)

    def peak_rows(self) -> Iterator[Row]:
        """What the shares below are shares of."""
        yield measured("matrix product", self.peak / 1e12, "TFLOP/s", str(self.place.half))
        yield measured(f"operations of a photo in {self.place.deep}", self.operations / 1e9, "GFLOP")

    def same_logits(self) -> Iterator[Row]:
        """Else one of them might be faster for being another network."""
        images = networks.images(2, self.place.side)
        with torch.inference_mode():
            expected = self.bare(self.resident(2)).float().cpu().numpy()
        logits = self.runtime.in_parts(images).logits
        difference = largest_difference(logits, expected) / float(np.abs(expected).max())
        yield at_most("logits beside torchvision's, share of the largest", difference, _ALIKE)

    def queued(self) -> Iterator[Row]:
        """Photos that wait in a queue, as JPEGs: read in threads, taken in the product's own batches; each gets the
        answer that it gets alone."""
        jpegs = [_jpeg(number, self.place.photo_side) for number in range(self.place.queued)]
        self.runtime.max_batch = self.own_batch if self.place.is_gpu else 2

        def all_of_them() -> list[Outcome]:
            with _judged_by_opencv():
                found = [one for batch in analyse_all(self.runtime, jpegs, _opened) for _jpeg, one in batch]
            assert all(isinstance(one, Outcome) for one in found)
            return found

        answers = {"batches": all_of_them()}
        ready = np.stack([to_array(_opened(one), self.runtime.manifest.preprocessing) for one in jpegs])
        tasks = {"queue": all_of_them, "ready": lambda: to_heatmaps(self.runtime.forward(ready)[1])}
        seconds = in_turns(self.place, tasks, max(1, self.place.rounds // 10))
        yield measured("queued photos", len(jpegs) / seconds["queue"], "photos/s")
        yield measured("queued photos: share of ready images", seconds["ready"] / seconds["queue"])
        self.runtime.max_batch = 1
        answers["alone"] = all_of_them()
        together, alone = (np.array([list(one.scores.values()) for one in answers[how]]) for how in answers)
        yield at_most("queued photos: scores beside each alone", largest_difference(together, alone), HALF)

    def graphs(self, size: int) -> Iterator[Row]:
        """The same batch with fewer starts of kernels."""
        self.runtime.max_batch = size
        return graphs.rows(self.place, self.runtime, networks.images(size, self.place.side), self.started)

    def rows(self, size: int) -> Iterator[Row]:
        """One batch size: all of it at once, and in the product's own batches where these are smaller."""
        images, resident = networks.images(size, self.place.side), self.resident(size)
        whole = torch.from_numpy(images)

        @torch.inference_mode()
        def bare() -> torch.Tensor:
            return self.bare(resident).cpu()

        @torch.inference_mode()
        def sent() -> torch.Tensor:
            moved = whole.to(self.place.device).to(self.place.half, memory_format=torch.channels_last)
            return self.bare(moved).cpu()

        def ours(most: int) -> None:
            self.runtime.max_batch = most
            to_heatmaps(self.runtime.forward(images)[1])

        tasks = {"ours": lambda: ours(size), "bare": bare, "sent": sent}
        if size > self.own_batch:
            tasks["in parts"] = lambda: ours(self.own_batch)
        seconds = in_turns(self.place, tasks, self.place.rounds)
        yield measured(f"batch {size}", size / seconds["ours"], "photos/s")
        yield measured(f"batch {size}: share of a bare forward", seconds["bare"] / seconds["ours"])
        yield measured(f"batch {size}: share of one with sending", seconds["sent"] / seconds["ours"])
        for name in ("ours", "bare"):
            done = size * self.operations / seconds[name] / self.peak
            yield measured(f"batch {size}: share of the peak, {name}", done)
        if "in parts" in seconds:
            yield measured(f"batch {size} by {self.own_batch}", size / seconds["in parts"], "photos/s")


def _jpeg(seed: int, side: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (side // 4, side // 4, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((side, side)).save(file, "JPEG", quality=90)
    return file.getvalue()


@contextmanager
def _judged_by_opencv() -> Iterator[None]:
    """Where OpenCV is not installed photos are answered without a judgement of their quality, which is its work."""
    if not isinstance(sys.modules.get("cv2"), StandIn):
        yield
        return
    unjudged = Quality(brightness=0.0, sharpness=0.0, side_px=0, skin_fraction=0.0, warnings=())
    with mock.patch.object(pipeline, "assess", lambda crop: unjudged):
        yield


def _opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")
