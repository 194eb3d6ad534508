"""A ResNet in Caffe's files, made here from nothing of the importer's: prototxt text, caffemodel bytes by the
protobuf package, and every layer computed in plain numpy by Caffe's rules."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_SHORT = list("abc")
BLOCK_NAMES = {
    50: [_SHORT, list("abcd"), list("abcdef"), _SHORT],
    101: [_SHORT, ["a", "b1", "b2", "b3"], ["a", *(f"b{n}" for n in range(1, 23))], _SHORT],
    152: [_SHORT, ["a", *(f"b{n}" for n in range(1, 8))], ["a", *(f"b{n}" for n in range(1, 36))], _SHORT],
}
SIDE = 224


@dataclass
class Layer:
    """``params``: the settings as written in the prototxt, {"convolution_param": {"num_output": 64 ...}}.
    ``inputs``: channels of what a convolution, normalisation or inner product takes."""

    name: str
    kind: str
    bottoms: list[str]
    top: str
    params: dict[str, dict] = field(default_factory=dict)
    inputs: int = 0

    @property
    def settings(self) -> dict:
        return next(iter(self.params.values()), {})

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the layer's blobs."""
        p = self.settings
        if self.kind == "Convolution":
            shape = (p["num_output"], self.inputs, p["kernel_size"], p["kernel_size"])
            return [shape, shape[:1]] if p.get("bias_term", True) else [shape]
        if self.kind == "BatchNorm":
            return [(self.inputs,), (self.inputs,), (1,)]
        if self.kind == "Scale":
            return [(self.inputs,)] * (2 if p.get("bias_term") else 1)
        if self.kind == "InnerProduct":
            return [(p["num_output"], self.inputs), (p["num_output"],)]
        return []


def layers(depth: int, outputs: int) -> list[Layer]:
    """The published network: normalisation, scale and ReLU in place; conv1 of the shallowest has a bias."""
    made: list[Layer] = []

    def add(name, kind, bottoms, top, inputs=0, **params):
        made.append(Layer(name, kind, bottoms, top, params, inputs))

    def convolution(name, bottom, inputs, out, kernel, stride, pad, *, bias=False, relu=True):
        settings = {"num_output": out, "kernel_size": kernel, "pad": pad, "stride": stride}
        settings |= {} if bias else {"bias_term": False}
        add(name, "Convolution", [bottom], name, inputs, convolution_param=settings)
        tail = "_conv1" if name == "conv1" else name.removeprefix("res")
        add(f"bn{tail}", "BatchNorm", [name], name, out, batch_norm_param={"use_global_stats": True})
        add(f"scale{tail}", "Scale", [name], name, out, scale_param={"bias_term": True})
        if relu:
            add(f"{name}_relu", "ReLU", [name], name)

    convolution("conv1", "data", 3, 64, 7, 2, 3, bias=depth == 50)
    add("pool1", "Pooling", ["conv1"], "pool1", pooling_param={"kernel_size": 3, "stride": 2, "pool": "MAX"})
    bottom, inputs = "pool1", 64
    for stage, blocks in enumerate(BLOCK_NAMES[depth], start=2):
        narrow = {2: 64, 3: 128, 4: 256, 5: 512}[stage]
        for block in blocks:
            name = f"res{stage}{block}"
            stride = 2 if block == "a" and stage > 2 else 1
            shortcut = bottom
            if block == "a":
                shortcut = f"{name}_branch1"
                convolution(shortcut, bottom, inputs, 4 * narrow, 1, stride, 0, relu=False)
            convolution(f"{name}_branch2a", bottom, inputs, narrow, 1, stride, 0)
            convolution(f"{name}_branch2b", f"{name}_branch2a", narrow, narrow, 3, 1, 1)
            convolution(f"{name}_branch2c", f"{name}_branch2b", narrow, 4 * narrow, 1, 1, 0, relu=False)
            add(name, "Eltwise", [shortcut, f"{name}_branch2c"], name)
            add(f"{name}_relu", "ReLU", [name], name)
            bottom, inputs = name, 4 * narrow
    add("pool5", "Pooling", [bottom], "pool5", pooling_param={"kernel_size": 7, "stride": 1, "pool": "AVE"})
    add("fc_skin", "InnerProduct", ["pool5"], "fc_skin", 2048, inner_product_param={"num_output": outputs})
    add("prob", "Softmax", ["fc_skin"], "prob")
    return made


