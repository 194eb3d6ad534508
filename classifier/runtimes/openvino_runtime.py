"""OpenVINO on the CPU: the fastest way to run these networks without a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import numpy as np

from classifier.networks.manifest import Manifest
from classifier.runtimes import openvino_library
from classifier.runtimes.base import Computed, Raw, Runtime


class OpenVinoRuntime(Runtime):
    """Runs a compiled network (see ``openvino_networks``), one image at a time, for as many threads at a time as it was
    compiled to compute ``side_by_side``; others wait."""

    device = "cpu"
    max_batch = 1

    def __init__(self, manifest: Manifest, network: Any, precision: str, side_by_side: int = 1):
        self.manifest = manifest
        self._network = network
        self.side_by_side = side_by_side
        self._free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(side_by_side):
            self._free.put(network.create_infer_request())
        self.computed = Computed(f"OpenVINO {openvino_library.version()}", precision)

    def compute(self, batch: np.ndarray) -> Raw:
        """See Runtime."""
        # What is not taken is not copied.
        with self._computed(batch) as found:
            return Raw(*(np.array(found[place]) for place in range(3)))

    def compute_feature_maps(self, image: np.ndarray) -> np.ndarray:
        """See Runtime."""
        with self._computed(image) as found:
            return np.array(found[3])

    @contextmanager
    def _computed(self, image: np.ndarray) -> Iterator[Any]:
        """The outputs for an image, which the next one overwrites."""
        request = self._free.get()
        try:
            yield request.infer([image], share_inputs=True, share_outputs=True)
        finally:
            self._free.put(request)
