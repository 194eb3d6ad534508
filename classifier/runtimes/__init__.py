"""Networks ready to run: PyTorch where there is CUDA, OpenVINO on the CPU, PyTorch where there is no OpenVINO.

Importing this package imports none of them; opening a runtime does.
"""

import functools
import logging
import threading
from pathlib import Path

from classifier.metrics.familiarity import Familiar
from classifier.networks import familiarity, weights
from classifier.runtimes import cuda, openvino_library, precisions, processor
from classifier.runtimes.base import Computed, OnlyInPyTorch, Runtime

__all__ = ["Computed", "Runtime", "open_runtime", "preferred_batch"]

log = logging.getLogger(__name__)

PREFERENCES = ("auto", "torch", "cpu")
# A worker that serves clinics and evaluations has a model in two precisions, and perhaps its successor.
_KEPT = 3
_loading = threading.Lock()
# Weights, by their hash, of networks that OpenVINO turned out not to run.
_only_in_torch: set[str] = set()
_PRECISION_OF = {
    "cuda": precisions.on_cuda,
    "openvino": precisions.on_cpu,
    "torch": precisions.on_cpu_in_torch,
}


def open_runtime(
    model_dir: Path,
    *,
    cache_dir: Path,
    prefer: str = "auto",
    precision: str = precisions.F32,
    threads: int = 0,
    many: bool = False,
) -> Runtime:
    """Return the runtime of the model in ``model_dir``, loaded once a process for each weights' hash and precision.

    ``prefer``: "torch" (CUDA where present), "cpu" (OpenVINO, PyTorch where there is none), or "auto": torch on CUDA,
    else cpu. ``precision``: full unless another is asked for, or left open by "auto" (``precisions``; OpenVINO then
    takes bfloat16 only where it changes no answer, ``harmless``). ``threads`` on a CPU: see ``processor.threads``; with
    ``many``, for photos of which many wait and nobody for one, OpenVINO computes several at the same time. What is
    derived from the weights is kept in ``cache_dir``. A network whose maps only PyTorch computes runs in it, whatever
    is preferred. Raises weights.ModelRejected; ValueError for another preference or precision.
    """
    kind = _kind(prefer)
    manifest = weights.read_manifest(model_dir)
    place = Path(model_dir).resolve(), manifest.weights_sha256, Path(cache_dir)
    # Without the lock two threads would load the same model at the same time.
    with _loading:
        if kind == "openvino" and manifest.weights_sha256 in _only_in_torch:
            kind = "torch"
        try:
            runtime = _opened(*place, kind, precision, threads, many)
        except OnlyInPyTorch:
            _only_in_torch.add(manifest.weights_sha256)
            runtime = _opened(*place, "torch", precision, threads, many)
    # It may have been made since the weights were loaded.
    said = manifest.familiarity
    runtime.familiar = _familiar(place[0], said["sha256"], said["limit"]) if said else None
    return runtime


def _opened(
    model_dir: Path, weights_sha256: str, cache_dir: Path, kind: str, precision: str, threads: int, many: bool
) -> Runtime:
    chosen = _PRECISION_OF[kind](precision)
    place = model_dir, weights_sha256, cache_dir
    if kind == "openvino" and precision == precisions.AUTO and chosen == precisions.BF16:
        chosen = _harmless(*place, threads)
    at_once = processor.side_by_side(threads) if many and kind == "openvino" else 1
    return _load(*place, kind, chosen, threads, at_once)


@functools.lru_cache(maxsize=_KEPT)
def _familiar(model_dir: Path, _sha256: str, _limit: float) -> Familiar | None:
    try:
        return familiarity.read(model_dir, weights.read_manifest(model_dir))
    except weights.ModelRejected as error:
        # An answer that does not say whether the photo is like the training photos is better than none.
        log.error("%s: %s", model_dir, error.message)
        return None


def preferred_batch(prefer: str = "auto") -> int:
    """Return how many photos a worker should take at once: one on a CPU, so the first answer comes first."""
    if _kind(prefer) != "cuda":
        return 1
    from classifier.runtimes.torch_runtime import CUDA_BATCH

    return CUDA_BATCH


def _kind(prefer: str) -> str:
    if prefer not in PREFERENCES:
        raise ValueError(f"prefer must be one of {', '.join(PREFERENCES)}, not {prefer!r}")
    if prefer != "cpu" and cuda.is_available():
        return "cuda"
    return "torch" if prefer == "torch" or not openvino_library.load() else "openvino"


@functools.lru_cache(maxsize=64)
def _harmless(model_dir: Path, weights_sha256: str, cache_dir: Path, threads: int) -> str:
    from classifier.runtimes import harmless

    path = harmless.path_in(cache_dir, weights_sha256)
    if chosen := harmless.kept(path):
        return chosen
    full, coarse = (
        _load(model_dir, weights_sha256, cache_dir, "openvino", precision, threads, 1)
        for precision in (precisions.F32, precisions.BF16)
    )
    return harmless.choose(path, full, coarse)


@functools.lru_cache(maxsize=_KEPT)
def _load(
    model_dir: Path,
    weights_sha256: str,
    cache_dir: Path,
    kind: str,
    precision: str,
    threads: int,
    at_once: int,
) -> Runtime:
    if kind == "openvino":
        return _open_openvino(model_dir, cache_dir, precision, threads, at_once)
    return _open_torch(model_dir, cache_dir, "cuda" if kind == "cuda" else "cpu", precision, threads)


def _open_torch(model_dir: Path, cache_dir: Path, device: str, precision: str, threads: int) -> Runtime:
    from classifier.networks.network import restore
    from classifier.runtimes.torch_runtime import TorchRuntime

    manifest, state = weights.load_verified(model_dir)
    network = restore(manifest, state)

    @functools.cache
    def fallback() -> Runtime:
        if openvino_library.load() and network.behind is None:
            return _open_openvino(model_dir, cache_dir, precisions.F32, threads)
        return _open_torch(model_dir, cache_dir, "cpu", precisions.F32, threads)

    return TorchRuntime(manifest, network, device, fallback, precision, threads)


def _open_openvino(
    model_dir: Path, cache_dir: Path, precision: str, threads: int, at_once: int = 1
) -> Runtime:
    from classifier.runtimes import openvino_networks
    from classifier.runtimes.openvino_runtime import OpenVinoRuntime

    manifest = weights.check_files(model_dir)
    network = openvino_networks.cached(
        model_dir, manifest.weights_sha256, cache_dir, precision, threads, at_once
    )
    return OpenVinoRuntime(manifest, network, precision, at_once)
