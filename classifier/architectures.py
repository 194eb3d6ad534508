"""The networks a model may use: names and what their ImageNet weights expect. No torch needed to read it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """``features``: number of last feature maps. ``input_size``: side in pixels the ImageNet weights were
    trained at. ``mean`` and ``std``: of RGB channels scaled to [0, 1], as those weights expect."""

    features: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def _lite(input_size: int) -> Architecture:
    # These weights expect (value - 127) / 128 of 8-bit channels.
    return Architecture(1280, input_size, (127 / 255,) * 3, (128 / 255,) * 3)


ARCHITECTURES = {
    "resnet152": Architecture(2048, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "efficientnet_lite0": _lite(224),
    "efficientnet_lite1": _lite(240),
    "efficientnet_lite2": _lite(260),
}
