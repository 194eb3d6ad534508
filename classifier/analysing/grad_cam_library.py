"""pytorch-grad-cam's methods, at the resolution of the feature maps and for all outputs at once where that is the same.

Imported only where an explanation is made: it takes seconds and much memory.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classifier.networks import torchvision_ops

torchvision_ops.declare_missing()
from pytorch_grad_cam import GradCAMPlusPlus, LayerCAM, ScoreCAM  # noqa: E402
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # noqa: E402

__all__ = ["ClassifierOutputTarget", "NativeGradCAMPlusPlus", "NativeLayerCAM", "NativeScoreCAM"]

# Masked images in the network at a time.
AT_ONCE = 16


class _Native:
    """Maps stay as coarse as the feature maps; the library enlarges them to the image."""

    def get_target_width_height(self, input_tensor: Tensor) -> None:
        return None


class NativeGradCAMPlusPlus(_Native, GradCAMPlusPlus):
    """Chattopadhay et al. 2018, arXiv:1710.11063."""


class NativeLayerCAM(_Native, LayerCAM):
    """Jiang et al. 2021, doi:10.1109/TIP.2021.3089943."""


class NativeScoreCAM(_Native, ScoreCAM):
    """Wang et al. 2020, arXiv:1910.01279.

    The library masks the image with every channel anew for every output, all channels in memory. Here the masked images
    go through the network once, a few at a time, and every output's weights come from these answers; the numbers are
    the library's. ``say`` hears the share that is done.
    """

    def __init__(
        self, model: nn.Module, target_layers: Sequence[nn.Module], reshape_transform: Any = None, *,
        say: Callable[[float], None],
    ):  # fmt: skip
        super().__init__(model, target_layers, reshape_transform)
        self._say = say
        self._answers: Tensor | None = None

    def get_cam_weights(
        self,
        input_tensor: Tensor,
        target_layer: nn.Module,
        targets: Sequence[Callable[[Tensor], Tensor]],
        activations: np.ndarray,
        grads: np.ndarray,
    ) -> np.ndarray:
        if self._answers is None:
            self._answers = self._of_masked(input_tensor, torch.from_numpy(activations))
        (target,) = targets
        scores = torch.stack([target(answer) for answer in self._answers])
        weights: np.ndarray = torch.softmax(scores, dim=-1)[None].numpy()
        return weights

    def _of_masked(self, image: Tensor, activations: Tensor) -> Tensor:
        """Logits [channels, outputs] of the image [1, 3, S, S] seen through each channel of [1, channels, h, w]."""
        enlarge = nn.UpsamplingBilinear2d(size=image.shape[-2:])
        channels = activations.shape[1]
        answers = []
        for start in range(0, channels, AT_ONCE):
            masks = enlarge(activations[:, start : start + AT_ONCE]).transpose(0, 1)
            low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
            with torch.no_grad():
                answers.append(self.model(image * ((masks - low) / (high - low + 1e-8))))
            # The library's hooks keep the feature maps of all of them.
            self.activations_and_grads.activations.clear()
            self._say(min(start + AT_ONCE, channels) / channels)
        return torch.cat(answers)
