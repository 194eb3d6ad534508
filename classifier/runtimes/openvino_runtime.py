"""OpenVINO on the CPU: the fastest way to run these networks without a GPU."""

import threading
from typing import Any

import numpy as np

from classifier.networks.manifest import Manifest
from classifier.runtimes import openvino_library
from classifier.runtimes.base import Computed, Raw, Runtime


class OpenVinoRuntime(Runtime):
    """Runs a compiled network (see ``openvino_networks``), one image at a time, for one thread at a time."""

    device = "cpu"
    max_batch = 1

    def __init__(self, manifest: Manifest, network: Any, precision: str):
        self.manifest = manifest
        self._network = network
        self._one_at_a_time = threading.Lock()
        self.computed = Computed(f"OpenVINO {openvino_library.version()}", precision)

    def compute(self, batch: np.ndarray) -> Raw:
        """See Runtime."""
        with self._one_at_a_time:
            # What is not taken is not copied.
            found = self._network([batch], share_outputs=True)
            return Raw(*(np.array(found[place]) for place in range(3)))

    def compute_feature_maps(self, image: np.ndarray) -> np.ndarray:
        """See Runtime."""
        with self._one_at_a_time:
            return np.array(self._network([image], share_outputs=True)[3])
