"""What a prototxt computes: its layers, what each takes, and their settings with Caffe's defaults filled in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from classifier.imports.prototxt import Message

INPUT = "the input"


@dataclass(frozen=True)
class Layer:
    """``inputs``: names of the layers whose outputs it takes, sorted; after a ReLU "ReLU of NAME"."""

    kind: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """``input_dims``: the shape of the input, () if not given. ``problems``: what cannot be used, in words."""

    input_dims: tuple[int, ...] = ()
    layers: dict[str, Layer] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_graph(net: Message) -> Graph:
    """Follow the layers of a deploy prototxt in their order. Raises ModelRejected for values of a wrong kind.

    Layers that only shape the training are left out; ReLU, dropout and splitting become part of the names
    of what later layers take.
    """
    graph = Graph()
    makers: dict[str, str] = dict.fromkeys(net.words("input"), INPUT)
    graph.input_dims = tuple(net.wholes("input_dim") or net.message("input_shape").wholes("dim"))
    if net.messages("layers"):
        graph.problems.append(
            "it has layers of the older kind; bring it up to date with Caffe's upgrade_net_proto_text"
        )
    for message in net.messages("layer"):
        if not _only_for_training(message):
            _add(graph, makers, message)
    return graph


def _only_for_training(message: Message) -> bool:
    included = {rule.word("phase") for rule in message.messages("include")}
    excluded = {rule.word("phase") for rule in message.messages("exclude")}
    return included == {"TRAIN"} or "TEST" in excluded


def _add(graph: Graph, makers: dict[str, str], message: Message) -> None:
    name, kind = message.word("name"), message.word("type")
    tops, bottoms = message.words("top"), message.words("bottom")
    if kind == "Input":
        makers |= dict.fromkeys(tops, INPUT)
        dims = message.message("input_param").message("shape").wholes("dim")
        graph.input_dims = graph.input_dims or tuple(dims)
        return
    if unknown := [bottom for bottom in bottoms if bottom not in makers]:
        graph.problems.append(f"{name} takes {', '.join(unknown)}, which no layer before it gives")
    inputs = tuple(sorted(makers.get(bottom, bottom) for bottom in bottoms))
    if kind in ("Dropout", "Split") and len(inputs) == 1:
        made = inputs[0]
    elif kind == "ReLU" and len(inputs) == 1:
        made = f"ReLU of {inputs[0]}"
        if message.message("relu_param").number("negative_slope", 0):
            graph.problems.append(f"{name} lets negative values through (negative_slope)")
    else:
        made = name
        if name in graph.layers:
            graph.problems.append(f"there are two layers named {name}")
        settings = _SETTINGS[kind](message) if kind in _SETTINGS else {}
        graph.layers[name] = Layer(kind, inputs, settings)
    makers |= dict.fromkeys(tops, made)


def _sides(message: Message, name: str, default: int, prefix: str = "") -> tuple[int, int]:
    """Height and width, which may be given as one number, two, or under names like ``prefix``_h."""
    height, width = f"{prefix or name}_h", f"{prefix or name}_w"
    if message.words(height) or message.words(width):
        return message.whole(height, default), message.whole(width, default)
    values = message.wholes(name) or [default]
    return values[0], values[-1]


def _convolution(layer: Message) -> dict[str, Any]:
    values = layer.message("convolution_param")
    return {
        "num_output": values.whole("num_output", 0),
        "kernel": _sides(values, "kernel_size", 0, "kernel"),
        "stride": _sides(values, "stride", 1),
        "pad": _sides(values, "pad", 0),
        "dilation": _sides(values, "dilation", 1),
        "group": values.whole("group", 1),
        "axis": values.whole("axis", 1),
        "bias_term": values.flag("bias_term", True),
    }


def _pooling(layer: Message) -> dict[str, Any]:
    values = layer.message("pooling_param")
    return {
        "pool": values.word("pool", "MAX"),
        "kernel": _sides(values, "kernel_size", 0, "kernel"),
        "stride": _sides(values, "stride", 1),
        "pad": _sides(values, "pad", 0),
        "round_mode": values.word("round_mode", "CEIL"),
        "global_pooling": values.flag("global_pooling", False),
    }


def _batch_norm(layer: Message) -> dict[str, Any]:
    values = layer.message("batch_norm_param")
    return {
        "use_global_stats": values.flag("use_global_stats", True),
        "eps": values.number("eps", 1e-5),
    }


def _scale(layer: Message) -> dict[str, Any]:
    values = layer.message("scale_param")
    return {
        "axis": values.whole("axis", 1),
        "num_axes": values.whole("num_axes", 1),
        "bias_term": values.flag("bias_term", False),
    }


def _eltwise(layer: Message) -> dict[str, Any]:
    values = layer.message("eltwise_param")
    others = sorted(set(values.words("coeff")) - {"1", "1.0"})
    return {"operation": values.word("operation", "SUM"), "coeff": " and ".join(others) or "1"}


def _inner_product(layer: Message) -> dict[str, Any]:
    values = layer.message("inner_product_param")
    return {
        "num_output": values.whole("num_output", 0),
        "axis": values.whole("axis", 1),
        "transpose": values.flag("transpose", False),
        "bias_term": values.flag("bias_term", True),
    }


def _softmax(layer: Message) -> dict[str, Any]:
    return {"axis": layer.message("softmax_param").whole("axis", 1)}


_SETTINGS: dict[str, Callable[[Message], dict[str, Any]]] = {
    "Convolution": _convolution,
    "Pooling": _pooling,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "Eltwise": _eltwise,
    "InnerProduct": _inner_product,
    "Softmax": _softmax,
}
