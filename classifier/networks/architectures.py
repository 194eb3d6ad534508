"""The networks a model may use: names and what their ImageNet weights expect. No torch needed to read it."""

from dataclasses import dataclass

RESNET_DEPTHS = (18, 34, 50, 101, 152)
CAFFE_DEPTHS = (50, 101, 152)


@dataclass(frozen=True)
class Architecture:
    """``features``: number of last feature maps. ``input_size``: side in pixels the ImageNet weights were
    trained at. ``mean`` and ``std``: of channels scaled to [0, 1], in ``channel_order``, as those weights
    expect."""

    features: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: str = "rgb"


def _resnet(depth: int) -> Architecture:
    features = 512 if depth < 50 else 2048
    return Architecture(features, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _caffe_resnet() -> Architecture:
    # Trained on blue, green, red from 0 to 255 less the mean of ImageNet's pixels.
    mean = (103.062623801, 115.902882574, 123.151630838)
    return Architecture(2048, 224, (mean[0] / 255, mean[1] / 255, mean[2] / 255), (1 / 255,) * 3, "bgr")


def _lite(input_size: int) -> Architecture:
    # These weights expect (value - 127) / 128 of 8-bit channels.
    return Architecture(1280, input_size, (127 / 255,) * 3, (128 / 255,) * 3)


ARCHITECTURES = {
    **{f"resnet{depth}": _resnet(depth) for depth in RESNET_DEPTHS},
    **{f"resnet{depth}-caffe": _caffe_resnet() for depth in CAFFE_DEPTHS},
    "efficientnet_lite0": _lite(224),
    "efficientnet_lite1": _lite(240),
    "efficientnet_lite2": _lite(260),
}
