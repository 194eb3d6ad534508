"""A network is run once before anybody may use it: what only fails while it computes would otherwise fail with every
photo. Pure; imports torch when asked."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from classifier.drawings.synthetic import plain_skin, synthetic_lesion
from classifier.networks import weights
from classifier.networks.architectures import design_of
from classifier.networks.manifest import Manifest, ModelRejected
from classifier.networks.preprocess import to_array
from classifier.runtimes import memory

if TYPE_CHECKING:
    from torch import Tensor, nn

log = logging.getLogger(__name__)
_SIDE = 256


def drawings() -> list[Image.Image]:
    """What models are tried on: a drawn lesion and bare skin, square."""
    return [synthetic_lesion("mm", 1, _SIDE), plain_skin(1, _SIDE)]


def prove(folder: Path) -> Manifest:
    """Run the model in a folder on drawings, by PyTorch on the CPU, and return its description.

    Raises ModelRejected for what cannot be loaded, fails or gives no finite numbers, naming the layer and its tensors;
    MemoryError where there is too little memory, which is not the model's fault.
    """
    with memory.told():
        return _proved(folder)


def _proved(folder: Path) -> Manifest:
    import torch

    from classifier.networks.network import restore

    manifest, state = weights.load_verified(folder)
    network = restore(manifest, state).eval().requires_grad_(False)
    side = manifest.preprocessing.input_size
    pictures = np.stack([to_array(picture, manifest.preprocessing) for picture in drawings()])
    images = torch.from_numpy(pictures)
    try:
        with torch.inference_mode():
            answer = network(images)
            broken = None if _is_finite(*answer) else _first_broken(network, images)
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, AssertionError) as error:
        log.exception("the network of %s failed", folder)
        if memory.is_lacking(error):
            raise
        raise ModelRejected(
            "does_not_compute",
            f"The network was run on a test picture of {side} × {side} pixels and failed ({type(error).__name__}); the "
            f"log says how.{_other_size(manifest)}",
        ) from error
    if broken is not None:
        raise ModelRejected("scores_not_finite", _in_words(broken, network))
    return manifest


def _other_size(manifest: Manifest) -> str:
    """What may be the reason: some networks take images of one size alone."""
    usual = design_of(manifest.architecture).input_size
    if usual == manifest.preprocessing.input_size:
        return ""
    return f" {manifest.architecture} is made for {usual} × {usual} pixels; some networks take no others."


def _is_finite(*tensors: "Tensor") -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def _first_broken(network: "nn.Module", images: "Tensor") -> str:
    """The name of the first layer that makes numbers that are not finite out of finite ones."""
    import torch

    broken: list[str] = []

    def look(name: str, output: object) -> None:
        if isinstance(output, torch.Tensor) and not broken and not _is_finite(output):
            broken.append(name)

    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: look(name, output))
        for name, module in network.named_modules()
        if not any(module.children())
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    return broken[0] if broken else "bias"


def _in_words(layer: str, network: "nn.Module") -> str:
    tensors = [name for name in network.state_dict() if name == layer or name.startswith(f"{layer}.")]
    return (
        f"The network was run on a test picture, and what the layer {layer} computes is no finite number. Look at its "
        f"tensors: {', '.join(tensors) or 'it has none; what comes before it is too large'}."
    )
