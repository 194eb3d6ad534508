"""Networks as other programs run them: ONNX, and OpenVINO's own form. Pure.

Images [batch, 3, S, S], prepared as the model's manifest says, in; ``OUTPUTS`` out: logits [batch, outputs], whose
softmax are the scores, and class activation maps [batch, outputs, h, w].
"""

import importlib.util
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from classifier.runtimes import openvino_library

OUTPUTS = ("logits", "maps")
OPSET = 17
ONNX, OPENVINO = "onnx", "openvino"


class CannotExport(Exception):
    """What it needs is not installed; the message says what to do."""


def to_onnx(network: nn.Module, input_size: int, outputs: Sequence[str] = OUTPUTS) -> bytes:
    """A network in evaluation mode as an ONNX graph, with these names for what it gives. Raises CannotExport."""
    if importlib.util.find_spec("onnx") is None:
        raise CannotExport(
            "PyTorch writes ONNX with the package onnx, which is no part of this product. Install it beside it (pip "
            "install onnx), or export for OpenVINO."
        )
    names = ["images", *outputs]
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


def write_onnx(network: nn.Module, input_size: int, folder: Path) -> None:
    """``model.onnx`` in a folder. Raises CannotExport."""
    (folder / "model.onnx").write_bytes(to_onnx(network, input_size))


def write_openvino(network: nn.Module, input_size: int, folder: Path) -> None:
    """``model.xml`` and ``model.bin`` in a folder, in full precision. Raises CannotExport."""
    openvino = openvino_library.load()
    if openvino is None:
        raise CannotExport("There is no OpenVINO on this machine.")
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, torch.zeros(1, 3, input_size, input_size), check_trace=False)
        model = openvino.convert_model(traced, input=[openvino.PartialShape([-1, 3, input_size, input_size])])
    model.inputs[0].get_tensor().set_names({"images"})
    for output, name in zip(model.outputs, OUTPUTS, strict=True):
        output.get_tensor().set_names({name})
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)


WRITERS: dict[str, Callable[[nn.Module, int, Path], None]] = {
    ONNX: write_onnx,
    OPENVINO: write_openvino,
}
