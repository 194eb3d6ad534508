"""ResNet-152 (He et al. 2016, doi:10.1109/CVPR.2016.90), as torchvision defines it."""

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from classifier import torchvision_ops


def resnet152() -> nn.Sequential:
    """Return ResNet-152 up to its last feature maps: [N, 3, S, S] -> [N, 2048, S/32, S/32].

    Parameters are named as in torchvision, so its ImageNet weights fit as they are.
    """
    torchvision_ops.declare_missing()
    from torchvision import models

    children = models.resnet152(weights=None).named_children()
    return nn.Sequential(
        OrderedDict((name, child) for name, child in children if name not in ("avgpool", "fc"))
    )


def split_imagenet(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split torchvision's state dict into (backbone, last layer as ``weight`` and ``bias``)."""
    backbone = {name: value for name, value in state.items() if not name.startswith("fc.")}
    last = {name.removeprefix("fc."): value for name, value in state.items() if name.startswith("fc.")}
    return backbone, last
