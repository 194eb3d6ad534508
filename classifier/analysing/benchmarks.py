"""How fast scores and heatmaps come, as ratios measured in one run.

Everything compared in a ratio runs in turns (A B A B ...) with the same number of threads, so that other
programs on the machine slow down all of it alike, and medians are compared. ONNX Runtime in full precision is what
others would run these networks with; the product does not use it.
"""

import copy
import functools
import io
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from PIL import Image

from classifier.analysing.batches import analyse_all
from classifier.analysing.onnx_peer import open_session
from classifier.analysing.pipeline import analyse
from classifier.networks import torchvision_ops, weights
from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.cam import to_heatmaps
from classifier.networks.manifest import Manifest
from classifier.networks.network import MappedClassifier, build, load_imagenet
from classifier.networks.preprocess import Preprocessing, to_array
from classifier.runtimes import cuda, openvino_library, openvino_networks, precisions, processor
from classifier.runtimes.base import Runtime
from classifier.runtimes.exporting import to_onnx
from classifier.runtimes.openvino_runtime import OpenVinoRuntime
from classifier.runtimes.torch_runtime import TorchRuntime
from skinclinic.vocabulary.diseases import DISEASE_KEYS

ARCHITECTURE = "resnet152"
SMALLEST_SPEEDUP = 60
EVALUATED = 480
# What the bare loop takes at once, at which it is fastest.
BARE_BATCH = 4
_IN_TURN = 24


def largest_over_bare(precision: str) -> float:
    """The most that scores and 12 heatmaps may cost, over a bare ONNX Runtime forward in full precision.

    AMX multiplies bfloat16 sixteen times as fast as full precision; AVX-512 twice, which no network can beat.
    """
    if precision == precisions.F32:
        return 1.0 if openvino_library.load() else 2.0
    return 0.35 if processor.has_amx() else 0.55


def least_over_loop(precision: str) -> float:
    """The least speed of an evaluation, over a bare loop of ONNX Runtime in full precision."""
    if precision == precisions.F32:
        return 0.95 if openvino_library.load() else 0.5
    return 2.5 if processor.has_amx() else 1.7


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
    """The same random ResNet-152: ours as the product runs it, and torchvision's, bare in ONNX Runtime.

    ``threads``: of every library alike; 0 leaves them at one for each core.
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

    @functools.cache  # noqa: B019  # as long as the networks
    def runtime(self, precision: str = precisions.BF16, many: bool = False) -> Runtime:
        """Our network as a worker on a CPU runs it, by default in bfloat16 where the processor has it; for ``many``
        photos as an evaluation does."""
        if not openvino_library.load():
            return TorchRuntime(self.manifest, copy.deepcopy(self.ours), "cpu", _unused, threads=self.threads)
        chosen = precisions.on_cpu(precision)
        at_once = processor.side_by_side(self.threads) if many else 1
        side = self.image.shape[-1]
        compiled = openvino_networks.compile_network(self.ours, side, chosen)
        network = openvino_networks.open_compiled(compiled, chosen, self.threads, at_once)
        return OpenVinoRuntime(self.manifest, network, chosen, at_once)

    @property
    def precisions(self) -> list[str]:
        """Those this processor computes in: full, and bfloat16 where it has it."""
        return list(dict.fromkeys(self.runtime(one).computed.precision for one in ("f32", "bf16")))

    @functools.cached_property
    def bare_session(self) -> onnxruntime.InferenceSession:
        """torchvision's network in ONNX Runtime: logits only, same session options."""
        return open_session(to_onnx(self.theirs, self.image.shape[-1], ("logits",)), self.threads)

    def bare_forward(self) -> np.ndarray:
        """Run ``bare_session``; return its logits."""
        (logits,) = self.bare_session.run(["logits"], {"images": self.image})
        return np.asarray(logits)

    def bare_loop(self, images: np.ndarray) -> None:
        """Run ``bare_session`` over images [N, 3, S, S], ``BARE_BATCH`` at once."""
        for first in range(0, len(images), BARE_BATCH):
            self.bare_session.run(["logits"], {"images": images[first : first + BARE_BATCH]})

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


def _unused() -> Runtime:
    raise MemoryError("there is no other device")


def over_bare_forward(
    networks: Networks, rounds: int = 30, precision: str = precisions.BF16
) -> dict[str, Any]:
    """One photo on the CPU: (scores and 12 heatmaps) / bare ONNX Runtime forward of torchvision's network."""
    runtime = networks.runtime(precision)
    seconds = in_turns(
        {"ours": lambda: scores_and_heatmaps(runtime, networks.image), "bare": networks.bare_forward}, rounds
    )
    most = largest_over_bare(runtime.computed.precision)
    return {
        "ratio": seconds["ours"] / seconds["bare"],
        "at_most": most,
        "seconds": seconds,
        "precision": runtime.computed.precision,
    }