def prototxt(net: list[Layer], side: int = SIDE) -> str:
    """The deploy text, with comments and in the loose style such files have."""
    lines = ['name: "ResNet" # made for tests', 'input: "data"']
    lines += [f"input_dim: {size}" for size in (1, 3, side, side)]
    for layer in net:
        lines += ["layer {", *(f'\tbottom: "{bottom}"' for bottom in layer.bottoms), f'\ttop: "{layer.top}"']
        lines += [f'\tname: "{layer.name}"', f"\ttype: '{layer.kind}'"]
        for name, values in layer.params.items():
            lines += [f"\t{name} {{", *(f"\t\t{key}: {_text(value)}" for key, value in values.items()), "\t}"]
        lines += ["}", ""]
    return "\n".join(lines)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# {layer name: its blobs in float64, exact in float32}
Blobs = dict[str, list[np.ndarray]]


def forward(
    net: list[Layer],
    blobs: Blobs,
    images: np.ndarray,
    prepare: Callable[[Layer, np.ndarray], None] | None = None,
) -> dict[str, np.ndarray]:
    """Run the network by Caffe's rules in float64: {layer name: its output}.

    ``prepare(layer, input)`` is called before each layer and may fill in its blobs.
    """
    tops, outputs = {"data": images.astype(np.float64)}, {}
    for layer in net:
        values = [tops[bottom] for bottom in layer.bottoms]
        if prepare:
            prepare(layer, values[0])
        made = _RULES[layer.kind](layer.settings, blobs.get(layer.name, []), *values)
        outputs[layer.name] = tops[layer.top] = made
    return outputs


def _convolution(p, blobs, x):
    kernel, stride, pad = p["kernel_size"], p["stride"], p["pad"]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    y = np.tensordot(windows, blobs[0], ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
    return y + blobs[1][:, None, None] if len(blobs) > 1 else y


def _batch_norm(p, blobs, x):
    mean, variance, factor = blobs
    scale = 0 if factor[0] == 0 else 1 / factor[0]
    mean, variance = mean * scale, variance * scale
    return (x - mean[:, None, None]) / np.sqrt(variance + p.get("eps", 1e-5))[:, None, None]


def _scale(_p, blobs, x):
    y = x * blobs[0][:, None, None]
    return y + blobs[1][:, None, None] if len(blobs) > 1 else y


def _pooling(p, _blobs, x):
    kernel, stride = p["kernel_size"], p["stride"]
    out = math.ceil((x.shape[2] - kernel) / stride) + 1
    y = np.empty((*x.shape[:2], out, out))
    for row in range(out):
        for column in range(out):
            # A slice ends at the edge by itself, as a window does in Caffe.
            top, left = row * stride, column * stride
            window = x[:, :, top : top + kernel, left : left + kernel]
            y[:, :, row, column] = window.max((2, 3)) if p["pool"] == "MAX" else window.mean((2, 3))
    return y


def _softmax(_p, _blobs, x):
    powers = np.exp(x - x.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


_RULES = {
    "Convolution": _convolution,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "ReLU": lambda _p, _blobs, x: np.maximum(x, 0),
    "Pooling": _pooling,
    "Eltwise": lambda _p, _blobs, x, y: x + y,
    "InnerProduct": lambda _p, blobs, x: x.reshape(len(x), -1) @ blobs[0].T + blobs[1],
    "Softmax": _softmax,
}


def lively_blobs(
    net: list[Layer], images: np.ndarray, factors: dict[str, float], seed: int = 0
) -> tuple[Blobs, dict[str, np.ndarray]]:
    """Random numbers with which the network answers differently to these images, and every layer's output.

    Normalisation is fitted to them on the way. ``factors``: moving-average factors by layer, else a random
    one. With a factor of 0, by which Caffe takes mean and variance as 0, they hold what must not be used.
    """
    random = np.random.default_rng(seed)
    blobs: Blobs = {}

    def prepare(layer: Layer, x: np.ndarray) -> None:
        shapes = layer.shapes
        if layer.kind in ("Convolution", "InnerProduct"):
            strength = 3 if layer.kind == "InnerProduct" else 1
            made = [random.normal(0, strength / math.sqrt(math.prod(shapes[0][1:])), shapes[0])]
            made += [random.normal(0, 0.5, shape) for shape in shapes[1:]]
        elif layer.kind == "BatchNorm":
            factor = factors.get(layer.name, float(random.uniform(0.2, 999)))
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3)) + 1e-3
            made = [mean * (factor or 7), variance * (factor or 7), np.array([factor])]
        elif layer.kind == "Scale":
            # At the end of a branch small, as in trained networks; what was not normalised is made so.
            strength = (0.3 if layer.name.endswith("branch2c") else 1) / max(x.std(), 1)
            made = [random.uniform(0.5, 1.5, shapes[0]) * strength]
            made += [random.normal(0, 0.2, shape) for shape in shapes[1:]]
        else:
            return
        blobs[layer.name] = [np.float64(np.float32(values)) for values in made]

    return blobs, forward(net, blobs, images, prepare)


