"""PyTorch as a runtime: on CUDA in the precision asked for, channels last, in batches; on a CPU in full precision."""

import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from classifier.networks.manifest import Manifest
from classifier.networks.network import MappedClassifier
from classifier.runtimes import precisions
from classifier.runtimes.base import Computed, Raw, Runtime
from classifier.runtimes.folding import fold_batch_norm

log = logging.getLogger(__name__)

T = TypeVar("T")
_TYPES = {precisions.F32: torch.float32, precisions.BF16: torch.bfloat16, precisions.F16: torch.float16}
CUDA_BATCH = 64
# What libraries say instead of PyTorch's own error. The last is cuDNN's word when none of its ways to compute a
# convolution fits into the memory that is left.
_OUT_OF_MEMORY = ("ALLOC_FAILED", "CUDA error: out of memory", "unable to find an engine")


class TorchRuntime(Runtime):
    """Runs a network on ``device`` ("cuda" or "cpu").

    ``precision``: that of all but the last layer, by default half on CUDA and full on a CPU. ``threads`` of a CPU; 0
    leaves them to PyTorch, which heeds OMP_NUM_THREADS.

    Out of memory halves ``max_batch`` for good; a single image that does not fit, or all of them while the
    network itself does not, go to the runtime that ``fallback`` returns, and the next ones try the device again.
    """

    def __init__(
        self,
        manifest: Manifest,
        network: MappedClassifier,
        device: str,
        fallback: Callable[[], Runtime],
        precision: str = "",
        threads: int = 0,
    ):
        self.manifest = manifest
        self.device = device
        self._fallback = fallback
        self._is_cuda = device.startswith("cuda")
        self.max_batch = CUDA_BATCH if self._is_cuda else 1
        precision = precision or (precisions.F16 if self._is_cuda else precisions.F32)
        self._type = _TYPES[precision]
        version = torch.__version__.partition("+")[0]
        self._own = Computed(f"PyTorch {version}{' (CUDA)' if self._is_cuda else ''}", precision)
        self.computed = self._own
        network.eval().requires_grad_(False)
        fold_batch_norm(network.backbone)
        if self._is_cuda:
            _make_coarser(network, self._type)
        elif threads:
            torch.set_num_threads(threads)
        self._network = network
        self._has_place = False

    def in_parts(self, batch: np.ndarray) -> Raw:
        """See Runtime."""
        self.computed = self._own
        return super().in_parts(batch)

    def _on_the_cpu(self, batch: np.ndarray) -> Raw:
        instead = self._fallback()
        # Of a batch some images may have been computed on either: both are named, with the coarser precision.
        both = f"{self._own.runtime}, {instead.computed.runtime}"
        self.computed = Computed(both, self._own.precision)
        return instead.in_parts(batch)

    def compute(self, batch: np.ndarray) -> Raw:
        """See Runtime; never fails for want of device memory as long as ``fallback`` works."""
        if not self._has_place and self._tried(self._place) is None:
            log.warning("%s has no memory for the network; %d images go to the CPU", self.device, len(batch))
            return self._on_the_cpu(batch)
        if (answer := self._tried(lambda: self._on_device(batch))) is not None:
            return answer
        if len(batch) == 1:
            log.warning("%s is out of memory for a single image; it goes to the CPU", self.device)
            return self._on_the_cpu(batch)
        half = len(batch) // 2
        self.max_batch = min(self.max_batch, half)
        log.warning("%s is out of memory for %d images; now %d at once", self.device, len(batch), half)
        halves = map(self.compute, (batch[:half], batch[half:]))
        return Raw(*map(np.concatenate, zip(*halves, strict=True)))

    def _tried(self, attempt: Callable[[], T]) -> T | None:
        """What ``attempt`` gives, or None where the device has no memory for it."""
        try:
            return attempt()
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            log.info("%s: %s", self.device, error)
        # Outside the handler the failed attempt's tensors are no longer referred to and can be freed.
        if self._is_cuda:
            torch.cuda.empty_cache()
        return None

    def _place(self) -> bool:
        self._network.to(self.device)
        self._has_place = True
        return True

    def _on_device(self, batch: np.ndarray) -> Raw:
        # By default cuDNN would round what full precision is given to TF32, which is no finer than half. The last layer
        # stays in full precision always: it costs nothing and keeps the maps fine.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            features = self._features(batch)
            logits, maps = self._network.classify(features)
            pooled = self._network.pooled(features)
            return Raw(logits.cpu().numpy(), maps.cpu().numpy(), pooled.cpu().numpy())

    def _features(self, batch: np.ndarray) -> torch.Tensor:
        """The last feature maps, on the device, in full precision."""
        images = torch.from_numpy(batch).to(self.device)
        if self._is_cuda:
            images = images.to(dtype=self._type, memory_format=torch.channels_last)
        features: torch.Tensor = self._network.backbone(images).float()
        return features

    def compute_feature_maps(self, image: np.ndarray) -> np.ndarray:
        """See Runtime; from ``fallback`` where the device has no memory."""

        def on_device() -> np.ndarray:
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                maps: np.ndarray = self._features(image).cpu().numpy()
                return maps

        if self._has_place or self._tried(self._place):
            found = self._tried(on_device)
            if found is not None:
                return found
        return self._fallback().compute_feature_maps(image)


def _make_coarser(network: MappedClassifier, to: torch.dtype) -> None:
    """All but what stands behind the last feature maps, channels last."""
    kept = {id(tensor) for tensor in network.behind.tensors()} if network.behind else set()
    for tensor in (*network.backbone.parameters(), *network.backbone.buffers()):
        if id(tensor) not in kept and tensor.is_floating_point():
            layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
            tensor.data = tensor.data.to(to, memory_format=layout)


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in _OUT_OF_MEMORY)
