"""A ResNet trained with Caffe (prototxt and caffemodel) as parameters of our networks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from classifier.imports import caffe_layout, caffemodel, prototxt
from classifier.imports.caffe_graph import Graph, Layer, read_graph
from classifier.imports.caffemodel import Blob
from classifier.imports.parts import Parts
from classifier.networks.manifest import ModelRejected

# What torch.nn.BatchNorm2d adds to the variance in these networks.
EPS = 1e-5
USUAL_SIDE = 224


@dataclass(frozen=True)
class CaffeResNet:
    """``architecture``: ours. ``input_size``: side of the images in pixels. ``parts``: its parameters."""

    architecture: str
    input_size: int
    parts: Parts


def read_caffe_resnet(prototxt_file: Path, caffemodel_file: Path) -> CaffeResNet:
    """Read a network in the layout of the published ResNet-50, 101 or 152, with any number of outputs.

    Raises ModelRejected, naming every layer that is missing, extra, of another shape or not as it must be.
    """
    return convert(read_graph(prototxt.read(prototxt_file)), caffemodel.read(caffemodel_file))


def convert(graph: Graph, blobs: Mapping[str, list[Blob]]) -> CaffeResNet:
    """The same for what was read from the two files."""
    depth = caffe_layout.recognise(graph)
    if depth is None:
        raise ModelRejected(
            "layers_do_not_fit",
            "The prototxt is not a ResNet as published for Caffe: it has no layers like res2a_branch2a. "
            "Give the deploy prototxt of a ResNet-50, 101 or 152.",
        )
    last = caffe_layout.last_layer(graph)
    side = _input_side(graph)
    shapes = _shapes(graph, depth, last)
    problems = [
        *_graph_problems(graph, caffe_layout.layers(depth, last), side),
        *_blob_problems(shapes, blobs),
    ]
    if not problems:
        backbone: dict[str, Tensor] = {}
        for unit in caffe_layout.units(depth):
            eps = graph.layers[unit.batch_norm].settings["eps"]
            backbone |= _converted(unit, eps, blobs)
        weight, bias = _weight_and_bias(blobs[last], shapes[last][0])
        parts = Parts(backbone, _tensor(weight), _tensor(bias))
        problems = parts.problems()
    if problems:
        raise ModelRejected(
            "layers_do_not_fit",
            f"The files do not hold a ResNet-{depth} as published for Caffe.\n  "
            + ".\n  ".join(problems)
            + ".",
        )
    return CaffeResNet(f"resnet{depth}-caffe", side, parts)


def _input_side(graph: Graph) -> int:
    return graph.input_dims[-1] if graph.input_dims else USUAL_SIDE


def _graph_problems(graph: Graph, expected: Mapping[str, Layer], side: int) -> list[str]:
    # Scores are ours to take; one softmax over the last layer is what we do ourselves.
    found = {name: layer for name, layer in graph.layers.items() if layer.kind != "Softmax"}
    problems = [f"In the prototxt, {problem}" for problem in graph.problems]
    problems += _named("Layers missing in the prototxt", expected.keys() - found.keys())
    problems += _named("Layers in the prototxt that do not belong there", found.keys() - expected.keys())
    different = []
    for name, layer in expected.items():
        if name in found:
            different += [f"{name} {reason}" for reason in _differences(layer, found[name])]
    if different:
        problems.append("Layers in the prototxt that are not as they must be: " + ", ".join(different))
    if graph.input_dims and (len(graph.input_dims) != 4 or graph.input_dims[1:] != (3, side, side)):
        problems.append(f"The input is {caffemodel.in_words(graph.input_dims)}, not square with 3 channels")
    elif not 32 <= side <= 1024:
        problems.append(f"The input is {side} pixels wide, which must be from 32 to 1024")
    elif pooling := found.get(caffe_layout.LAST_POOLING):
        problems += _pooling_problems(pooling.settings, caffe_layout.last_side(side))
    return problems


def _differences(expected: Layer, found: Layer) -> list[str]:
    if found.kind != expected.kind:
        return [f"is a {found.kind or 'nameless'} layer, must be {expected.kind}"]
    reasons = []
    if found.inputs != expected.inputs:
        reasons.append(
            f"takes {' and '.join(found.inputs) or 'nothing'}, must take {' and '.join(expected.inputs)}"
        )
    for key, value in expected.settings.items():
        if found.settings[key] != value:
            reasons.append(f"has {key} {_in_words(found.settings[key])}, must have {_in_words(value)}")
    return reasons


def _in_words(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _pooling_problems(settings: Mapping[str, Any], side: int) -> list[str]:
    kernel = settings.get("kernel")
    if settings.get("global_pooling") or kernel in (None, (side, side)):
        return []
    return [
        f"{caffe_layout.LAST_POOLING} averages {_in_words(kernel)} of {side}x{side}, must average the whole"
    ]


def _shapes(graph: Graph, depth: int, last: str) -> dict[str, list[tuple[int, ...]]]:
    """The shapes of every layer's blobs."""

    def has_bias(name: str, default: bool) -> bool:
        return bool(name in graph.layers and graph.layers[name].settings.get("bias_term", default))

    shapes: dict[str, list[tuple[int, ...]]] = {}
    for unit in caffe_layout.units(depth):
        inputs, outputs = unit.channels
        bias = [(outputs,)] if has_bias(unit.name, False) else []
        shapes[unit.name] = [(outputs, inputs, unit.kernel, unit.kernel), *bias]
        shapes[unit.batch_norm] = [(outputs,), (outputs,), (1,)]
        shapes[unit.scale] = [(outputs,)] * (2 if has_bias(unit.scale, True) else 1)
    if last in graph.layers and graph.layers[last].kind == "InnerProduct":
        outputs = graph.layers[last].settings["num_output"]
        bias = [(outputs,)] if has_bias(last, True) else []
        shapes[last] = [(outputs, caffe_layout.LAST_CHANNELS), *bias]
    return shapes


