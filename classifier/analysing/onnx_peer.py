"""ONNX Runtime, which the product does not use: what `manage.py benchmark` and tests hold it against.

It comes with tests/requirements.txt.
"""

import io
import warnings
from collections.abc import Sequence

import onnxruntime
import torch
from torch import nn

OPSET = 17
_ONLY_ERRORS = 3


def export(network: nn.Module, input_size: int, output_names: Sequence[str]) -> bytes:
    """Export a network in evaluation mode: images [batch, 3, S, S] -> outputs with a batch axis each."""
    names = ["images", *output_names]
    graph = io.BytesIO()
    with warnings.catch_warnings():
        # Traced sizes become constants, as they should: only the batch varies. The tracing exporter is
        # deprecated, but makes the same graph as its successor in a tenth of the time.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, input_size, input_size),),
            graph,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )
    return graph.getvalue()


def open_session(graph: bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open a graph on the CPU with every optimisation of ONNX Runtime; ``threads`` 0 takes one for each core."""
    options = onnxruntime.SessionOptions()
    # Its threads wait for the next photo in loops; after one has ended they would take what is measured next its cores.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.intra_op_num_threads = threads
    options.log_severity_level = _ONLY_ERRORS
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
