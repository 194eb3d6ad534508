"""Networks that give their scores and their class activation maps in one forward pass.

Pooling followed by a linear layer is replaced by a 1x1 convolution with the same weights. Its output maps
are the Grad-CAM maps of the last feature maps up to a positive factor, because the gradient of a logit by
a feature map is there the constant weight / (h*w); and the mean of a map plus a bias is the logit, exactly.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from classifier.networks.architectures import ARCHITECTURES, design_of, is_known
from classifier.networks.by_gradient import Behind
from classifier.networks.manifest import Manifest, ModelRejected
from classifier.networks.pooled import Layer
from classifier.networks.stated import in_words

StateDict = Mapping[str, Tensor]


def _family(architecture: str) -> ModuleType:
    """The module that builds this architecture's backbone and knows its public weights."""
    return import_module(f"classifier.networks.{design_of(architecture).family}")


class MappedClassifier(nn.Module):
    """A backbone and a 1x1 convolution: one forward pass gives logits and a map for every output.

    ``dropout`` drops whole feature maps while training, which after pooling is the usual dropout of
    pooled features.
    """

    def __init__(self, backbone: nn.Module, features: int, outputs: int, dropout: float = 0.0):
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(features, outputs, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.normal_(self.head.weight, std=0.01)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, 3, S, S], normalised -> (logits [N, outputs], maps [N, outputs, h, w])."""
        return self.classify(self.backbone(x))

    def classify(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Last feature maps [N, features, h, w] -> (logits [N, outputs], maps [N, outputs, h, w])."""
        if self.behind is not None:
            return self._by_gradient(self.behind, features)
        if tail := getattr(self.backbone, "tail", ()):
            return self._through(tail, features)
        maps = self.head(self.dropout(features))
        return maps.mean(dim=(2, 3)) + self.bias, maps

    def logits(self, features: Tensor) -> Tensor:
        """The same without the maps, for which some networks need a gradient."""
        if self.behind is not None:
            return self._scores(self.behind.forward(features))
        return self.classify(features)[0]

    @property
    def behind(self) -> Behind | None:
        """What follows the last feature maps, where only PyTorch can tell the gradient through it; None elsewhere."""
        found: Behind | None = getattr(self.backbone, "behind", None)
        return found

    def pooled(self, features: Tensor) -> Tensor:
        """Last feature maps [N, features, h, w] -> what the last linear layer is given, without dropout: [N, D]."""
        if self.behind is not None:
            return self.behind.forward(features)
        vector = features.mean(dim=(2, 3))
        for layer in getattr(self.backbone, "tail", ()):
            vector = layer.forward(vector)
        return vector

    def _through(self, tail: Sequence[Layer], features: Tensor) -> tuple[Tensor, Tensor]:
        """The same where layers stand between pooling and the last one: the gradient of a logit by a feature map is
        then another for each image; see ``pooled``."""
        vector, met = features.mean(dim=(2, 3)), []
        for layer in tail:
            met.append(vector)
            vector = layer.forward(vector)
        weight = self.head.weight.flatten(1)
        rows = weight[None]
        for layer, x in zip(reversed(tail), reversed(met), strict=True):
            rows = layer.back(rows, x)
        return self._scores(vector), _weighed(rows, features)

    def _by_gradient(self, behind: Behind, features: Tensor) -> tuple[Tensor, Tensor]:
        """The same where PyTorch has to differentiate what follows the feature maps."""
        rows = behind.rows(self.head.weight.flatten(1), features)
        return self._scores(behind.forward(features)), _weighed(rows, features)

    def _scores(self, vector: Tensor) -> Tensor:
        """What the last layer is given [N, D] -> logits [N, outputs]."""
        dropped = functional.dropout(vector, self.dropout.p, self.training)
        return functional.linear(dropped, self.head.weight.flatten(1), self.bias)


def _weighed(rows: Tensor, features: Tensor) -> Tensor:
    """Rows [N or 1, K, C] of weights and feature maps [N, C, h, w] -> maps [N, K, h, w]."""
    height, width = features.shape[2:]
    return (rows @ features.flatten(2)).reshape(-1, rows.shape[1], height, width)


