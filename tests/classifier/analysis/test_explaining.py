"""Other explanations are pytorch-grad-cam's own, of the stage they say, for networks of this package and of others."""

import numpy as np
import pytest
import torch

from classifier.analysing import explaining, explanation_methods
from classifier.networks import network, stages, torchvision_ops
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.classifier import lively
from tests.classifier.grad_cam import enlarged

SIDE = 64
# Traced; traced, channels last, with a normalisation behind pooling.
NAMES = ["torchvision:shufflenet_v2_x0_5", "torchvision:swin_t"]
# What the stages are called that are twice and four times as fine as the last.
LAYERS = {
    "efficientnet_lite0": ("blocks.10", "blocks.4"),
    "timm:convnext_atto": ("stages.2", "stages.1"),
    "torchvision:shufflenet_v2_x0_5": ("stage3", "stage2"),
    "torchvision:swin_t": ("features.5", "features.3"),
}


def made(name: str):
    torch.manual_seed(3)
    found = network.build(name, 13).eval().requires_grad_(False)
    found.head.weight.normal_(std=0.1)
    return found, lively.images(1, side=SIDE)


@each("name", LAYERS)
def test_earlier_stages_are_found_where_blocks_meet(name):
    found, image = made(name)
    side = found.backbone(image).shape[-1]
    for times, expected in zip((2, 4), LAYERS[name], strict=True):
        stage = stages.finer(found, name, image, times)
        assert stage.name == expected
        shapes = []
        handle = stage.layer.register_forward_hook(lambda m, i, o, shapes=shapes: shapes.append(o.shape))
        torch.testing.assert_close(stage.net(image), found(image)[0], rtol=1e-4, atol=1e-4)
        handle.remove()
        _one, *rest = shapes[0]
        rest = rest[:2] if stage.is_channels_last else rest[1:]
        assert rest == [times * side] * 2


@each("name", NAMES)
def test_maps_are_the_library_s_at_their_own_resolution(name):
    torchvision_ops.declare_missing()
    from pytorch_grad_cam import GradCAMPlusPlus, LayerCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    found, image = made(name)
    for method, kind in (("grad_cam_pp", GradCAMPlusPlus), ("layer_cam_2x", LayerCAM)):
        maps, _layer = explaining.explain_image(found, name, image, method)
        assert maps.shape[0] == len(DISEASE_KEYS) and maps.dtype == np.float16
        assert maps.astype(float).std() > 0.1, "flat maps prove nothing"
        plain = stages.finer(found, name, image, 2) if kind is LayerCAM else stages.last(found)
        shape = (lambda maps: maps.permute(0, 3, 1, 2)) if plain.is_channels_last else None
        plain.net.requires_grad_(True)
        with kind(plain.net, [plain.layer], shape) as usual:
            for index in (0, 7):
                whole = usual(image, [ClassifierOutputTarget(index)])[0]
                ours = enlarged(maps[index], (SIDE, SIDE))
                np.testing.assert_allclose(ours, whole, atol=4e-3)
        plain.net.requires_grad_(False)


def test_score_cam_s_numbers_are_the_library_s_though_the_network_sees_each_mask_once():
    torchvision_ops.declare_missing()
    from pytorch_grad_cam import ScoreCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    name = "torchvision:shufflenet_v2_x0_5"
    found, image = made(name)
    shares = []
    maps, layer = explaining.explain_image(found, name, image, "score_cam", shares.append)
    assert layer == "" and shares == sorted(shares) and shares[-1] == 1 and len(shares) == 64
    plain = stages.last(found)
    with ScoreCAM(plain.net, [plain.layer]) as usual, torch.no_grad():
        whole = usual(image, [ClassifierOutputTarget(3)])[0]
    np.testing.assert_allclose(enlarged(maps[3], (SIDE, SIDE)), whole, atol=4e-3)


def test_a_network_without_such_a_stage_is_told():
    found, image = made("timm:convmixer_768_32")
    with pytest.raises(explaining.CannotExplain, match="4 times as fine") as told:
        explaining.explain_image(found, "timm:convmixer_768_32", image, "layer_cam_4x")
    assert told.value.code == "no_such_stage"


def test_where_the_library_is_missing_it_is_told(lite_dir, monkeypatch):
    from PIL import Image

    monkeypatch.setattr(explaining.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(explaining.CannotExplain, match="not installed"):
        explaining.explain(lite_dir, Image.new("RGB", (80, 80)), explanation_methods.SCORE_CAM)
