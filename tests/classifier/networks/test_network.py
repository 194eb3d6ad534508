"""One forward pass gives logits and maps; the maps are Grad-CAM's; public weights fit."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from classifier.networks import network, torchvision_ops
from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.efficientnet_lite import SameConv2d
from classifier.networks.manifest import ModelRejected
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.classifier import lively
from tests.classifier.grad_cam import PooledLinear, assert_maps_are_grad_cam

OUTPUTS = len(DISEASE_KEYS)


@pytest.fixture(scope="module", params=["resnet152", "efficientnet_lite0"])
def mapped(request):
    return lively.make(request.param, OUTPUTS)


def test_logits_are_the_mean_of_their_map_plus_the_bias(mapped):
    with torch.inference_mode():
        logits, maps = mapped(lively.images(2, seed=5))
    assert maps.shape == (2, OUTPUTS, 4, 4)
    assert torch.equal(logits, maps.mean(dim=(2, 3)) + mapped.bias)


def test_logits_equal_those_of_pooling_and_a_linear_layer(mapped):
    images = lively.images(2, seed=5)
    with torch.inference_mode():
        torch.testing.assert_close(
            mapped(images)[0], PooledLinear(mapped).eval()(images), atol=1e-4, rtol=1e-4
        )


def test_maps_equal_pytorch_grad_cam_for_every_disease(mapped):
    assert_maps_are_grad_cam(mapped, lively.images(1, seed=7))


@each("name", ARCHITECTURES)
def test_every_architecture_ends_in_the_features_it_names(name):
    with torch.device("meta"):
        maps = network.build(name, 5).backbone(torch.zeros(1, 3, 64, 64))
    assert maps.shape == (1, ARCHITECTURES[name].features, 2, 2)


@each(
    "name, millions",
    [
        ("efficientnet_lite0", 4.7),
        ("efficientnet_lite1", 5.4),
        ("efficientnet_lite2", 6.1),
        ("resnet18", 11.7),
        ("resnet34", 21.8),
        ("resnet50", 25.6),
        ("resnet101", 44.5),
        ("resnet152", 60.2),
    ],
)
def test_number_of_parameters_is_the_published_one(name, millions):
    with torch.device("meta"):
        total = sum(parameter.numel() for parameter in network.build(name, 1000).parameters())
    assert total / 1e6 == pytest.approx(millions, abs=0.06)


def test_unknown_architecture_and_no_outputs_are_refused():
    with pytest.raises(ValueError, match="resnet152"):
        network.build("alexnet", 12)
    with pytest.raises(ValueError, match="at least one output"):
        network.build("efficientnet_lite0", 0)


@pytest.mark.parametrize(
    ("kernel", "side", "expected"), [(3, 4, [9, 6, 6, 4]), (3, 5, [4, 6, 4, 6, 9, 6, 4, 6, 4])]
)
def test_strided_convolutions_pad_like_tensorflow(kernel, side, expected):
    """An even side is padded at the bottom and right only, an odd one on both sides."""
    convolution = SameConv2d(1, 1, kernel, stride=2)
    nn.init.ones_(convolution.weight)
    covered = convolution(torch.ones(1, 1, side, side)).flatten().tolist()
    assert covered == expected


def test_dropout_is_the_usual_one_of_pooled_features():
    torch.manual_seed(0)
    mapped = network.build("efficientnet_lite0", 3, dropout=0.5).train()
    dropped = mapped.dropout(torch.ones(1, 1280, 2, 2))
    assert set(dropped.amax(dim=(2, 3)).flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(dropped.amax(dim=(2, 3)), dropped.amin(dim=(2, 3)))


def test_torchvision_weights_fit_resnet152_and_give_the_same_logits():
    torchvision_ops.declare_missing()
    from torchvision import models

    torch.manual_seed(0)
    theirs = models.resnet152(num_classes=7)
    with torch.no_grad():
        theirs.train()(lively.images(4))
    theirs.eval()
    ours = network.build("resnet152", 7).eval()
    network.load_imagenet(ours, "resnet152", theirs.state_dict(), last_layer=True)
    images = lively.images(2, seed=3)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images)[0], theirs(images), rtol=1e-4, atol=1e-4)


def _public_lite0_names() -> list[str]:
    def norm(name):
        return [
            f"{name}.{part}"
            for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        ]

    names = ["_conv_stem.weight", *norm("_bn0")]
    for block in range(16):
        if block:
            names += [f"_blocks.{block}._expand_conv.weight", *norm(f"_blocks.{block}._bn0")]
        names += [f"_blocks.{block}._depthwise_conv.weight", *norm(f"_blocks.{block}._bn1")]
        names += [f"_blocks.{block}._project_conv.weight", *norm(f"_blocks.{block}._bn2")]
    return [*names, "_conv_head.weight", *norm("_bn1")]


def _public_lite0_state(outputs: int) -> dict[str, torch.Tensor]:
    """Random weights under the names of the public file, in its order, which is the order of the layers."""
    own = network.build("efficientnet_lite0", outputs).backbone.state_dict()
    names = _public_lite0_names()
    state = {
        name: torch.rand(value.shape) if value.is_floating_point() else value
        for name, value in zip(names, own.values(), strict=True)
    }
    return state | {"_fc.weight": torch.rand(outputs, 1280), "_fc.bias": torch.rand(outputs)}


def test_public_efficientnet_lite_weights_fit():
    state = _public_lite0_state(5)
    fresh = network.build("efficientnet_lite0", 5)
    network.load_imagenet(fresh, "efficientnet_lite0", state, last_layer=True)
    blocks = fresh.backbone.blocks
    assert torch.equal(fresh.backbone.stem[0].weight, state["_conv_stem.weight"])
    assert torch.equal(blocks[3].layers.depthwise_conv.weight, state["_blocks.3._depthwise_conv.weight"])
    assert torch.equal(blocks[3].layers.expand_norm.bias, state["_blocks.3._bn0.bias"])
    assert torch.equal(blocks[15].layers.project_norm.running_var, state["_blocks.15._bn2.running_var"])
    assert torch.equal(fresh.backbone.top[1].weight, state["_bn1.weight"])
    assert torch.equal(fresh.head.weight[:, :, 0, 0], state["_fc.weight"])
    assert torch.equal(fresh.bias, state["_fc.bias"])


def test_weights_that_do_not_fit_are_refused_with_every_name():
    state = _public_lite0_state(5)
    del state["_blocks.2._bn1.bias"]
    state["_conv_stem.weight"] = torch.rand(32, 1, 3, 3)
    state["_blocks.7._se_reduce.weight"] = torch.rand(1)
    fresh = network.build("efficientnet_lite0", 5)
    before = fresh.backbone.top[0].weight.clone()
    with pytest.raises(ValueError) as refusal:
        network.load_imagenet(fresh, "efficientnet_lite0", state)
    assert "missing: blocks.2.layers.depthwise_norm.bias" in str(refusal.value)
    assert "unexpected: _blocks.7._se_reduce.weight" in str(refusal.value)
    assert "wrong shape: stem.0.weight" in str(refusal.value)
    assert torch.equal(fresh.backbone.top[0].weight, before), "nothing is copied from weights that do not fit"


def test_last_layer_of_another_width_is_refused():
    with pytest.raises(ValueError, match="12 outputs"):
        network.load_imagenet(
            network.build("efficientnet_lite0", 12),
            "efficientnet_lite0",
            _public_lite0_state(1000),
            last_layer=True,
        )


def test_restored_network_answers_like_the_one_it_came_from(mapped):
    name = "resnet152" if mapped.head.in_channels == 2048 else "efficientnet_lite0"
    restored = network.restore(lively.manifest(name), mapped.state_dict()).eval()
    assert not any(tensor.is_meta for tensor in [*restored.parameters(), *restored.buffers()])
    assert all(tensor.requires_grad for tensor in restored.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(restored(lively.images(1)), mapped(lively.images(1)), rtol=0, atol=0)


def test_restoring_what_does_not_fit_rejects_the_model(mapped):
    state = {name: value for name, value in mapped.state_dict().items() if name != "bias"}
    with pytest.raises(ModelRejected) as refusal:
        network.restore(lively.manifest("efficientnet_lite1"), state)
    assert refusal.value.code == "weights_do_not_fit"
    assert "bias" in refusal.value.message


def test_torchvision_imports_beside_a_torch_without_its_operators_and_a_light_network_without_a_compiler():
    script = (
        "import sys; from classifier.networks import network; from tests.classifier import lively;"
        "state = network.build('efficientnet_lite0', 12).state_dict();"
        "network.restore(lively.manifest('efficientnet_lite0'), state); assert 'torch._dynamo' not in sys.modules;"
        "from classifier.networks import torchvision_ops as ops; assert ops.declare_missing() is ops.declare_missing();"
        "import torchvision, torch; assert torch.ops.torchvision.nms; print(torchvision.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
