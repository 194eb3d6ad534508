"""ResNets (He et al. 2016, doi:10.1109/CVPR.2016.90), as torchvision defines them and as Caffe ran them."""

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from classifier.networks import torchvision_ops


def build(depth: int, caffe: bool = False) -> nn.Sequential:
    """Return a ResNet up to its last feature maps: [N, 3, S, S] -> [N, features, S/32, S/32].

    ``caffe``: as its authors published it for Caffe, 50 layers or more.
    """
    return _caffe_resnet(depth) if caffe else _resnet(depth)


def _resnet(depth: int) -> nn.Sequential:
    """A ResNet as torchvision defines it.

    Parameters are named as in torchvision, so its ImageNet weights fit as they are.
    """
    torchvision_ops.declare_missing()
    from torchvision import models

    children = getattr(models, f"resnet{depth}")(weights=None).named_children()
    return nn.Sequential(
        OrderedDict((name, child) for name, child in children if name not in ("avgpool", "fc"))
    )


def _caffe_resnet(depth: int) -> nn.Sequential:
    """A ResNet as its authors published it for Caffe; parameters as in ``_resnet``.

    A stage halves its input in the first 1x1 convolution, not in the 3x3, and the first pooling has no
    border but a last window that may reach beyond the edge.
    """
    backbone = _resnet(depth)
    backbone.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    for stage in (backbone.layer2, backbone.layer3, backbone.layer4):
        first = stage[0]
        first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
    return backbone


def split_imagenet(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split torchvision's state dict into (backbone, last layer as ``weight`` and ``bias``)."""
    backbone = {name: value for name, value in state.items() if not name.startswith("fc.")}
    last = {name.removeprefix("fc."): value for name, value in state.items() if name.startswith("fc.")}
    return backbone, last
