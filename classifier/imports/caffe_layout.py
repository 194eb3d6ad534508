"""The layers of the ResNets published for Caffe: names, wiring, settings, and torchvision's names for them."""

from collections.abc import Iterator
from dataclasses import dataclass

from classifier.imports.caffe_graph import INPUT, Graph, Layer

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
LAST_CHANNELS = 2048
LAST_POOLING = "pool5"


@dataclass(frozen=True)
class Unit:
    """A convolution with its normalisation (a BatchNorm and a Scale layer in Caffe).

    ``convolution``, ``norm``: torchvision's names. ``takes``: what the convolution takes, see Layer.inputs.
    """

    name: str
    convolution: str
    norm: str
    takes: str
    channels: tuple[int, int]
    kernel: int
    stride: int

    @property
    def batch_norm(self) -> str:
        """Name of the BatchNorm layer."""
        return "bn_conv1" if self.name == "conv1" else self.name.replace("res", "bn", 1)

    @property
    def scale(self) -> str:
        """Name of the Scale layer."""
        return "scale_conv1" if self.name == "conv1" else self.name.replace("res", "scale", 1)

    @property
    def layers(self) -> dict[str, Layer]:
        """The three layers; eps and the presence of biases are free."""
        convolution = {
            "num_output": self.channels[1],
            "kernel": (self.kernel, self.kernel),
            "stride": (self.stride, self.stride),
            "pad": (self.kernel // 2, self.kernel // 2),
            "dilation": (1, 1),
            "group": 1,
            "axis": 1,
        }
        return {
            self.name: Layer("Convolution", (self.takes,), convolution),
            self.batch_norm: Layer("BatchNorm", (self.name,), {"use_global_stats": True}),
            self.scale: Layer("Scale", (self.batch_norm,), {"axis": 1, "num_axes": 1}),
        }


def units(depth: int) -> Iterator[Unit]:
    """The convolutions of the network with ``depth`` layers, from the input on."""
    yield Unit("conv1", "conv1", "bn1", INPUT, (3, 64), 7, 2)
    for block in _blocks(depth):
        yield from block.units


def layers(depth: int, last: str) -> dict[str, Layer]:
    """All layers up to the last pooling, and the InnerProduct layer ``last``."""
    expected = {name: layer for unit in units(depth) for name, layer in unit.layers.items()}
    first_pooling = {"pool": "MAX", "kernel": (3, 3), "stride": (2, 2), "pad": (0, 0), "round_mode": "CEIL"}
    expected["pool1"] = Layer("Pooling", ("ReLU of scale_conv1",), first_pooling)
    for block in _blocks(depth):
        expected[block.name] = Layer("Eltwise", tuple(sorted(block.sums)), {"operation": "SUM", "coeff": "1"})
    last_pooling = {"pool": "AVE", "pad": (0, 0)}
    expected[LAST_POOLING] = Layer("Pooling", (f"ReLU of {block.name}",), last_pooling)
    expected[last] = Layer("InnerProduct", (LAST_POOLING,), {"axis": 1, "transpose": False})
    return expected


def recognise(graph: Graph) -> int | None:
    """The depth whose convolutions the graph shares most; None if it has no block of any."""
    names = {depth: {unit.name for unit in units(depth)} for depth in BLOCKS}
    # Of two that have as many of its layers, the one with fewer others.
    best = max(names, key=lambda depth: (len(names[depth] & graph.layers.keys()), -len(names[depth])))
    return best if len(names[best] & graph.layers.keys()) > 1 else None


def last_layer(graph: Graph) -> str:
    """Name of the InnerProduct layer that gives the outputs; "fc" if there is none."""
    found = [name for name, layer in graph.layers.items() if layer.kind == "InnerProduct"]
    after_pooling = [name for name in found if graph.layers[name].inputs == (LAST_POOLING,)]
    return (after_pooling or found or ["fc"])[0]


def last_side(input_side: int) -> int:
    """Side of the last feature maps for images of this side."""
    side = (input_side - 1) // 2 + 1  # conv1
    side = -((side - 3) // -2) + 1  # pool1, rounded up
    for _stage in range(3):
        side = (side - 1) // 2 + 1
    return side


@dataclass(frozen=True)
class _Block:
    name: str
    units: tuple[Unit, ...]
    sums: tuple[str, str]


def _blocks(depth: int) -> Iterator[_Block]:
    takes, inputs = "pool1", 64
    for stage, count in enumerate(BLOCKS[depth], start=2):
        narrow = 32 * 2 ** (stage - 1)
        wide = 4 * narrow
        for index in range(count):
            name = f"res{stage}{_letter(depth, stage, index)}"
            stride = 2 if index == 0 and stage > 2 else 1
            block = _block(
                name, f"layer{stage - 1}.{index}", takes, (inputs, narrow, wide), stride, index == 0
            )
            yield block
            takes, inputs = f"ReLU of {name}", wide


def _letter(depth: int, stage: int, index: int) -> str:
    """Blocks are lettered, but in the long stages numbered: a, b1, b2 ..."""
    if depth == 50 or stage in (2, 5):
        return "abcdef"[index]
    return f"b{index}" if index else "a"


def _block(
    name: str, place: str, takes: str, channels: tuple[int, int, int], stride: int, is_first: bool
) -> _Block:
    inputs, narrow, wide = channels
    scale = name.replace("res", "scale", 1)
    rows = [
        ("branch2a", "conv1", "bn1", takes, (inputs, narrow), 1, stride),
        ("branch2b", "conv2", "bn2", f"ReLU of {scale}_branch2a", (narrow, narrow), 3, 1),
        ("branch2c", "conv3", "bn3", f"ReLU of {scale}_branch2b", (narrow, wide), 1, 1),
    ]
    if is_first:
        rows.append(("branch1", "downsample.0", "downsample.1", takes, (inputs, wide), 1, stride))
    made = tuple(
        Unit(f"{name}_{branch}", f"{place}.{convolution}", f"{place}.{norm}", given, sizes, kernel, steps)
        for branch, convolution, norm, given, sizes, kernel, steps in rows
    )
    return _Block(name, made, (f"{scale}_branch2c", f"{scale}_branch1" if is_first else takes))
