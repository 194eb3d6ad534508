"""One Caffe network that has every peculiarity, written to files, and all it computes for two images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.classifier import caffe_net

MEAN_BGR = (101.5, 111.25, 131.0)
# In an order of their own, between names of background diseases.
LABELS = ["psoriasis", *reversed(DISEASE_KEYS[:7]), "eczema, chronic", *reversed(DISEASE_KEYS[7:]), "건선"]
# By Caffe's rule mean and variance count as 0 where the factor is.
FACTORS = {"bn2b_branch2a": 0.0, "bn_conv1": 1.0, "bn2a_branch1": 999.982361}
STYLES = {
    "conv1": "with diff",
    "res2a_branch1": "unpacked",
    "bn2a_branch1": "unpacked",
    "res3a_branch1": "double",
    "res3a_branch2a": "legacy",
    "bn3a_branch2a": "legacy",
    "fc_skin": "legacy",
}


@dataclass(frozen=True)
class CaffeCase:
    """``photos``: two square RGB images. ``inputs``: what Caffe takes for them, blue-green-red less the mean,
    float64 [2, 3, 224, 224]. ``outputs``: what every layer gives, {layer name: [2, ...]}."""

    net: list[caffe_net.Layer]
    blobs: caffe_net.Blobs
    photos: list[Image.Image]
    inputs: np.ndarray
    outputs: dict[str, np.ndarray]
    prototxt: Path
    caffemodel: Path
    labels: Path

    @classmethod
    def make(cls, folder: Path) -> "CaffeCase":
        net = caffe_net.layers(50, len(LABELS))
        by_name = {layer.name: layer for layer in net}
        by_name["bn3a_branch1"].params["batch_norm_param"]["eps"] = 1e-3
        by_name["bn4a_branch1"].params["batch_norm_param"]["eps"] = 1e-7
        del by_name["scale4a_branch2a"].params["scale_param"]["bias_term"]
        by_name["res4b_branch2b"].params["convolution_param"]["bias_term"] = True
        photos = [_photo(seed) for seed in (1, 2)]
        inputs = np.stack([caffe_input(photo) for photo in photos])
        blobs, outputs = caffe_net.lively_blobs(net, inputs, FACTORS)
        labels = folder / "labels.txt"
        labels.write_text("\n".join(LABELS) + "\n\n", encoding="utf-8")
        return cls(
            net,
            blobs,
            photos,
            inputs,
            outputs,
            *caffe_net.write(folder, net, blobs, STYLES),
            labels,
        )

    @property
    def order(self) -> list[int]:
        """For each of our outputs its place among the network's."""
        return [LABELS.index(name) for name in (*DISEASE_KEYS, "psoriasis", "eczema, chronic", "건선")]


def caffe_input(photo: Image.Image) -> np.ndarray:
    """Blue, green, red from 0 to 255 less the mean of each, float64 [3, 224, 224]."""
    return (np.asarray(photo, np.float64)[:, :, ::-1] - MEAN_BGR).transpose(2, 0, 1)


def _photo(seed: int) -> Image.Image:
    """A random image with coarse structure and channels that differ, in the size the network takes."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (9, 9, 3)).astype(np.uint8)
    coarse[:, :, 0] = coarse[:, :, 0] // 2 + 120
    image = np.asarray(Image.fromarray(coarse).resize((caffe_net.SIDE,) * 2, Image.Resampling.BICUBIC), int)
    noise = random.integers(-20, 20, image.shape)
    return Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8))
