"""Networks as other programs run them: ONNX, and OpenVINO's own form. Pure.

Images [batch, 3, S, S], prepared as the model's manifest says, in; ``OUTPUTS`` out: logits [batch, outputs], whose
softmax are the scores, and class activation maps [batch, outputs, h, w]; of networks whose maps only PyTorch computes
the logits alone.
"""

import importlib.util
import io
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from classifier.networks import weights
from classifier.networks.network import MappedClassifier, restore
from classifier.networks.stages import Logits
from classifier.runtimes import openvino_library
from classifier.runtimes.export_files import GRAPH, ONNX, ONNX_FILE, OPENVINO
from skinclinic.files.whole import whole_folder

OUTPUTS = ("logits", "maps")
OPSET = 17


class CannotExport(Exception):
    """What it needs is not installed: ``code`` is stable, the message says what to do."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Exported:
    """``name``: of the model; ``outputs``: what the network gives there; ``library``: what wrote it."""

    name: str
    outputs: tuple[str, ...]
    library: str


def export(
    source: Path, kind: str, target: Path, say: Callable[[float], None] = lambda share: None
) -> Exported:
    """Write the model of a folder into a new folder, as one of ``WRITERS``, with its description.

    ``say`` hears the share that is done, and may end it by raising; nothing is left behind then. Raises CannotExport,
    ModelRejected, OSError.
    """
    manifest, state = weights.load_verified(source)
    say(0.2)
    network = restore(manifest, state).eval().requires_grad_(False)
    say(0.3)
    with whole_folder(target, replace=True) as draft:
        WRITERS[kind](network, manifest.preprocessing.input_size, draft)
        say(0.9)
        shutil.copyfile(source / weights.MANIFEST_FILE, draft / weights.MANIFEST_FILE)
    return Exported(manifest.name, outputs_of(network), _library(kind))


def _library(kind: str) -> str:
    written_by = f"PyTorch {torch.__version__.partition('+')[0]}"
    if kind == OPENVINO:
        return f"OpenVINO {openvino_library.version()}, {written_by}"
    return f"ONNX opset {OPSET}, {written_by}"


def to_onnx(network: nn.Module, input_size: int, outputs: Sequence[str] = OUTPUTS) -> bytes:
    """A network in evaluation mode as an ONNX graph, with these names for what it gives. Raises CannotExport."""
    if importlib.util.find_spec("onnx") is None:
        raise CannotExport(
            "onnx_missing",
            "PyTorch writes ONNX with the package onnx, which is no part of this product. Install it beside it (pip "
            "install onnx), or export for OpenVINO.",
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


def outputs_of(network: MappedClassifier) -> tuple[str, ...]:
    """What a network gives elsewhere: no maps where only PyTorch can compute them."""
    return OUTPUTS if network.behind is None else OUTPUTS[:1]


def _computable(network: MappedClassifier) -> tuple[nn.Module, tuple[str, ...]]:
    """(what can be written of a network, what it gives)."""
    return (network if network.behind is None else Logits(network)), outputs_of(network)


def write_onnx(network: MappedClassifier, input_size: int, folder: Path) -> None:
    """``model.onnx`` in a folder. Raises CannotExport."""
    network, outputs = _computable(network)
    (folder / ONNX_FILE).write_bytes(to_onnx(network, input_size, outputs))


def write_openvino(network: MappedClassifier, input_size: int, folder: Path) -> None:
    """``model.xml`` and ``model.bin`` in a folder, in full precision. Raises CannotExport, OSError."""
    openvino = openvino_library.load()
    if openvino is None:
        raise CannotExport("openvino_missing", "There is no OpenVINO on this machine.")
    network, outputs = _computable(network)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, torch.zeros(1, 3, input_size, input_size), check_trace=False)
        model = openvino.convert_model(traced, input=[openvino.PartialShape([-1, 3, input_size, input_size])])
    model.inputs[0].get_tensor().set_names({"images"})
    for output, name in zip(model.outputs, outputs, strict=True):
        output.get_tensor().set_names({name})
    try:
        openvino.save_model(model, folder / GRAPH, compress_to_fp16=False)
    except RuntimeError as error:
        # What the library says of a disk that takes no more.
        if "iostream" in str(error):
            raise OSError(f"OpenVINO could not write its files: {error}") from error
        raise


WRITERS: dict[str, Callable[[MappedClassifier, int, Path], None]] = {
    ONNX: write_onnx,
    OPENVINO: write_openvino,
}
