"""The parameters of a network that was trained elsewhere, and its outputs put into our order."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from classifier.imports.labels import Labels
from classifier.networks.manifest import ModelRejected


@dataclass(frozen=True)
class Parts:
    """``backbone``: parameters under the backbone's own names. The last, classifying layer: ``weight``
    [outputs, features] and ``bias`` [outputs]."""

    backbone: Mapping[str, Tensor]
    weight: Tensor
    bias: Tensor

    def problems(self) -> list[str]:
        """What is no finite number."""
        named = {**self.backbone, "the last layer's weights": self.weight, "the last layer's bias": self.bias}
        not_finite = [name for name, value in named.items() if not _is_finite(value)]
        return ["Parameters that are not finite numbers: " + ", ".join(not_finite)] if not_finite else []

    def arranged(self, labels: Labels) -> dict[str, Tensor]:
        """The state dict of our network: the 12 diseases in their order, then the background classes.

        Raises ModelRejected("bad_labels") unless there is one label an output.
        """
        if len(labels.order) != len(self.bias):
            raise ModelRejected(
                "bad_labels",
                f"The network has {len(self.bias)} outputs, but the labels name {len(labels.order)}. "
                "Give one line an output, in the order of the outputs.",
            )
        order = torch.tensor(labels.order)
        return {
            **{f"backbone.{name}": value for name, value in self.backbone.items()},
            "head.weight": self.weight[order][:, :, None, None],
            "bias": self.bias[order],
        }


def _is_finite(value: Tensor) -> bool:
    return value.numel() == 0 or all(bool(extreme.isfinite()) for extreme in value.aminmax())
