"""Networks of torchvision and timm by name, cut where their feature maps are pooled.

Any that ends in feature maps, pooling and a linear layer will do. Where maps are averaged, and only what ``pooled``
knows stands between that and the last layer, the gradient has a closed form; else ``by_gradient`` differentiates
whatever follows the feature maps. Nothing is taken from a name: the network is traced, and one that ends otherwise is
refused with what stands in the way. Weights are never downloaded here.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from classifier.networks import by_gradient, torchvision_ops
from classifier.networks.architectures import OUTSIDE, Architecture
from classifier.networks.by_gradient import Behind, Found, NoWay
from classifier.networks.manifest import ModelRejected
from classifier.networks.manifest_words import MAPS_BY_GRADIENT, MAPS_IN_CLOSED_FORM
from classifier.networks.pooled import Layer, NoClosedForm, layers_of

TIMM, TORCHVISION = "timm", "torchvision"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# How far the largest difference of a score may be, in parts of the largest score.
_ALIKE_TO = 1e-3
# They have further heads for training alone, and take channels scaled in another way with their public weights.
_NOT_CUT = ("googlenet", "inception_v3")


class Cut(nn.Module):
    """A network up to its last feature maps, with what stands between pooling and the last layer. ``net`` keeps the
    names of its parameters; ``tail`` refers to modules in it. ``is_channels_last``: maps come as [N, h, w, C].
    ``behind``: all that follows the maps, where the gradient through it has no closed form; None where it has."""

    # Not as in this package's own networks: see classifier.runtimes.folding.
    may_fold = False

    def __init__(
        self, net: nn.Module, tail: tuple[Layer, ...], is_channels_last: bool, behind: Behind | None = None
    ):
        super().__init__()
        self.net, self.tail, self.is_channels_last, self.behind = net, tail, is_channels_last, behind

    def forward(self, x: Tensor) -> Tensor:
        """Images [N, 3, S, S] -> the last feature maps [N, C, h, w]."""
        features: Tensor = (
            self.net(x) if isinstance(self.net, fx.GraphModule) else self.net.forward_features(x)
        )
        return features.permute(0, 3, 1, 2) if self.is_channels_last else features

    def train(self, mode: bool = True) -> "Cut":
        """Switch all but what is behind the maps, which stays as in use."""
        super().train(mode)
        for module in self.behind.modules if self.behind else ():
            module.eval()
        return self


@dataclass(frozen=True)
class _Ending:
    """``layers``: names of the modules from pooling to the last layer, which is the last of them. ``pools``: the node
    that pools."""

    layers: tuple[str, ...]
    pools: fx.Node
    is_channels_last: bool


def build(name: str) -> Cut:
    """The network of this name with random weights. Raises ModelRejected."""
    net = whole(name, 1)
    if (found := _end(name)[1]) is not None:
        return _cut_by_gradient(name, net, found)
    ending = _ending_of(name, net)
    tail = _tail(ending, net)
    if _kind(name) == TORCHVISION:
        net = _up_to(name, net, ending.pools, ending.layers[:-1])
    else:
        net.set_submodule(ending.layers[-1], nn.Identity())
    return Cut(net, tail, ending.is_channels_last)


def _tail(ending: _Ending, net: nn.Module) -> tuple[Layer, ...]:
    modules = dict(net.named_modules())
    return tuple(layer for part in ending.layers[:-1] for layer in layers_of(modules[part]))


def _cut_by_gradient(name: str, net: nn.Module, found: Found) -> Cut:
    modules = dict(net.named_modules())
    behind = [modules[part] for part in found.behind]
    if _kind(name) == TIMM:
        net.set_submodule(found.last, nn.Identity())
        return Cut(net, (), found.is_channels_last, Behind(net.forward_head, behind, found.is_channels_last))
    pools, function = by_gradient.split(_traced(name, net), net)
    cut = _up_to(name, net, pools, found.behind)
    return Cut(cut, (), found.is_channels_last, Behind(function, behind, found.is_channels_last))


@functools.lru_cache(maxsize=32)
def _end(name: str) -> tuple[str, Found | None]:
    """(the name of its last layer, what follows its feature maps where that has no closed form). Raises
    ModelRejected."""
    # Where tensors have sizes alone, nothing is computed.
    with torch.device("meta"):
        net = whole(name, 1)
    try:
        ending = _ending_of(name, net)
        _tail(ending, net)
        return ending.layers[-1], None
    except (ModelRejected, NoClosedForm):
        pass
    try:
        if _kind(name) == TIMM:
            found = by_gradient.of_timm(net, _expects(name, net)[0])
        else:
            found = by_gradient.of_graph(_traced(name, net), net)
    except NoWay as error:
        raise _refused(name, str(error)) from None
    return found.last, found


def split_imagenet(name: str, state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split a state dict under the library's own names into (backbone, last layer as ``weight`` and ``bias``)."""
    last_layer = f"{last_of(name)}."
    backbone = {f"net.{key}": value for key, value in state.items() if not key.startswith(last_layer)}
    last = {key.removeprefix(last_layer): value for key, value in state.items() if key.startswith(last_layer)}
    if "weight" in last and last["weight"].dim() == 4:
        last["weight"] = last["weight"].flatten(1)
    if "weight" in last and last["weight"].dim() and not _has_bias(name):
        last.setdefault("bias", torch.zeros(len(last["weight"])))
    return backbone, last


