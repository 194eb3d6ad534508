"""Layers that stand between pooling and the last, linear one: what each does to a pooled vector, and its derivative in
closed form, so that maps stay Grad-CAM's exactly.

With pooled features m, z = tail(m) and logits W z + b, the gradient of a logit by a feature map is W_k dz/dm / (h*w),
the same at every place. Only this product of a row with the tail's Jacobian is needed; it goes back layer by layer.
"""

import math
from collections.abc import Callable
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional


class NoClosedForm(ValueError):
    """An end of a network whose derivative is not known here; the message names what stands in the way."""


class Layer:
    """One step of a tail. Parameters stay those of the module it was made from. ``name``: what kind of step."""

    name: str

    def forward(self, x: Tensor) -> Tensor:
        """Vectors [N, C] -> [N, D]."""
        raise NotImplementedError

    def back(self, rows: Tensor, x: Tensor) -> Tensor:
        """Rows [N or 1, K, D] times the Jacobian at ``x`` [N, C] -> [N or 1, K, C]."""
        raise NotImplementedError


class _Linear(Layer):
    name = "a linear layer"

    def __init__(self, module: nn.Linear | nn.Conv2d):
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        bias = self.module.bias
        weight = self.module.weight.flatten(1).to(x.dtype)
        return functional.linear(x, weight, None if bias is None else bias.to(x.dtype))

    def back(self, rows: Tensor, x: Tensor) -> Tensor:
        return rows @ self.module.weight.flatten(1).to(x.dtype)


class _LayerNorm(Layer):
    """y = w * u + b with u = (x - mean) / s, s = sqrt(var + eps); dy/dx = w / s * (1 - 1/C - u u^T / C)."""

    name = "layer normalisation"

    def __init__(self, module: nn.LayerNorm):
        self.module = module

    def _standard(self, x: Tensor) -> tuple[Tensor, Tensor]:
        centred = x - x.mean(dim=1, keepdim=True)
        spread = (centred.square().mean(dim=1, keepdim=True) + self.module.eps).sqrt()
        return centred / spread, spread

    def forward(self, x: Tensor) -> Tensor:
        standard, _spread = self._standard(x)
        if self.module.weight is not None:
            standard = standard * self.module.weight.to(x.dtype)
        return standard if self.module.bias is None else standard + self.module.bias.to(x.dtype)

    def back(self, rows: Tensor, x: Tensor) -> Tensor:
        standard, spread = self._standard(x)
        if self.module.weight is not None:
            rows = rows * self.module.weight.to(x.dtype)
        u = standard[:, None, :]
        along = (rows * u).mean(dim=2, keepdim=True)
        return (rows - rows.mean(dim=2, keepdim=True) - u * along) / spread[:, None, :]


class _BatchNorm(Layer):
    """By the statistics kept, also while training."""

    name = "batch normalisation"

    def __init__(self, module: nn.modules.batchnorm._BatchNorm):
        self.module = module

    def _scale(self, x: Tensor) -> Tensor:
        gain = (self.module.running_var.to(x.dtype) + self.module.eps).rsqrt()
        return gain if self.module.weight is None else gain * self.module.weight.to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        y = (x - self.module.running_mean.to(x.dtype)) * self._scale(x)
        return y if self.module.bias is None else y + self.module.bias.to(x.dtype)

    def back(self, rows: Tensor, x: Tensor) -> Tensor:
        return rows * self._scale(x)


class _Elementwise(Layer):
    def __init__(self, name: str, function: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]):
        self.name, self.function, self.slope = name, function, slope

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)

    def back(self, rows: Tensor, x: Tensor) -> Tensor:
        return rows * self.slope(x)[:, None, :]


def _silu_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


def _gelu_slope(x: Tensor) -> Tensor:
    return 0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _hardswish_slope(x: Tensor) -> Tensor:
    return torch.where(x < -3, torch.zeros_like(x), torch.where(x <= 3, x / 3 + 0.5, torch.ones_like(x)))


_ELEMENTWISE: dict[type[nn.Module], tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    nn.ReLU: (functional.relu, lambda x: (x > 0).to(x.dtype)),
    nn.ReLU6: (functional.relu6, lambda x: ((x > 0) & (x < 6)).to(x.dtype)),
    nn.Hardswish: (functional.hardswish, _hardswish_slope),
    nn.SiLU: (functional.silu, _silu_slope),
    nn.GELU: (functional.gelu, _gelu_slope),
    nn.Tanh: (torch.tanh, lambda x: 1 - torch.tanh(x).square()),
}
_OF_TIMM: dict[tuple[str, str], type[nn.Module]] = {
    ("timm.layers.activations", "Tanh"): nn.Tanh,
    ("timm.layers.activations", "GELU"): nn.GELU,
}
# What leaves a pooled vector as it is, once trained.
NOTHING = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten)


def layers_of(module: nn.Module) -> list[Layer]:
    """What a module does to a pooled vector; [] for nothing. Raises NoClosedForm, naming it."""
    if isinstance(module, NOTHING):
        return []
    if is_linear(module):
        return [_Linear(module)]
    if isinstance(module, nn.LayerNorm):
        return [_LayerNorm(module)]
    if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_var is not None:
        # timm's have the activation that follows in them.
        inside = [part for _name, part in module.named_children()]
        return [_BatchNorm(module), *(layer for part in inside for layer in layers_of(part))]
    # timm has some of PyTorch's own again, under their names.
    exact = _OF_TIMM.get((type(module).__module__, type(module).__name__), type(module))
    if exact in _ELEMENTWISE and getattr(module, "approximate", "none") == "none":
        return [_Elementwise(exact.__name__, *_ELEMENTWISE[exact])]
    raise NoClosedForm(exact.__name__)


def is_linear(module: nn.Module) -> TypeGuard[nn.Linear | nn.Conv2d]:
    """Whether a layer multiplies a vector by one matrix, and adds another."""
    if isinstance(module, nn.Conv2d):
        return module.kernel_size == (1, 1) and module.groups == 1 and module.padding in ((0, 0), 0)
    return isinstance(module, nn.Linear)
