"""Networks with random weights that answer differently to different images, unlike freshly made ones."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from classifier.networks import network, weights
from classifier.networks.manifest import Manifest
from classifier.networks.preprocess import Preprocessing
from skinclinic.vocabulary.diseases import DISEASE_KEYS

SIDE = 128


def make(architecture: str, outputs: int, seed: int = 0) -> network.MappedClassifier:
    """A network in evaluation mode whose normalisation fits random images of SIDE pixels."""
    torch.manual_seed(seed)
    lively = network.build(architecture, outputs)
    for name, module in lively.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the average over what is seen
            # At the end of a residual branch small, as in trained networks: a deep network of equal parts
            # multiplies rounding errors from layer to layer.
            strength = 0.2 if name.endswith("bn3") else 1.0
            nn.init.uniform_(module.weight, 0.5 * strength, 1.5 * strength)
            nn.init.normal_(module.bias, std=0.2 * strength)
    nn.init.normal_(lively.head.weight, std=0.05)
    nn.init.normal_(lively.bias, std=0.5)
    with torch.no_grad():
        lively.train()(images(8, seed))
    return lively.eval()


def images(count: int, seed: int = 0, side: int = SIDE) -> torch.Tensor:
    """Random images [count, 3, side, side] with coarse structure, about normalised."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, 8, 8, generator=generator)
    fine = torch.randn(count, 3, side, side, generator=generator)
    return nn.functional.interpolate(coarse, size=side, mode="bilinear") + 0.3 * fine


def manifest(architecture: str, **changes) -> Manifest:
    """A manifest for a network made here."""
    plain = Manifest(
        name="lively",
        architecture=architecture,
        preprocessing=Preprocessing(SIDE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        trained_on="nothing: random weights",
        thresholds={"balanced": {"purpose": "tests", "values": dict.fromkeys(DISEASE_KEYS, 0.1)}},
    )
    return replace(plain, **changes)


def save(folder: Path, architecture: str, *, background_classes=(), seed: int = 0) -> Path:
    """Save such a network as a model version and return its folder."""
    description = manifest(architecture, background_classes=tuple(background_classes))
    lively = make(architecture, description.outputs, seed)
    weights.save(folder, description, lively.state_dict())
    return folder