@functools.lru_cache(maxsize=32)
def _has_bias(name: str) -> bool:
    """Whether its last layer, as the library makes it, adds a bias."""
    with torch.device("meta"):
        return whole(name, 1).get_submodule(last_of(name)).bias is not None


def last_of(name: str) -> str:
    """The name of its last layer. Raises ModelRejected."""
    return _end(name)[0]


@functools.lru_cache(maxsize=32)
def design(name: str) -> Architecture:
    """All that is known of it. Raises ModelRejected."""
    net = whole(name, 1)
    last = dict(net.named_modules())[last_of(name)]
    features = last.in_features if isinstance(last, nn.Linear) else last.in_channels
    size, mean, std = _expects(name, net)
    blocks = len(groups(build(name))) - 1
    return Architecture("outside", {"name": name}, features, blocks, "", size, mean, std)


def groups(cut: Cut) -> list[nn.Module]:
    """Its layers in the order of the file, those of a block together; the first group is the stem."""
    found: dict[str, list[nn.Module]] = {}
    for name, module in cut.net.named_modules():
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        if own:
            found.setdefault(_group(name), []).append(module)
    return [nn.ModuleList(modules) for modules in found.values()]


def _group(name: str) -> str:
    """Which block a layer is of, by its name: "stages.2.blocks.5" of "stages.2.blocks.5.conv", "layer2.0" of
    "layer2.0.downsample.1", "features.4.1" of "features.4.1.block.0"."""
    parts = name.split(".")
    at = next((place for place, part in enumerate(parts) if part.isdigit()), None)
    if at is None:
        return ".".join(parts[: max(1, len(parts) - 1)][:3])
    while len(parts) > at + 1:
        if parts[at + 1].isdigit():
            at += 1
        elif parts[at + 1] in ("blocks", "layers") and len(parts) > at + 2 and parts[at + 2].isdigit():
            at += 2
        else:
            break
    return ".".join(parts[: at + 1])


def maps_in_words(cut: nn.Module) -> str:
    """How the maps of a network come about, for its description; "" for what is as everywhere here."""
    if getattr(cut, "behind", None) is not None:
        return MAPS_BY_GRADIENT
    tail = getattr(cut, "tail", ())
    if not tail:
        return ""
    kinds = ", ".join(dict.fromkeys(layer.name for layer in tail))
    return MAPS_IN_CLOSED_FORM % {"kinds": kinds}