def constant_blobs(net: list[Layer]) -> Blobs:
    """Ones of the right shapes, which take no memory."""
    one = np.float32(1)
    return {
        layer.name: [np.broadcast_to(one, shape) for shape in layer.shapes] for layer in net if layer.shapes
    }


def _messages() -> dict[str, type]:
    """Message classes for the part of Caffe's format that is needed, made in code.

    What lies inside a message is declared as bytes, so that it can be written in several ways.
    """
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="caffe_for_tests.proto", package="caffe_for_tests")

    def message(name, *fields, packed=True):
        made = file.message_type.add(name=name)
        for number, field_name, kind, repeated in fields:
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            one = made.field.add(name=field_name, number=number, label=label, type=kind)
            if repeated and kind not in (kinds.TYPE_BYTES, kinds.TYPE_STRING):
                one.options.packed = packed

    number, text, inner = kinds.TYPE_INT32, kinds.TYPE_STRING, kinds.TYPE_BYTES
    sides = [
        (place, name, number, False) for place, name in enumerate(("num", "channels", "height", "width"), 1)
    ]
    blob = [
        (5, "data", kinds.TYPE_FLOAT, True),
        (6, "diff", kinds.TYPE_FLOAT, True),
        (7, "shape", inner, False),
        (8, "double_data", kinds.TYPE_DOUBLE, True),
    ]
    message("Shape", (1, "dim", kinds.TYPE_INT64, True))
    message("Blob", *sides, *blob)
    message("UnpackedShape", (1, "dim", kinds.TYPE_INT64, True), packed=False)
    message("UnpackedBlob", *sides, *blob, packed=False)
    message(
        "Layer",
        (1, "name", text, False),
        (2, "type", text, False),
        (3, "bottom", text, True),
        (4, "top", text, True),
        (7, "blobs", inner, True),
        (10, "phase", number, False),
    )
    message("OldLayer", (4, "name", text, False), (5, "type", number, False), (6, "blobs", inner, True))
    message("Net", (1, "name", text, False), (2, "layers", inner, True), (100, "layer", inner, True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        made.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe_for_tests.{made.name}"))
        for made in file.message_type
    }


MESSAGES = _messages()


def blob_bytes(values: np.ndarray, style: str = "plain") -> bytes:
    """A blob as Caffe writes it ("plain"), or "legacy" (four sides), "double", "unpacked", "with diff"."""
    prefix = "Unpacked" if style == "unpacked" else ""
    blob = MESSAGES[f"{prefix}Blob"]()
    if style == "legacy":
        blob.num, blob.channels, blob.height, blob.width = (1,) * (4 - values.ndim) + values.shape
    else:
        blob.shape = MESSAGES[f"{prefix}Shape"](dim=values.shape).SerializeToString()
    (blob.double_data if style == "double" else blob.data).extend(values.reshape(-1))
    if style == "with diff":
        blob.diff.extend(np.full(values.size, 9.0))
    return blob.SerializeToString()


def caffemodel(net: list[Layer], blobs: Blobs, styles: dict[str, str] | None = None) -> bytes:
    """The file's bytes; ``styles``: how the blobs of a layer are written, see `blob_bytes`."""
    model = MESSAGES["Net"](name="ResNet")
    for layer in [Layer("data", "ImageData", [], "data"), *net]:
        style = (styles or {}).get(layer.name, "plain")
        written = [blob_bytes(values, style) for values in blobs.get(layer.name, [])]
        made = MESSAGES["Layer"](
            name=layer.name, type=layer.kind, bottom=layer.bottoms, top=[layer.top], blobs=written, phase=1
        )
        model.layer.append(made.SerializeToString())
    return model.SerializeToString()


def write(folder: Path, net: list[Layer], blobs: Blobs, styles=None) -> tuple[Path, Path]:
    """Write deploy.prototxt and net.caffemodel; return their paths."""
    text, model = folder / "deploy.prototxt", folder / "net.caffemodel"
    text.write_text(prototxt(net))
    model.write_bytes(caffemodel(net, blobs, styles))
    return text, model
