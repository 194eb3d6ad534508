"""ONNX Runtime on the CPU: the fastest way to run these networks without a GPU."""

import numpy as np
import onnxruntime

from classifier.networks.manifest import Manifest
from classifier.runtimes.base import Runtime

CPU_BATCH = 4
_ONLY_ERRORS = 3


class OnnxRuntime(Runtime):
    """Runs an exported network; ``threads`` 0 takes one for each core."""

    device = "cpu"
    max_batch = CPU_BATCH

    def __init__(self, manifest: Manifest, graph: bytes, threads: int = 0):
        self.manifest = manifest
        self._session = open_session(graph, threads)

    def logits_and_maps(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Runtime."""
        logits, maps = self._session.run(["logits", "maps"], {"images": batch})
        return np.asarray(logits), np.asarray(maps)


def open_session(graph: bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open a graph on the CPU with every optimisation of ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ONLY_ERRORS
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
