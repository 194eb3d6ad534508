"""PyTorch as a runtime: on CUDA in half precision, channels last, in batches; on a CPU in full precision."""

import logging
from collections.abc import Callable

import numpy as np
import torch

from classifier.networks.manifest import Manifest
from classifier.networks.network import MappedClassifier
from classifier.runtimes.base import Runtime
from classifier.runtimes.folding import fold_batch_norm

log = logging.getLogger(__name__)

CUDA_BATCH = 64


class TorchRuntime(Runtime):
    """Runs a network on ``device`` ("cuda" or "cpu").

    Out of memory halves ``max_batch`` for good; a single image that does not fit goes to the runtime that
    ``fallback`` returns, and the next one tries the device again.
    """

    def __init__(
        self, manifest: Manifest, network: MappedClassifier, device: str, fallback: Callable[[], Runtime]
    ):
        self.manifest = manifest
        self.device = device
        self._fallback = fallback
        self._half = device.startswith("cuda")
        self.max_batch = CUDA_BATCH if self._half else 1
        network.eval().requires_grad_(False)
        fold_batch_norm(network.backbone)
        network.to(device)
        if self._half:
            network.backbone.to(dtype=torch.float16, memory_format=torch.channels_last)
        self._network = network

    def logits_and_maps(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Runtime; never fails for want of device memory as long as ``fallback`` works."""
        try:
            with torch.inference_mode():
                return self._on_device(batch)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
        # Outside the handler the failed attempt's tensors are no longer referred to and can be freed.
        if self._half:
            torch.cuda.empty_cache()
        if len(batch) == 1:
            log.warning("%s is out of memory for a single image; it goes to the CPU", self.device)
            return self._fallback().logits_and_maps(batch)
        half = len(batch) // 2
        self.max_batch = min(self.max_batch, half)
        log.warning("%s is out of memory for %d images; now %d at once", self.device, len(batch), half)
        logits, maps = zip(*map(self.logits_and_maps, (batch[:half], batch[half:])), strict=True)
        return np.concatenate(logits), np.concatenate(maps)

    def _on_device(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images = torch.from_numpy(batch).to(self.device)
        if self._half:
            images = images.to(dtype=torch.float16, memory_format=torch.channels_last)
        # The last layer stays in full precision: it costs nothing and keeps the maps fine.
        logits, maps = self._network.classify(self._network.backbone(images).float())
        return logits.cpu().numpy(), maps.cpu().numpy()


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)