class WithFeatures(nn.Module):
    """A network that gives its pooled features and its last feature maps as well, in the same pass."""

    def __init__(self, network: MappedClassifier):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images [N, 3, S, S] -> (logits [N, outputs], maps [N, outputs, h, w], features [N, D], last feature maps
        [N, K, h, w])."""
        features = self.network.backbone(x)
        return *self.network.classify(features), self.network.pooled(features), features


def build(architecture: str, outputs: int, *, dropout: float = 0.0) -> MappedClassifier:
    """Return a fresh network with random weights; ValueError for an unknown architecture or outputs < 1."""
    if not is_known(architecture):
        raise ValueError(f"unknown architecture {architecture!r}; known are {', '.join(ARCHITECTURES)}")
    if outputs < 1:
        raise ValueError(f"a network needs at least one output, not {outputs}")
    design = design_of(architecture)
    backbone = _family(architecture).build(**design.size)
    return MappedClassifier(backbone, design.features, outputs, dropout)


class _Unfilled(TorchFunctionMode):
    """Layers made within get no random values. On "meta" these would be nothing, and yet torch imports its compiler
    for them, which takes a second of every process that opens a model."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def maps_in_words(network: MappedClassifier) -> str:
    """What a description says of how its maps come about; "" for this package's own networks."""
    from classifier.networks import outside

    return outside.maps_in_words(network.backbone)


def restore(manifest: Manifest, state: StateDict) -> MappedClassifier:
    """Return the network a manifest describes with these parameters; raises ModelRejected if they do not fit.

    The network takes the tensors of ``state`` over instead of copying them.
    """
    # On "meta" tensors have shapes alone: filling a large network with random values takes seconds. Others' networks
    # may have numbers of their own that no file holds.
    with torch.device("meta" if manifest.architecture in ARCHITECTURES else "cpu"), _Unfilled():
        network = build(manifest.architecture, manifest.outputs)
    try:
        load_strictly(network, state, assign=True)
    except ValueError as error:
        raise ModelRejected("weights_do_not_fit", f"{str(error)[:1000]}.") from error
    return network


def split_public(architecture: str, state: StateDict) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split a public state dict into (backbone under our names, last layer as ``weight`` and ``bias``)."""
    family = _family(architecture)
    if architecture not in ARCHITECTURES:
        backbone, last = family.split_imagenet(architecture, state)
    else:
        backbone, last = family.split_imagenet(state)
    return backbone, last


def load_imagenet(
    network: MappedClassifier, architecture: str, state: StateDict, *, last_layer: bool = False
) -> None:
    """Copy public ImageNet weights into the backbone; with ``last_layer`` into the classifying layer too.

    ``state`` is torchvision's state dict (resnet) or one with the ``_conv_stem``, ``_blocks``, ``_fc``
    names (efficientnet_lite). ValueError names every missing and unexpected parameter and wrong shape.
    """
    backbone, last = split_public(architecture, state)
    load_strictly(network.backbone, backbone)
    if last_layer:
        if set(last) != {"weight", "bias"} or last["weight"].shape[:1] != network.bias.shape:
            raise ValueError(f"the weights carry no last layer of {len(network.bias)} outputs")
        load_strictly(network.head, {"weight": last["weight"][:, :, None, None]})
        with torch.no_grad():
            network.bias.copy_(last["bias"])


def load_strictly(module: nn.Module, state: StateDict, *, assign: bool = False) -> None:
    """Copy ``state`` into ``module``, or with ``assign`` let the module take its tensors over.

    ValueError names all that is missing, unexpected or wrongly shaped.
    """
    check_fit(module, state)
    module.load_state_dict(state, assign=assign)


def check_fit(module: nn.Module, state: StateDict) -> None:
    """ValueError naming all of ``state`` that is missing, unexpected or wrongly shaped for ``module``."""
    own = module.state_dict()
    problems = {
        "missing": sorted(own.keys() - state.keys()),
        "unexpected": sorted(state.keys() - own.keys()),
        "wrong shape": sorted(k for k in own.keys() & state.keys() if own[k].shape != state[k].shape),
    }
    if found := [f"{kind}: {in_words(names)}" for kind, names in problems.items() if names]:
        raise ValueError("the weights do not fit the network; " + "; ".join(found))
