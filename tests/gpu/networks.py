"""Networks with random weights that answer in a lively way, and runtimes around them."""

import copy
from dataclasses import replace

import numpy as np
import torch

from classifier.networks.architectures import design_of
from classifier.networks.manifest import Manifest
from classifier.networks.network import MappedClassifier, WithFeatures
from classifier.networks.preprocess import Preprocessing
from classifier.runtimes.base import Raw, Runtime
from classifier.runtimes.torch_runtime import TorchRuntime
from tests.classifier import lively
from tests.gpu.place import Place


def manifest(architecture: str, side: int) -> Manifest:
    """What a model with such a network would say of itself."""
    design = design_of(architecture)
    expected = Preprocessing(side, design.mean, design.std, design.channel_order)
    return replace(lively.manifest(architecture), preprocessing=expected)


def make(architecture: str) -> MappedClassifier:
    """A network for the 12 diseases on the CPU, in full precision."""
    return lively.make(architecture, lively.manifest(architecture).outputs)


def images(count: int, side: int, seed: int = 0) -> np.ndarray:
    """Inputs float32 [count, 3, side, side]."""
    return lively.images(count, seed, side).numpy()


class OnTheCpu(Runtime):
    """The network itself in full precision: what every device is compared with. Counts what it is asked."""

    device, max_batch = "cpu", 8

    def __init__(self, description: Manifest, network: MappedClassifier):
        self.manifest, self.network, self.asked = description, network, 0

    @torch.inference_mode()
    def compute(self, batch: np.ndarray) -> Raw:
        """See Runtime."""
        self.asked += len(batch)
        answer = WithFeatures(self.network)(torch.from_numpy(batch))
        return Raw(*(part.numpy() for part in answer[:3]))

    @torch.inference_mode()
    def compute_feature_maps(self, image: np.ndarray) -> np.ndarray:
        """See Runtime."""
        return self.network.backbone(torch.from_numpy(image)).numpy()


def on_the_cpu(network: MappedClassifier, architecture: str, side: int) -> OnTheCpu:
    """The reference for a network."""
    return OnTheCpu(manifest(architecture, side), network)


def on_the_device(
    reference: OnTheCpu, place: Place, kind: type[TorchRuntime] = TorchRuntime, precision: str = ""
) -> TorchRuntime:
    """The product's runtime of the same network; what does not fit goes to ``reference``."""
    network = copy.deepcopy(reference.network)
    return kind(reference.manifest, network, place.device.type, lambda: reference, precision)
