"""Explanations of a model's scores by other methods than Grad-CAM, computed by pytorch-grad-cam. Pure.

Always by PyTorch in full precision, on the processor: what an explanation shows is then the same on every machine.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from classifier.analysing.explanation_methods import FINER, GRAD_CAM_PP, SCORE_CAM
from classifier.networks import stages, weights
from classifier.networks.cam import to_heatmaps
from classifier.networks.network import MappedClassifier, restore
from classifier.networks.preprocess import to_array
from classifier.runtimes import precisions
from classifier.runtimes.base import Computed
from skinclinic.vocabulary.diseases import DISEASE_KEYS

Say = Callable[[float], None]
LIBRARY = "grad-cam"


class CannotExplain(Exception):
    """The method cannot be used: ``code`` is stable, the message says why."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Explained:
    """``maps``: float16 [12, h, w], heatmaps in [0, 1], diseases in their fixed order. ``layer``: whose feature maps
    they are made of, "" for the last ones."""

    maps: np.ndarray
    layer: str
    computed: Computed


def explain(folder: Path, crop: Image.Image, method: str, say: Say = lambda share: None) -> Explained:
    """Explain what the model of a folder says of a square RGB crop, by one of ``explanation_methods``.

    ``say`` hears the share that is done, and may end it by raising. Raises CannotExplain, ModelRejected.
    """
    if importlib.util.find_spec("pytorch_grad_cam") is None:
        raise CannotExplain("library_missing", "pytorch-grad-cam is not installed where the engine runs.")
    manifest, state = weights.load_verified(folder)
    network = restore(manifest, state).eval().requires_grad_(False)
    image = torch.from_numpy(to_array(crop, manifest.preprocessing))[None]
    maps, layer = explain_image(network, manifest.architecture, image, method, say)
    torch_version = torch.__version__.partition("+")[0]
    library = f"pytorch-grad-cam {importlib.metadata.version(LIBRARY)}, PyTorch {torch_version}"
    return Explained(maps, layer, Computed(library, precisions.F32))


def explain_image(
    network: MappedClassifier, architecture: str, image: Tensor, method: str, say: Say = lambda share: None
) -> tuple[np.ndarray, str]:
    """The same of an image [1, 3, S, S], normalised: (maps, layer). Raises CannotExplain."""
    try:
        times = FINER.get(method, 1)
        stage = stages.finer(network, architecture, image, times) if times > 1 else stages.last(network)
    except stages.NoSuchStage as error:
        raise CannotExplain(
            "no_such_stage",
            f"This network has no stage whose feature maps are {times} times as fine as its last ones "
            f"({error.side} × {error.side}). Another method can be used.",
        ) from None
    maps = _maps(stage, image, method, say)
    if not np.isfinite(maps).all():
        raise CannotExplain(
            "not_finite", "The method gave values that are not finite numbers for this photo."
        )
    return to_heatmaps(maps), stage.name


def _maps(stage: stages.Stage, image: Tensor, method: str, say: Say) -> np.ndarray:
    """float32 [12, h, w]."""
    # It takes seconds to import.
    from classifier.analysing import grad_cam_library as library

    shape = _channels_first if stage.is_channels_last else None
    start = None
    found: Any
    if method == SCORE_CAM:
        found = library.NativeScoreCAM(stage.net, [stage.layer], shape, say=say)
    else:
        # Gradients are wanted at this layer alone; without this there would be none, or those of all before it.
        start = stage.layer.register_forward_hook(_begin_gradients)
        kind = library.NativeGradCAMPlusPlus if method == GRAD_CAM_PP else library.NativeLayerCAM
        found = kind(stage.net, [stage.layer], shape)
    try:
        maps = []
        for index in range(len(DISEASE_KEYS)):
            maps.append(found(image, [library.ClassifierOutputTarget(index)])[0])
            if method != SCORE_CAM:
                say((index + 1) / len(DISEASE_KEYS))
    finally:
        found.activations_and_grads.release()
        if start:
            start.remove()
    return np.stack(maps)


def _begin_gradients(module: nn.Module, given: object, output: Tensor) -> Tensor:
    return output.detach().requires_grad_()


def _channels_first(maps: Tensor) -> Tensor:
    return maps.permute(0, 3, 1, 2)
