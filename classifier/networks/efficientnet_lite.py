"""EfficientNet-Lite: EfficientNet (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation.

The Lite variants use ReLU6, keep the stem and the top at one width in every size, and do not repeat the
first and last stages more often in larger sizes. Convolutions with stride pad the way TensorFlow's SAME
does (more at the bottom and right), because the public ImageNet weights were trained so.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

_TOP_CHANNELS = 1280
_STEM_CHANNELS = 32


@dataclass(frozen=True)
class Scale:
    """One size of the family: multipliers of channels and of repeats of stages."""

    width: float
    depth: float


@dataclass(frozen=True)
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class SameConv2d(nn.Conv2d):
    """A convolution without bias whose output side is ceil(input side / stride), padded like TensorFlow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        # Stride 1 pads alike on all sides, which the convolution does itself.
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, ceil(H/stride), ceil(W/stride)]."""
        if self.stride[0] > 1:
            top, bottom = self._before_and_after(x.shape[2])
            left, right = self._before_and_after(x.shape[3])
            x = functional.pad(x, (left, right, top, bottom))
        return super().forward(x)

    def _before_and_after(self, side: int) -> tuple[int, int]:
        kernel, stride = self.kernel_size[0], self.stride[0]
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        return total // 2, total - total // 2


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, filter each channel, narrow again; add the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        layers: dict[str, nn.Module] = {}
        if expansion > 1:
            layers |= {"expand_conv": SameConv2d(inputs, wide, 1), "expand_norm": _norm(wide)}
            layers |= {"expand_act": nn.ReLU6(inplace=True)}
        layers |= {
            "depthwise_conv": SameConv2d(wide, wide, kernel, stride, groups=wide),
            "depthwise_norm": _norm(wide),
            "depthwise_act": nn.ReLU6(inplace=True),
            "project_conv": SameConv2d(wide, outputs, 1),
            "project_norm": _norm(outputs),
        }
        self.layers = nn.Sequential()
        for name, layer in layers.items():
            self.layers.add_module(name, layer)
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, ceil(H/stride), ceil(W/stride)]."""
        out = self.layers(x)
        return x + out if self.adds_input else out


class EfficientNetLite(nn.Module):
    """The network up to its last feature maps: [N, 3, S, S] -> [N, 1280, ceil(S/32), ceil(S/32)]."""

    def __init__(self, scale: Scale):
        super().__init__()
        self.stem = nn.Sequential(
            SameConv2d(3, _STEM_CHANNELS, 3, 2), _norm(_STEM_CHANNELS), nn.ReLU6(inplace=True)
        )
        self.blocks = nn.Sequential(*_blocks(scale))
        last = _scaled_channels(_STAGES[-1].channels, scale.width)
        self.top = nn.Sequential(
            SameConv2d(last, _TOP_CHANNELS, 1), _norm(_TOP_CHANNELS), nn.ReLU6(inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the last feature maps of images [N, 3, S, S]."""
        return self.top(self.blocks(self.stem(x)))


def build(width: float, depth: float) -> EfficientNetLite:
    """Return the network with these multipliers of channels and of repeats, up to its last feature maps."""
    return EfficientNetLite(Scale(width, depth))


def _blocks(scale: Scale) -> list[InvertedResidual]:
    blocks, inputs = [], _STEM_CHANNELS
    for index, stage in enumerate(_STAGES):
        fixed = index in (0, len(_STAGES) - 1)
        outputs = _scaled_channels(stage.channels, scale.width)
        for repeat in range(stage.repeats if fixed else math.ceil(stage.repeats * scale.depth)):
            stride = stage.stride if repeat == 0 else 1
            blocks.append(InvertedResidual(inputs, outputs, stage.kernel, stride, stage.expansion))
            inputs = outputs
    return blocks


def _scaled_channels(channels: int, width: float) -> int:
    """Scale to a multiple of 8, never more than a tenth below the exact product."""
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


_IMAGENET_NAMES = (
    (r"_conv_stem\.", "stem.0."),
    (r"_bn0\.", "stem.1."),
    (r"_conv_head\.", "top.0."),
    (r"_bn1\.", "top.1."),
    (r"_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.layers.expand_conv."),
    (r"_blocks\.(\d+)\._bn0\.", r"blocks.\1.layers.expand_norm."),
    (r"_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.layers.depthwise_conv."),
    (r"_blocks\.(\d+)\._bn1\.", r"blocks.\1.layers.depthwise_norm."),
    (r"_blocks\.(\d+)\._project_conv\.", r"blocks.\1.layers.project_conv."),
    (r"_blocks\.(\d+)\._bn2\.", r"blocks.\1.layers.project_norm."),
)


def split_imagenet(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split the public ImageNet state dict into (backbone, last layer as ``weight`` and ``bias``).

    The public files name parameters ``_conv_stem``, ``_blocks.N._expand_conv``, ``_fc``; a name of another
    kind is kept as it is, so that loading reports it.
    """
    backbone, last = {}, {}
    for name, value in state.items():
        if name.startswith("_fc."):
            last[name.removeprefix("_fc.")] = value
        else:
            backbone[_own_name(name)] = value
    return backbone, last


def _own_name(public_name: str) -> str:
    for pattern, replacement in _IMAGENET_NAMES:
        if match := re.match(pattern, public_name):
            return match.expand(replacement) + public_name[match.end() :]
    return public_name
