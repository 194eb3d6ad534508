"""The networks a model may use, each with all that is known of it. No torch needed to read it, but for what is asked of
networks of torchvision and timm, which are known by name (see ``outside``).

A new one is an entry here; one of a new family needs a file of its own beside this one, with a function
``build(**size)`` that gives the network up to its last feature maps, and ``split_imagenet``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Architecture:
    """``family``: the module beside this one whose ``build`` makes it, called with ``size``. ``features``: number
    of last feature maps. ``blocks``: how many can be frozen while training. ``fingerprint``: of its tensors' names
    and shapes, see ``structure.py``. ``input_size``: side in pixels the ImageNet weights were trained at. ``mean``
    and ``std``: of channels scaled to [0, 1], in ``channel_order``, as those weights expect."""

    family: str
    size: Mapping[str, int | float | bool | str] = field(hash=False)
    features: int
    blocks: int
    fingerprint: str
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: str = "rgb"


def _resnet(depth: int, blocks: int, fingerprint: str) -> Architecture:
    features = 512 if depth < 50 else 2048
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return Architecture("resnet", {"depth": depth}, features, blocks, fingerprint, 224, mean, std)


def _as_published_for_caffe(resnet: Architecture) -> Architecture:
    """The same parameters, used in another way: trained on blue, green, red from 0 to 255 less ImageNet's mean."""
    mean = (103.062623801 / 255, 115.902882574 / 255, 123.151630838 / 255)
    return replace(
        resnet, size={**resnet.size, "caffe": True}, mean=mean, std=(1 / 255,) * 3, channel_order="bgr"
    )


def _lite(width: float, depth: float, blocks: int, input_size: int, fingerprint: str) -> Architecture:
    # These weights expect (value - 127) / 128 of 8-bit channels.
    mean, std = (127 / 255,) * 3, (128 / 255,) * 3
    size = {"width": width, "depth": depth}
    return Architecture("efficientnet_lite", size, 1280, blocks, fingerprint, input_size, mean, std)


_RESNETS = {
    "resnet18": _resnet(18, 8, "a9ef1a23e6c63b65cc9115d10b3efd3ed530a7def6fb5bccd9da8933ab3b5edc"),
    "resnet34": _resnet(34, 16, "d3dff253c40076ba2e385a39bbf2759237629605a75f8185a929e2ee36ddf3b6"),
    "resnet50": _resnet(50, 16, "7b9d4c567aaf6fadd3f7c3f214f59409540f812cafb12156ff890d0bb54e2964"),
    "resnet101": _resnet(101, 33, "03d8e19b93222dad1d67a8060671d831613a1745910f559ec04fbb3e202d0018"),
    "resnet152": _resnet(152, 50, "8b6935ea21750d40ac3f2fff53e0ea26100b64c83ae49bdbc66778275997cb64"),
}

ARCHITECTURES = {
    **_RESNETS,
    **{f"{name}-caffe": _as_published_for_caffe(_RESNETS[name]) for name in ("resnet50", "resnet101", "resnet152")},
    "efficientnet_lite0": _lite(
        1.0, 1.0, 16, 224, "cee092b50822da2a7e2aaefa0fc69c0e6f379288b42a37b4ec8b1a328a9128db"
    ),
    "efficientnet_lite1": _lite(
        1.0, 1.1, 21, 240, "e2fe499f225bdb5d967029ff32d358f3af65f2575388023cc35712245add4338"
    ),
    "efficientnet_lite2": _lite(
        1.1, 1.2, 21, 260, "40df860c9a1b4344ab9653eea4586626c56524f6cb4790b650252e92ea69a7a7"
    ),
}  # fmt: skip

OUTSIDE = re.compile(r"(timm|torchvision):[a-z0-9_]{1,80}")


def is_known(name: str) -> bool:
    """Whether it names a network of this list or might name one of torchvision or timm."""
    return name in ARCHITECTURES or OUTSIDE.fullmatch(name) is not None


def design_of(name: str) -> Architecture:
    """What is known of a network; of torchvision's and timm's asks them. KeyError for no such name, ModelRejected for
    a network of theirs that cannot be used."""
    if name in ARCHITECTURES or not is_known(name):
        return ARCHITECTURES[name]
    from classifier.networks import outside

    return outside.design(name)