def maps_of(name: str) -> str:
    """The same by name, once the cut network is known to compute what the whole one does. Raises ModelRejected."""
    if not OUTSIDE.fullmatch(name):
        return ""
    check_same(name)
    return maps_in_words(build(name))


def check_same(name: str, side: int | None = None) -> None:
    """Raise ModelRejected unless the cut network computes what the whole one does, on random weights and an image of
    ``side`` pixels; what the network itself raises where it takes none of that size."""
    from classifier.networks.network import build as mapped

    torch.manual_seed(0)
    net = whole(name, 3).eval()
    ours = mapped(name, 3).eval()
    # What random weights make of an image may be billionths of a bias, behind which nothing of it would be seen.
    for module in net.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)) and module.bias is not None:
            nn.init.zeros_(module.bias)
    backbone, last = split_imagenet(name, net.state_dict())
    ours.backbone.load_state_dict(backbone)
    side = side or design(name).input_size
    images = torch.randn(1, 3, side, side)
    with torch.inference_mode():
        ours.head.weight.copy_(last["weight"][:, :, None, None])
        ours.bias.copy_(last["bias"])
        expected, answer = net(images), ours(images)[0]
    if (answer - expected).abs().max() > _ALIKE_TO * expected.abs().max():
        raise _refused(name, "what is pooled is not all that its scores are made of")


def whole(name: str, outputs: int) -> nn.Module:
    """The library's own network, with random weights. Raises ModelRejected for a name it does not know."""
    make = _of_timm if _kind(name) == TIMM else _of_torchvision
    short = name.partition(":")[2]
    try:
        return make(short, outputs)
    except NotImplementedError:
        # Some compute with numbers while they are made, which "meta" has none of.
        with torch.device("cpu"):
            return make(short, outputs)


def _of_timm(name: str, outputs: int) -> nn.Module:
    torchvision_ops.declare_missing()
    try:
        import timm
    except ImportError:
        raise ModelRejected(
            "unknown_architecture", f"timm:{name} needs the package timm, which is not installed."
        ) from None
    if name not in timm.list_models():
        raise ModelRejected(
            "unknown_architecture", f"timm has no network {name!r}{_alike(name, timm.list_models())}."
        )
    net: nn.Module = timm.create_model(name, pretrained=False, num_classes=outputs)
    return net


def _of_torchvision(name: str, outputs: int) -> nn.Module:
    torchvision_ops.declare_missing()
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise ModelRejected(
            "unknown_architecture", f"torchvision has no network {name!r}{_alike(name, known)}."
        )
    if name in _NOT_CUT:
        raise _refused(f"{TORCHVISION}:{name}", "it has further heads, for training alone")
    net: nn.Module = models.get_model(name, weights=None, num_classes=outputs)
    return net


def _alike(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, 3)
    return f"; names like it: {', '.join(near)}" if near else ""


def _kind(name: str) -> str:
    if not OUTSIDE.fullmatch(name):
        raise ModelRejected("unknown_architecture", f"{name!r} is no network of torchvision or timm.")
    return name.partition(":")[0]


def _expects(name: str, net: nn.Module) -> tuple[int, tuple[float, float, float], tuple[float, float, float]]:
    """Side in pixels, mean and standard deviation of channels that its public weights expect."""
    if _kind(name) == TIMM:
        config: Mapping[str, Any] = net.pretrained_cfg
        return config["input_size"][-1], tuple(config["mean"]), tuple(config["std"])
    from torchvision import models

    public = list(models.get_model_weights(name.partition(":")[2]))
    if not public:
        return 224, IMAGENET_MEAN, IMAGENET_STD
    how = public[0].transforms()
    return how.crop_size[0], tuple(how.mean), tuple(how.std)


