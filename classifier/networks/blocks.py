"""How many blocks each architecture has, so that a plan can be made without torch."""

from classifier.networks.architectures import CAFFE_DEPTHS

_RESNETS = {18: 8, 34: 16, 50: 16, 101: 33, 152: 50}
BLOCKS = {
    **{f"resnet{depth}": blocks for depth, blocks in _RESNETS.items()},
    **{f"resnet{depth}-caffe": _RESNETS[depth] for depth in CAFFE_DEPTHS},
    "efficientnet_lite0": 16,
    "efficientnet_lite1": 21,
    "efficientnet_lite2": 21,
}
