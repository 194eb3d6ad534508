"""How fast scores and heatmaps come, as ratios measured in one run.

Everything compared in a ratio runs in turns (A B A B ...) with the same number of threads, so that other
programs on the machine slow down all of it alike, and medians are compared.
"""

import functools
import itertools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
from PIL import Image

from classifier.analysing.pipeline import analyse
from classifier.networks import torchvision_ops
from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.cam import to_heatmaps
from classifier.networks.manifest import Manifest
from classifier.networks.network import MappedClassifier, build, load_imagenet
from classifier.networks.preprocess import Preprocessing
from classifier.runtimes import cuda
from classifier.runtimes.base import Runtime
from classifier.runtimes.onnx_export import export
from classifier.runtimes.onnx_runtime import OnnxRuntime, open_session
from classifier.runtimes.torch_runtime import TorchRuntime
from skinclinic.vocabulary.diseases import DISEASE_KEYS

ARCHITECTURE = "resnet152"
LARGEST_OVER_BARE = 1.05
SMALLEST_SPEEDUP = 60


def in_turns(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run every task once in each round, after a first one that is not counted; return median seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for round_number in range(rounds + 1):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if round_number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


class Networks:
    """The same random ResNet-152 three times: ours, torchvision's, and both exported.

    ``threads``: of PyTorch and of ONNX Runtime alike; 0 leaves both at one for each core.
    """

    def __init__(self, threads: int = 0):
        torchvision_ops.declare_missing()
        from torchvision import models

        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(0)
        design = ARCHITECTURES[ARCHITECTURE]
        self.manifest = Manifest(
            name="benchmark",
            architecture=ARCHITECTURE,
            preprocessing=Preprocessing(design.input_size, design.mean, design.std),
            trained_on="nothing: random weights",
        )
        self.threads = threads
        self.theirs = models.resnet152(num_classes=len(DISEASE_KEYS)).eval()
        self.ours: MappedClassifier = build(ARCHITECTURE, len(DISEASE_KEYS)).eval()
        load_imagenet(self.ours, ARCHITECTURE, self.theirs.state_dict(), last_layer=True)
        side = design.input_size
        self.image = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)

    @functools.cached_property
    def our_runtime(self) -> OnnxRuntime:
        """Our network as a worker on a CPU runs it."""
        graph = export(self.ours, self.image.shape[-1], ("logits", "maps"))
        return OnnxRuntime(self.manifest, graph, self.threads)

    @functools.cached_property
    def bare_session(self) -> onnxruntime.InferenceSession:
        """torchvision's network in ONNX Runtime: logits only, same session options."""
        return open_session(export(self.theirs, self.image.shape[-1], ("logits",)), self.threads)

    def bare_forward(self) -> np.ndarray:
        """Run ``bare_session``; return its logits."""
        (logits,) = self.bare_session.run(["logits"], {"images": self.image})
        return np.asarray(logits)

    @functools.cached_property
    def grad_cam(self) -> Callable[[int], np.ndarray]:
        """pytorch-grad-cam for the disease of an index: its heatmap at the size of the image."""
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        method = GradCAM(self.theirs, [self.theirs.layer4[-1]])
        image = torch.from_numpy(self.image)
        return lambda disease: method(image, [ClassifierOutputTarget(disease)])[0]


def scores_and_heatmaps(runtime: Runtime, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is measured as ours: probabilities and the heatmaps of every disease, ready to store."""
    probabilities, maps = runtime.forward(images)
    return probabilities, to_heatmaps(maps)


def over_bare_forward(networks: Networks, rounds: int = 30) -> dict[str, Any]:
    """One photo on the CPU: (scores and 12 heatmaps) / bare ONNX Runtime forward of torchvision's network."""
    runtime = networks.our_runtime
    seconds = in_turns(
        {"ours": lambda: scores_and_heatmaps(runtime, networks.image), "bare": networks.bare_forward}, rounds
    )
    return {"ratio": seconds["ours"] / seconds["bare"], "at_most": LARGEST_OVER_BARE, "seconds": seconds}


def grad_cam_over_ours(networks: Networks, rounds: int = len(DISEASE_KEYS)) -> dict[str, Any]:
    """One photo on the CPU: pytorch-grad-cam for 12 heatmaps / ours.

    Ours runs in turns with pytorch-grad-cam for one disease, another one each time; the time for all is 12
    times the median.
    """
    runtime = networks.our_runtime
    diseases = itertools.cycle(range(len(DISEASE_KEYS)))
    seconds = in_turns(
        {
            "ours": lambda: scores_and_heatmaps(runtime, networks.image),
            "grad_cam": lambda: networks.grad_cam(next(diseases)),
        },
        rounds,
    )
    seconds["grad_cam"] *= len(DISEASE_KEYS)
    return {"ratio": seconds["grad_cam"] / seconds["ours"], "at_least": SMALLEST_SPEEDUP, "seconds": seconds}


def overhead_of_the_pipeline(runtime: Runtime, side: int = 1024, rounds: int = 20) -> dict[str, Any]:
    """Seconds from a square crop of ``side`` pixels to its outcome, without the network; and with it."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    crop = Image.fromarray(pixels)
    around, within = [], []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        outcome = analyse(runtime, [crop])[0]
        around.append(time.perf_counter() - start - outcome.forward_seconds)
        within.append(outcome.forward_seconds)
    return {
        "crop_side": side,
        "seconds": {"around": statistics.median(around[1:]), "network": statistics.median(within[1:])},
    }


def on_gpu(
    networks: Networks, device: str, batches: Sequence[int] = (1, 32, 256), rounds: int = 10
) -> dict[int, dict[str, float]]:
    """Photos a second with heatmaps in half precision, and as a share of torchvision's bare forward."""

    def unused() -> Runtime:
        raise MemoryError("the batch does not fit on the device")

    runtime = TorchRuntime(networks.manifest, networks.ours, device, unused)
    bare = networks.theirs.to(device)
    if device.startswith("cuda"):
        bare = bare.half().to(memory_format=torch.channels_last)
    found = {}
    for size in batches:
        runtime.max_batch = size
        images = networks.image.repeat(size, axis=0)
        resident = torch.from_numpy(images).to(device=device, dtype=next(bare.parameters()).dtype)
        resident = resident.contiguous(memory_format=torch.channels_last)

        def forward(resident: torch.Tensor = resident) -> torch.Tensor:
            with torch.inference_mode():
                return bare(resident).cpu()

        def ours(images: np.ndarray = images) -> tuple[np.ndarray, np.ndarray]:
            return scores_and_heatmaps(runtime, images)

        seconds = in_turns({"ours": ours, "bare": forward}, rounds)
        found[size] = {
            "photos_a_second": size / seconds["ours"],
            "share_of_bare": seconds["bare"] / seconds["ours"],
        }
    return found


def measure(threads: int = 0) -> dict[str, Any]:
    """Measure everything this machine can; ``gpu`` is there where CUDA is."""
    networks = Networks(threads)
    found = {
        "threads": threads or torch.get_num_threads(),
        "scores_and_maps_over_bare_forward": over_bare_forward(networks),
        "grad_cam_over_ours": grad_cam_over_ours(networks),
        "pipeline": overhead_of_the_pipeline(networks.our_runtime),
    }
    if cuda.is_available():
        found["gpu"] = on_gpu(networks, "cuda")
    return found
