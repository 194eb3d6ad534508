"""What follows a network's last feature maps, whatever it is, differentiated by PyTorch: for networks of which
``pooled`` knows no closed form.

Grad-CAM weighs feature maps by the gradient of a score by each, averaged over its places. That is what pytorch-grad-cam
computes, by the same means; it holds behind any kind of pooling. OpenVINO computes no gradients, so PyTorch runs these
networks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from classifier.networks.pooled import NOTHING, is_linear


class NoWay(ValueError):
    """A network whose end cannot be differentiated; the message says why."""


@dataclass(frozen=True)
class Found:
    """``last``: the name of the linear layer whose output the scores are; ``behind``: names of the modules that run
    between the last feature maps and it."""

    last: str
    behind: tuple[str, ...]
    is_channels_last: bool


class Behind:
    """From the last feature maps to what the last layer is given. ``function`` runs modules of the network itself;
    ``modules`` are these, which stay as in use while the network is trained: dropout is the last layer's alone."""

    def __init__(
        self, function: Callable[[Tensor], Tensor], modules: Sequence[nn.Module], is_channels_last: bool
    ):
        self.function, self.modules, self.is_channels_last = function, tuple(modules), is_channels_last

    def forward(self, features: Tensor) -> Tensor:
        """Feature maps [N, C, h, w] -> vectors [N, D]."""
        maps = features.permute(0, 2, 3, 1) if self.is_channels_last else features
        return self.function(maps).flatten(1)

    def rows(self, weight: Tensor, features: Tensor) -> Tensor:
        """The last layer's ``weight`` [K, D] and feature maps [N, C, h, w] -> the gradient of each output by each
        feature map, summed over its places: [N, K, C]."""
        with torch.inference_mode(False), torch.enable_grad():
            here = features.clone().detach().requires_grad_()
            scores = functional.linear(self.forward(here), weight.clone().detach())
            # Images do not depend on each other, so one sum serves all of them.
            found = [
                torch.autograd.grad(scores[:, output].sum(), here, retain_graph=True)[0].sum(dim=(2, 3))
                for output in range(len(weight))
            ]
        return torch.stack(found, dim=1)

    def tensors(self) -> Iterator[Tensor]:
        """Its parameters and buffers."""
        for module in self.modules:
            yield from module.parameters()
            yield from module.buffers()


def of_timm(net: nn.Module, side: int) -> Found:
    """Run one of timm's networks once, for an image of ``side`` pixels of which only sizes matter, and see what comes
    after its features. Raises NoWay."""
    device = next(net.parameters()).device
    ran: list[tuple[str, Tensor]] = []

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _given: object, output: object) -> None:
            if isinstance(output, Tensor):
                ran.append((name, output))

        return hook

    with torch.no_grad(), _told(side):
        features = net.forward_features(torch.zeros(1, 3, side, side, device=device))
        if not isinstance(features, Tensor) or features.dim() != 4:
            raise NoWay(
                "its last features are tokens in a row, and which places of the image they are of is not said"
                if isinstance(features, Tensor)
                else "it has several last feature maps"
            )
        modules = {name: module for name, module in net.named_modules() if name}
        hooks = [module.register_forward_hook(note(name)) for name, module in modules.items()]
        try:
            answer = net.forward_head(features)
        finally:
            for hook in hooks:
                hook.remove()
    behind = [name for name, _output in ran]
    layers = [
        one for one in ran if not any(modules[one[0]].children()) and not isinstance(modules[one[0]], NOTHING)
    ]
    if not layers or not is_linear(modules[layers[-1][0]]):
        raise NoWay("its last layer is not linear")
    last, given = layers[-1]
    # What picks one place out of what it gave for all, as after attention pooling, changes nothing of it.
    if _stored(answer) is not _stored(given):
        raise NoWay(
            "its scores are more than what its last layer gives (a network that was distilled has two last layers)"
        )
    _one, first, second, third = features.shape
    if (second == third) == (first == second):
        raise NoWay("which side of its features the channels are on is not known")
    return Found(last, tuple(dict.fromkeys(name for name in behind if name != last)), second != third)


def _stored(tensor: Tensor) -> Tensor:
    """What a tensor is a view of, or itself."""
    return tensor if tensor._base is None else tensor._base


@contextmanager
def _told(side: int) -> Iterator[None]:
    """What a network raises while it runs, such as one that is no classifier, as NoWay."""
    try:
        yield
    except NoWay:
        raise
    except (
        NotImplementedError,
        RuntimeError,
        TypeError,
        ValueError,
        AttributeError,
        AssertionError,
    ) as error:
        raise NoWay(f"it cannot be run for an image of {side} pixels ({str(error)[:100]})") from error


def of_graph(graph: fx.Graph, net: nn.Module) -> Found:
    """The same of a traced network, from where it pools last, be it to one place or several. Raises NoWay."""
    _pools, last, between = _end_of(graph, dict(net.named_modules()))
    behind = [str(node.target) for node in between if node.op == "call_module"]
    return Found(str(last.target), tuple(dict.fromkeys(behind)), False)


def split(graph: fx.Graph, net: nn.Module) -> tuple[fx.Node, fx.GraphModule]:
    """(the node that pools, what the network does from there to its last layer). Raises NoWay."""
    pools, last, between = _end_of(graph, dict(net.named_modules()))
    made = fx.Graph()
    copied = {pools.args[0]: made.placeholder("maps")}
    for node in between:
        copied[node] = made.node_copy(node, copied.__getitem__)
    made.output(copied[last.args[0]])
    return pools, fx.GraphModule(net, made)


def _end_of(graph: fx.Graph, modules: Mapping[str, nn.Module]) -> tuple[fx.Node, fx.Node, list[fx.Node]]:
    """(the node that pools last, that of the last layer, all from the one to what the other is given)."""
    last = next(node for node in graph.nodes if node.op == "output").args[0]
    while (
        isinstance(last, fx.Node)
        and last.op == "call_module"
        and isinstance(modules[str(last.target)], NOTHING)
    ):
        last = last.args[0]
    if not isinstance(last, fx.Node) or last.op != "call_module" or not is_linear(modules[str(last.target)]):
        raise NoWay("its last layer is not linear")
    needed, ahead = {last}, [last]
    while ahead:
        for node in ahead.pop().all_input_nodes:
            if node not in needed:
                needed.add(node)
                ahead.append(node)
    nodes = [node for node in graph.nodes if node in needed]
    places = [at for at, node in enumerate(nodes) if _pools(node, modules)]
    if not places:
        raise NoWay("it pools no feature maps")
    pools, between = nodes[places[-1]], nodes[places[-1] : nodes.index(last)]
    known = {pools.args[0], *between}
    if any(node not in known for one in between for node in one.all_input_nodes):
        raise NoWay("its scores are made of more than what is pooled")
    return pools, last, between


def _pools(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return isinstance(modules[str(node.target)], nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d)
    return node.target in (functional.adaptive_avg_pool2d, functional.adaptive_max_pool2d)
