"""Ways to run a model behind one interface: PyTorch where there is CUDA, ONNX Runtime on the CPU.

Importing this package imports neither; opening a runtime does.
"""

import functools
import threading
from pathlib import Path

from classifier.networks import weights
from classifier.runtimes import cuda
from classifier.runtimes.base import Runtime

__all__ = ["Runtime", "open_runtime", "preferred_batch"]

PREFERENCES = ("auto", "torch", "onnx")
_KEPT = 2
_loading = threading.Lock()


def open_runtime(model_dir: Path, *, cache_dir: Path, prefer: str = "auto") -> Runtime:
    """Return the runtime of the model in ``model_dir``, loaded once a process for each weights' hash.

    ``prefer``: "torch" (CUDA where present), "onnx" (CPU), or "auto": torch on CUDA, else onnx. What is
    derived from the weights is kept in ``cache_dir``. Raises weights.ModelRejected.
    """
    if prefer not in PREFERENCES:
        raise ValueError(f"prefer must be one of {', '.join(PREFERENCES)}, not {prefer!r}")
    kind = _kind(prefer)
    manifest = weights.read_manifest(model_dir)
    # Without the lock two threads would load the same model at the same time.
    with _loading:
        return _load(Path(model_dir).resolve(), manifest.weights_sha256, Path(cache_dir), kind)


def preferred_batch(prefer: str = "auto") -> int:
    """Return how many photos a worker should take at once: one on a CPU, so the first answer comes first."""
    if _kind(prefer) == "onnx" or not cuda.is_available():
        return 1
    from classifier.runtimes.torch_runtime import CUDA_BATCH

    return CUDA_BATCH


def _kind(prefer: str) -> str:
    if prefer == "auto":
        return "torch" if cuda.is_available() else "onnx"
    return prefer


@functools.lru_cache(maxsize=_KEPT)
def _load(model_dir: Path, weights_sha256: str, cache_dir: Path, kind: str) -> Runtime:
    if kind == "onnx":
        return _open_onnx(model_dir, cache_dir)

    from classifier.networks.network import restore
    from classifier.runtimes.torch_runtime import TorchRuntime

    manifest, state = weights.load_verified(model_dir)
    device = "cuda" if cuda.is_available() else "cpu"
    fallback = functools.cache(lambda: _open_onnx(model_dir, cache_dir))
    return TorchRuntime(manifest, restore(manifest, state), device, fallback)


def _open_onnx(model_dir: Path, cache_dir: Path) -> Runtime:
    from classifier.runtimes.onnx_export import cached_graph
    from classifier.runtimes.onnx_runtime import OnnxRuntime

    manifest = weights.check_files(model_dir)
    return OnnxRuntime(manifest, cached_graph(model_dir, manifest.weights_sha256, cache_dir))
