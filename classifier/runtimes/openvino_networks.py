"""Networks compiled by OpenVINO for this processor, once for each weights' hash, and kept in the cache folder.

A file holds the SHA-256 of what follows it, then the compiled network. It is written whole or not at all, and by one
process while the others wait; a reader who meets damage, or what another version has made, compiles again.
"""

import fcntl
import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.networks.manifest import ModelRejected
from classifier.runtimes import openvino_kernels, openvino_library, processor
from classifier.runtimes.base import OnlyInPyTorch
from skinclinic.files.whole import write_whole

if TYPE_CHECKING:
    from torch import nn

    from classifier.networks.network import MappedClassifier

log = logging.getLogger(__name__)

# Raise it when the same weights must give another network.
_REVISION = 4
# As long as a digest.
_HEADER = 64
# All outputs in this order.
OUTPUTS = ("logits", "maps", "features", "feature_maps")


def cached(
    folder: Path, weights_sha256: str, cache_dir: Path, precision: str, threads: int, side_by_side: int = 1
) -> Any:
    """Return the compiled network of the model in ``folder``, whose weights are known to have this hash.

    It takes one image [1, 3, S, S] and gives ``OUTPUTS``, of so many images ``side_by_side``. A cache that cannot
    be written is no obstacle; the network is then compiled each time. Raises ModelRejected, OnlyInPyTorch.
    """
    path, how = place(cache_dir, weights_sha256, precision), (precision, threads, side_by_side)
    if found := _opened(path, *how):
        return found
    with _alone(path):
        # Another process may have made it while this one waited.
        if found := _opened(path, *how):
            return found
        network, input_size = _restored(Path(folder), weights_sha256)
        if network.behind is not None:
            raise OnlyInPyTorch
        require_numbers(network, input_size)
        compiled = compile_network(network, input_size, precision)
        _keep(path, compiled)
    return open_compiled(compiled, *how)


def compile_network(network: "MappedClassifier", input_size: int, precision: str) -> np.ndarray:
    """Compile a network in evaluation mode straight from PyTorch: one image [1, 3, S, S] -> ``OUTPUTS``; as bytes.

    Images are taken one by one, so that an answer depends on no other image; a CPU gains nothing by more.
    """
    import torch

    from classifier.networks.network import WithFeatures

    openvino = openvino_library.load()
    assert openvino is not None, "whoever asks has looked"
    shape = (1, 3, input_size, input_size)
    with warnings.catch_warnings(), torch.inference_mode():
        # Traced sizes become constants, as they should.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(WithFeatures(network).eval(), torch.zeros(shape), check_trace=False)
        model = openvino.convert_model(traced, input=[openvino.PartialShape(shape)])
    for output, name in zip(model.outputs, OUTPUTS, strict=True):
        output.get_tensor().set_names({name})
    openvino_kernels.choose(model)
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    return np.frombuffer(compiled.export_model().getbuffer(), np.uint8)


def open_compiled(compiled: np.ndarray, precision: str, threads: int = 0, side_by_side: int = 1) -> Any:
    """What `compile_network` made, to compute with. Raises RuntimeError where it does not fit this machine."""
    openvino = openvino_library.load()
    assert openvino is not None, "whoever asks has looked"
    # A copy of OpenVINO's own, which lives as long as the network that computes with it.
    tensor = openvino.Tensor(compiled, shared_memory=False)
    return openvino.Core().import_model(tensor, "CPU", _options(precision, threads, side_by_side))


def require_numbers(network: "nn.Module", input_size: int) -> None:
    """Raise ModelRejected for a network whose answer to noise is not made of finite numbers.

    PyTorch is asked, once: in OpenVINO what is no number becomes 0 where the next layer cuts values off, and a broken
    network answers as if it were none.
    """
    import torch

    images = torch.randn(1, 3, input_size, input_size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answer = network(images)
    if not all(bool(part.isfinite().all()) for part in answer):
        raise ModelRejected("scores_not_finite", "The network's answers are not finite numbers.")


def _options(precision: str, threads: int, side_by_side: int) -> dict[str, Any]:
    """What the network is run with; its threads are shared out among the images ``side_by_side``. Workers share the
    processor: none of their threads is tied to a core."""
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY" if side_by_side == 1 else "THROUGHPUT",
        "NUM_STREAMS": side_by_side,
        "ENABLE_CPU_PINNING": False,
    }
    return options | ({"INFERENCE_NUM_THREADS": count} if (count := processor.threads(threads)) else {})


def place(cache_dir: Path, weights_sha256: str, precision: str) -> Path:
    """Where the network of these weights is kept, as this version compiles it for this processor."""
    made_by = f"openvino{openvino_library.version()}"
    name = f"{weights_sha256}-r{_REVISION}-{made_by}-{precision}-{processor.fingerprint()}.blob"
    return Path(cache_dir) / "openvino" / name


def _restored(folder: Path, weights_sha256: str) -> tuple["MappedClassifier", int]:
    from classifier.networks.network import restore
    from classifier.networks.weights import load_verified

    manifest, state = load_verified(folder)
    if manifest.weights_sha256 != weights_sha256:
        raise ModelRejected("changed", "The model was changed while it was being loaded.")
    return restore(manifest, state).eval(), manifest.preprocessing.input_size


def _opened(path: Path, precision: str, threads: int, side_by_side: int) -> Any:
    """The network of a file; None where there is none, or one that is damaged or no longer fits."""
    try:
        with path.open("rb") as file:
            digest, compiled = file.read(_HEADER), np.fromfile(file, np.uint8)
    except OSError:
        return None
    if hashlib.sha256(compiled.data).hexdigest().encode() != digest:
        return None
    try:
        return open_compiled(compiled, precision, threads, side_by_side)
    except RuntimeError as error:
        log.warning(
            "the compiled network %s does not fit this machine and is made anew: %s", path.name, error
        )
        return None


def _keep(path: Path, compiled: np.ndarray) -> None:
    content = compiled.tobytes()
    try:
        write_whole(path, hashlib.sha256(content).hexdigest().encode() + content)
    except OSError as error:
        log.warning("the compiled network cannot be kept in %s: %s", path.parent, error)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the place of a file against other processes that would make the same; where that cannot be, go on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("w")
    except OSError:
        yield
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            log.info("%s cannot be locked: %s", path.parent, error)
        yield