def _blob_problems(shapes: Mapping[str, list[tuple[int, ...]]], blobs: Mapping[str, list[Blob]]) -> list[str]:
    problems = _named("Layers missing in the caffemodel", shapes.keys() - blobs.keys())
    problems += _named("Layers in the caffemodel that do not belong there", blobs.keys() - shapes.keys())
    misfits = []
    for name in shapes:
        if name not in blobs:
            continue
        if len(blobs[name]) != len(shapes[name]):
            misfits.append(f"{name} has {len(blobs[name])} blobs, needs {len(shapes[name])}")
            continue
        for number, (blob, shape) in enumerate(zip(blobs[name], shapes[name], strict=True)):
            if reason := blob.misfit(shape):
                misfits.append(f"{name} (blob {number}) {reason}")
    return [*problems, *_named("Layers of another shape in the caffemodel", misfits)]


def _named(what: str, names: Collection[str]) -> list[str]:
    return [f"{what}: {', '.join(sorted(names))}"] if names else []


def _converted(unit: caffe_layout.Unit, eps: float, blobs: Mapping[str, list[Blob]]) -> dict[str, Tensor]:
    """The parameters of one convolution and its normalisation under torchvision's names.

    Caffe keeps sums of means and variances with the factor they are to be divided by (0: they count as 0).
    A bias of the convolution is taken from the mean, and another eps is put into the variance, which changes
    nothing in what is computed.
    """
    inputs, outputs = unit.channels
    kernel, bias = _weight_and_bias(blobs[unit.name], (outputs, inputs, unit.kernel, unit.kernel))
    gamma, beta = _weight_and_bias(blobs[unit.scale], (outputs,))
    mean, variance, factor = (blob.values.astype(np.float64) for blob in blobs[unit.batch_norm])
    with np.errstate(all="ignore"):
        gain = 1 / factor[0] if factor[0] else 0.0
        spread = variance * gain + eps
        # What has no square root is no number, and is found by the check of all parameters.
        spread = np.where(spread > 0, spread, np.nan)
        mean = mean * gain - bias
    return {
        f"{unit.convolution}.weight": _tensor(kernel),
        f"{unit.norm}.weight": _tensor(gamma),
        f"{unit.norm}.bias": _tensor(beta),
        f"{unit.norm}.running_mean": _tensor(mean),
        f"{unit.norm}.running_var": _tensor(spread - EPS),
        f"{unit.norm}.num_batches_tracked": torch.tensor(0),
    }


def _weight_and_bias(blobs: list[Blob], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A layer's weights [outputs, ...] and its bias [outputs], which is 0 where there is none."""
    bias = blobs[1].values if len(blobs) > 1 else np.zeros(shape[0], np.float32)
    return blobs[0].values.reshape(shape), bias


def _tensor(values: np.ndarray) -> Tensor:
    with np.errstate(all="ignore"):
        return torch.from_numpy(np.array(values, dtype=np.float32))
