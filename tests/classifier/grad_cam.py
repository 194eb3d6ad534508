"""Maps compared with pytorch-grad-cam's."""

import cv2
import numpy as np
import torch
from torch import nn

from classifier.networks import network, torchvision_ops
from classifier.networks.cam import to_heatmaps


class PooledLinear(nn.Module):
    """The usual formulation: global average pooling, then a linear layer, with the same weights."""

    def __init__(self, mapped: network.MappedClassifier):
        super().__init__()
        self.backbone = mapped.backbone
        self.linear = nn.Linear(mapped.head.in_channels, mapped.head.out_channels)
        self.linear.load_state_dict({"weight": mapped.head.weight[:, :, 0, 0], "bias": mapped.bias})

    def forward(self, x):
        return self.linear(self.backbone(x).mean(dim=(2, 3)))


def enlarged(heatmap: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A heatmap [h, w] as float32 [height, width] for ``size`` = (width, height), as pytorch-grad-cam enlarges its own
    with OpenCV; what people see of ours is enlarged by ``plots.colormaps.smooth``."""
    large = cv2.resize(np.asarray(heatmap, np.float32), size)
    lifted = large - large.min()
    return lifted / lifted.max() if lifted.any() else lifted


def assert_maps_are_grad_cam(mapped: network.MappedClassifier, image: torch.Tensor) -> None:
    """Compare the maps of all outputs for an image [1, 3, S, S]: before resizing to half-precision rounding
    (1e-3), after it to 2e-3."""
    torchvision_ops.declare_missing()
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with torch.inference_mode():
        heatmaps = to_heatmaps(mapped(image)[1].numpy())[0]
    usual = PooledLinear(mapped).eval()
    last_layer = list(usual.backbone.children())[-1]
    # Gradients are needed at the last feature maps only; without the others the test takes a tenth.
    usual.backbone.requires_grad_(False)
    last_layer.requires_grad_(True)
    with GradCAM(usual, [last_layer]) as grad_cam:
        for index, heatmap in enumerate(heatmaps):
            targets = [ClassifierOutputTarget(index)]
            resized = grad_cam(image, targets)[0]
            kept = grad_cam.activations_and_grads
            raw = grad_cam.get_cam_image(
                image, last_layer, targets, kept.activations[0].detach().numpy(), kept.gradients[0].numpy()
            )
            unresized = scale_cam_image(np.maximum(raw, 0))[0]
            np.testing.assert_allclose(heatmap, unresized, atol=1e-3)
            ours = enlarged(heatmap, (image.shape[3], image.shape[2]))
            np.testing.assert_allclose(ours, resized, atol=2e-3)
    structured = [heatmap.max() == 1 and heatmap.std() > 0.1 for heatmap in heatmaps]
    assert sum(structured) >= 10, "the maps compared are too flat to prove anything"
