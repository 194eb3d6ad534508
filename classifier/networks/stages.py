"""The feature maps of earlier stages of a network, found by running it once. Nothing is taken from a name."""

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from classifier.networks import outside
from classifier.networks.network import MappedClassifier


class Logits(nn.Module):
    """A network of this package as others expect one: images [N, 3, S, S] -> logits [N, outputs]."""

    def __init__(self, mapped: MappedClassifier):
        super().__init__()
        self.mapped = mapped

    def forward(self, x: Tensor) -> Tensor:
        return self.mapped.logits(self.mapped.backbone(x))


@dataclass(frozen=True)
class Stage:
    """Where feature maps come out: ``layer`` of ``net``, which gives logits. ``name``: of the layer, as its library
    has it; "" for the last feature maps, which are pooled. ``is_channels_last``: they come as [N, h, w, C]."""

    net: nn.Module
    layer: nn.Module
    name: str = ""
    is_channels_last: bool = False


class NoSuchStage(ValueError):
    """The network has no feature maps of this fineness. ``side``: that of its last ones."""

    def __init__(self, side: int):
        super().__init__(f"no stage with finer feature maps than {side} × {side} as asked for")
        self.side = side


def last(mapped: MappedClassifier) -> Stage:
    """The feature maps that are pooled, of any network."""
    return Stage(Logits(mapped), mapped.backbone)


def finer(mapped: MappedClassifier, architecture: str, image: Tensor, times: int) -> Stage:
    """The last stage whose maps have ``times`` as many cells a side as the last ones, for an ``image`` [1, 3, S, S].

    It is what comes out of a whole stage or block: what is computed inside a block that makes maps coarser has parts
    of the answer pass by it. Raises NoSuchStage.
    """
    net = _with_all_modules(mapped, architecture)
    seen: dict[str, _Seen] = {}
    handles = [
        module.register_forward_hook(_note(seen, name)) for name, module in net.named_modules() if name
    ]
    try:
        with torch.inference_mode():
            side = mapped.backbone(image).shape[-1]
            seen.clear()
            net(image)
    finally:
        for handle in handles:
            handle.remove()
    modules = dict(net.named_modules())
    # What has an odd number of cells is halved to the larger half.
    wanted = range(max(times * (side - 1), side) + 1, times * side + 1)
    found = [
        name
        for name, one in seen.items()
        if one.side in wanted and one.times == 1 and _is_between_blocks(name, one.side, seen, modules)
    ]
    if not found:
        raise NoSuchStage(side)
    name = found[-1]
    return Stage(net, modules[name], _own_name(name), seen[name].is_channels_last)


@dataclass
class _Seen:
    """A module that has given square feature maps: their side, and how often it ran."""

    side: int
    is_channels_last: bool
    times: int = 1


def _note(seen: dict[str, _Seen], name: str):  # type: ignore[no-untyped-def]  # a hook of torch's
    def hook(module: nn.Module, given: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.dim() != 4:
            return
        _one, first, second, third = output.shape
        # Square maps, the channels before or behind them; where both could be, it is not known which.
        before, behind = second == third, first == second
        if before == behind:
            return
        times = seen[name].times + 1 if name in seen else 1
        # In the order in which they end.
        seen.pop(name, None)
        seen[name] = _Seen(int(second), behind, times)

    return hook


def _is_between_blocks(name: str, side: int, seen: dict[str, _Seen], modules: dict[str, nn.Module]) -> bool:
    """Whether all that the module lies in either gives maps of the same side or only strings blocks together."""
    parts = name.split(".")
    for end in range(1, len(parts)):
        above = ".".join(parts[:end])
        if above not in seen or seen[above].side == side or above in ("mapped", "mapped.backbone"):
            continue
        if not _strings_blocks(modules[above]):
            return False
    return True


def _strings_blocks(module: nn.Module) -> bool:
    """Whether it is a row of blocks, and not one itself: something in it has convolutions of its own."""
    return isinstance(module, nn.Sequential) and any(
        isinstance(inner, nn.Conv2d | nn.Linear)
        for child in module.children()
        for inner in child.modules()
        if inner is not child
    )


def _with_all_modules(mapped: MappedClassifier, architecture: str) -> nn.Module:
    """The network with its modules as its library has them: a traced one runs only its innermost ones."""
    backbone = mapped.backbone
    if not (isinstance(backbone, outside.Cut) and isinstance(backbone.net, fx.GraphModule)):
        return Logits(mapped).eval()
    net = outside.whole(architecture, len(mapped.bias)).eval()
    state = {name.removeprefix("net."): value for name, value in backbone.state_dict().items()}
    last_layer = net.get_submodule(outside.last_of(architecture))
    state |= {
        f"{outside.last_of(architecture)}.weight": mapped.head.weight.reshape(last_layer.weight.shape),
        f"{outside.last_of(architecture)}.bias": mapped.bias,
    }
    # Not by load_state_dict: some libraries' networks ask there for marks that only their own files have.
    net.requires_grad_(False)
    for name, value in net.state_dict().items():
        value.copy_(state[name])
    return net


def _own_name(name: str) -> str:
    return name.removeprefix("mapped.backbone.").removeprefix("net.")