def grad_cam_over_ours(networks: Networks, rounds: int = len(DISEASE_KEYS)) -> dict[str, Any]:
    """One photo on the CPU: pytorch-grad-cam for 12 heatmaps / ours.

    Ours runs in turns with pytorch-grad-cam for one disease, another one each time; the time for all is 12
    times the median.
    """
    runtime = networks.runtime()
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


def evaluation_over_loop(
    networks: Networks, precision: str, photos: int = EVALUATED, side: int = 512
) -> dict[str, Any]:
    """Photos a second of an evaluation (JPEGs decoded, resized, looked at for their quality, analysed with heatmaps) /
    tensors that are ready, through the bare network in ONNX Runtime, which decodes nothing; drawings of noise, ``side``
    pixels wide, in turns."""
    runtime, preprocessing = networks.runtime(precision, many=True), networks.manifest.preprocessing
    jpegs = [_jpeg(n, side) for n in range(min(photos, _IN_TURN))]
    tensors = np.stack([to_array(_opened(jpeg), preprocessing) for jpeg in jpegs])
    seconds = {"ours": 0.0, "bare": 0.0}
    for round_number in range(-1, max(photos // len(jpegs), 1)):
        for name, task in (
            ("ours", lambda: [batch for batch in analyse_all(runtime, jpegs, _opened)]),
            ("bare", lambda: networks.bare_loop(tensors)),
        ):
            start = time.perf_counter()
            task()
            if round_number >= 0:
                seconds[name] += time.perf_counter() - start
    return {
        "ratio": seconds["bare"] / seconds["ours"],
        "at_least": least_over_loop(runtime.computed.precision),
        "seconds": seconds,
        "photos": max(photos // len(jpegs), 1) * len(jpegs),
        "precision": runtime.computed.precision,
    }


def _jpeg(seed: int, side: int) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (side // 4, side // 4, 3), np.uint8)
    Image.fromarray(noise).resize((side, side)).save(file, "JPEG", quality=90)
    return file.getvalue()


def _opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


_FIRST_ANSWER = """
import sys
from pathlib import Path
from PIL import Image
from classifier.analysing.pipeline import analyse
from classifier.runtimes import open_runtime
folder, cache, threads = sys.argv[1:]
runtime = open_runtime(
    Path(folder), cache_dir=Path(cache), prefer="cpu", precision="bf16", threads=int(threads)
)
analyse(runtime, [Image.new("RGB", (256, 256), "pink")])
"""


def cold_start(networks: Networks, rounds: int = 3) -> dict[str, Any]:
    """Seconds from the start of a process to its first answer, without and with the cache; medians of ``rounds``."""
    seconds: dict[str, list[float]] = {"without cache": [], "with cache": []}
    root = str(Path(__file__).resolve().parents[2])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        weights.save(folder, networks.manifest, networks.ours.state_dict())
        for number in range(rounds):
            for taken in seconds.values():
                arguments = [str(folder), str(Path(scratch, f"cache{number}")), str(networks.threads)]
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-c", _FIRST_ANSWER, *arguments],
                    check=True,
                    cwd=root,
                    env=os.environ | {"PYTHONPATH": root},
                )
                taken.append(time.perf_counter() - start)
    return {"seconds": {name: statistics.median(taken) for name, taken in seconds.items()}}


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

    runtime = TorchRuntime(networks.manifest, networks.ours, device, _unused)
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


def measure(threads: int = 0, photos: int = EVALUATED) -> dict[str, Any]:
    """Measure everything this machine can; ``gpu`` is there where CUDA is."""
    networks = Networks(threads)
    found: dict[str, Any] = {
        "threads": threads or torch.get_num_threads(),
        "processor": processor.facts()[0],
        "bfloat16": sorted(processor.BFLOAT16 & processor.facts()[1]),
        "runtime": networks.runtime().computed.runtime,
        "onnxruntime": onnxruntime.__version__,
    }
    for precision in networks.precisions:
        found[f"scores_and_maps_over_bare_forward_{precision}"] = over_bare_forward(
            networks, precision=precision
        )
    found["grad_cam_over_ours"] = grad_cam_over_ours(networks)
    for precision in networks.precisions:
        found[f"evaluation_over_bare_loop_{precision}"] = evaluation_over_loop(networks, precision, photos)
    found["cold_start"] = cold_start(networks)
    found["pipeline"] = overhead_of_the_pipeline(networks.runtime())
    if cuda.is_available():
        found["gpu"] = on_gpu(networks, "cuda")
    return found