class _Tracer(fx.Tracer):
    """Goes into modules that have parts, but for normalisation, whose parts belong to it."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.modules.batchnorm._BatchNorm) or not any(m.children())


class _Head(nn.Module):
    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.net.forward_head(x)
        return answer


def _ending_of(name: str, net: nn.Module) -> _Ending:
    """Follow the network back from its output to where it averages its last feature maps. Raises NoClosedForm,
    ModelRejected for a network that cannot be traced."""
    of_timm = _kind(name) == TIMM
    root = _Head(net) if of_timm else net
    graph = _traced(name, root)
    modules = dict(root.named_modules())
    layers: list[str] = []
    node = next(node for node in graph.nodes if node.op == "output").args[0]
    while isinstance(node, fx.Node):
        if (last := _pools(node, modules)) is not None:
            if of_timm and node.args[0].op != "placeholder":
                raise NoClosedForm("what is pooled is made of the features")
            own = [layer.removeprefix("net.") for layer in reversed(layers)]
            return _Ending(_up_to_last(own, dict(net.named_modules())), node, last)
        if node.op == "call_module":
            layers.append(str(node.target))
        elif not _keeps(node):
            raise NoClosedForm(str(node.target))
        node = node.args[0]
    raise NoClosedForm("another pooling")


def _traced(name: str, root: nn.Module) -> fx.Graph:
    try:
        return _Tracer().trace(root.eval())
    except (fx.proxy.TraceError, TypeError, RuntimeError, AttributeError) as error:
        raise _refused(name, f"its course depends on its input ({str(error)[:100]})") from None


def _up_to_last(layers: list[str], modules: Mapping[str, nn.Module]) -> tuple[str, ...]:
    """Without what does nothing behind the last layer."""
    while layers and isinstance(modules[layers[-1]], (nn.Identity, nn.Flatten, nn.Dropout)):
        layers.pop()
    if not layers or not isinstance(modules[layers[-1]], (nn.Linear, nn.Conv2d)):
        raise NoClosedForm("no linear layer")
    return tuple(layers)


def _keeps(node: fx.Node) -> bool:
    """Whether a call leaves a pooled vector as it is."""
    if node.op == "call_method":
        return node.target in ("flatten", "view", "reshape", "squeeze", "contiguous")
    return node.op == "call_function" and node.target in (torch.flatten, torch.squeeze, nn.functional.dropout)


def _pools(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool | None:
    """Whether maps are averaged here: None for no, else whether they come with channels last."""
    if node.op == "call_module":
        module = modules[str(node.target)]
        if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
            return False
        if type(module).__name__ == "FastAdaptiveAvgPool":
            return tuple(module.dim) == (1, 2)
        return None
    if node.target is nn.functional.adaptive_avg_pool2d and (*node.args, *node.kwargs.values())[1] in (
        1,
        (1, 1),
    ):
        return False
    if node.op == "call_method" and node.target == "mean":
        over = (*node.args, *node.kwargs.values())[1]
        if isinstance(over, int):
            return None
        if sorted(over) in ([2, 3], [-2, -1]):
            return False
        if sorted(over) == [1, 2]:
            return True
    return None


def _up_to(name: str, net: nn.Module, pools: fx.Node, behind: Iterable[str]) -> fx.GraphModule:
    """The traced network until it pools, its parameters under their own names, with the layers behind kept in it.
    Raises ModelRejected."""
    graph = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}
    for node in pools.graph.nodes:
        if node is pools:
            break
        copied[node] = graph.node_copy(node, copied.__getitem__)
    graph.output(copied[pools.args[0]])
    made = fx.GraphModule(net, graph)
    made.graph.eliminate_dead_code()
    made.recompile()
    if any(key.startswith("_tensor_constant") for key, _value in made.named_buffers(recurse=False)):
        raise _refused(name, "it computes some of its numbers anew where a cut one would keep them")
    modules = dict(net.named_modules())
    for layer in behind:
        if any(True for _ in modules[layer].parameters()):
            made.add_submodule(layer, modules[layer])
    return made


def _refused(name: str, why: str) -> ModelRejected:
    return ModelRejected(
        "no_pooled_end",
        f"{name} cannot be used: {why}. A network must end in feature maps, pooling and a linear layer.",
    )
