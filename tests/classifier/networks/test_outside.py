"""Networks of torchvision and timm: cut where they pool, they compute what they did, and their maps are Grad-CAM's."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from classifier.networks import network, outside, pooled, torchvision_ops
from classifier.networks.architectures import design_of
from classifier.networks.cam import to_heatmaps
from classifier.networks.manifest import ModelRejected
from tests.cases import each
from tests.classifier import lively

OUTPUTS = 13
# One of each kind of end: plain; a normalisation by layer; a convolution and hard swish; a convolution, batch
# normalisation and ReLU; a convolution as the last layer; pooling by a function; maps with channels last.
PLAIN = ["timm:resnet10t", "torchvision:shufflenet_v2_x0_5", "timm:dla46x_c", "torchvision:mnasnet0_5"]
WITH_TAIL = ["timm:convnext_atto", "timm:mobilenetv3_small_050", "timm:mobilenetv4_conv_small_050"]
WITH_TAIL += ["torchvision:mobilenet_v3_small", "timm:ghostnetv2_100"]
# A learnt scaling; a squared ReLU in an MLP; a convolution before pooling; attention pooling; maps pooled to 6 x 6.
BY_GRADIENT = [
    "timm:hgnetv2_b0",
    "timm:caformer_s18",
    "timm:efficientvit_b0",
    "timm:resnet50_clip",
    "torchvision:alexnet",
]


class Usual(nn.Module):
    """The library's own network, with a place after its last feature maps for pytorch-grad-cam to look at."""

    def __init__(self, name: str, net: nn.Module, cut: outside.Cut):
        super().__init__()
        self.cut, self.place, self.net, self.name = cut, nn.Identity(), net, name
        self.heads = list(outside._ending_of(name, net).layers)

    def forward(self, x):
        features = self.place(self.cut(x))
        modules = dict(self.net.named_modules())
        vector = features.mean((2, 3), keepdim=True)
        for layer in self.heads:
            module = modules[layer]
            shaped = vector.flatten(1) if isinstance(module, nn.Linear) else vector
            vector = module(shaped)
        return vector.flatten(1)


def make(name: str, side: int = lively.SIDE, count: int = 6):
    """The library's network, made lively by so many images, and ours with its numbers, both in evaluation mode."""
    torch.manual_seed(4)
    net = outside.whole(name, OUTPUTS)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
        elif isinstance(module, nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.2)
    with torch.no_grad():
        last = net.get_submodule(outside.last_of(name))
        nn.init.normal_(last.weight, std=0.1)
        if last.bias is not None:
            nn.init.normal_(last.bias, std=0.3)
        net.train()(lively.images(count, side=side))
    net.eval()
    ours = network.build(name, OUTPUTS)
    backbone, last = network.split_public(name, net.state_dict())
    network.load_strictly(ours.backbone, backbone)
    network.load_strictly(ours.head, {"weight": last["weight"][:, :, None, None]})
    with torch.no_grad():
        ours.bias.copy_(last["bias"])
    return net, ours.eval()


@each("name", PLAIN + WITH_TAIL)
def test_scores_are_the_librarys_and_maps_are_grad_cams(name):
    torchvision_ops.declare_missing()
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    net, ours = make(name)
    assert bool(ours.backbone.tail) == (name in WITH_TAIL)
    images = lively.images(2, seed=9)
    with torch.inference_mode():
        expected, (answer, maps) = net(images), ours(images)
    torch.testing.assert_close(answer, expected, rtol=1e-4, atol=1e-4)
    assert expected.std(dim=0).max() > 1e-3, "the scores hardly depend on the image"

    usual = Usual(name, net, copy.deepcopy(ours.backbone)).eval().requires_grad_(False)
    with torch.inference_mode():
        torch.testing.assert_close(usual(images), expected, rtol=1e-4, atol=1e-4)
    image = images[:1].clone().requires_grad_()
    with GradCAM(usual, [usual.place]) as grad_cam:
        for output in (0, 5, 12):
            targets = [ClassifierOutputTarget(output)]
            grad_cam(image, targets)
            kept = grad_cam.activations_and_grads
            raw = grad_cam.get_cam_image(
                image, usual.place, targets, kept.activations[0].detach().numpy(), kept.gradients[0].numpy()
            )
            np.testing.assert_allclose(
                to_heatmaps(maps[:1, output].numpy())[0], scale_cam_image(np.maximum(raw, 0))[0], atol=2e-3
            )


class Library(nn.Module):
    """The library's own network, as it comes, with a place behind its last feature maps."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net, self.place = net, nn.Identity()

    def forward(self, x):
        if hasattr(self.net, "forward_head"):
            return self.net.forward_head(self.place(self.net.forward_features(x)))
        maps = self.place(self.net.features(x))
        return self.net.classifier(self.net.avgpool(maps).flatten(1))


@each("name", BY_GRADIENT)
def test_whatever_follows_the_maps_theirs_are_weighed_as_pytorch_grad_cam_weighs_them(name):
    torchvision_ops.declare_missing()
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    # An attention over places is for as many of them as it was made for.
    side = 224 if "clip" in name else lively.SIDE
    net, ours = make(name, side, 2)
    assert ours.behind and not ours.backbone.tail and "computed by PyTorch" in network.maps_in_words(ours)
    image = lively.images(1, seed=9, side=side)
    with torch.inference_mode():
        expected, (answer, maps) = net(image), ours(image)
        given = ours.pooled(ours.backbone(image)) @ ours.head.weight.flatten(1).T + ours.bias
    torch.testing.assert_close(answer, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(given, answer)
    library = Library(net).eval().requires_grad_(False)
    shape = (lambda found: found.permute(0, 3, 1, 2)) if ours.backbone.is_channels_last else None
    image.requires_grad_()
    with GradCAM(library, [library.place], shape) as grad_cam:
        for output in (0, 5, 12):
            targets = [ClassifierOutputTarget(output)]
            grad_cam(image, targets)
            kept = grad_cam.activations_and_grads
            raw = grad_cam.get_cam_image(
                image, library.place, targets, kept.activations[0].numpy(), kept.gradients[0].numpy()
            )
            heatmap = to_heatmaps(maps[:, output].numpy())[0]
            np.testing.assert_allclose(heatmap, scale_cam_image(np.maximum(raw, 0))[0], atol=2e-3)


def test_what_follows_the_maps_stays_as_in_use_while_it_is_trained_with_the_rest():
    ours = network.build("timm:efficientvit_b0", OUTPUTS).train()
    assert ours.backbone.net.training and not any(module.training for module in ours.behind.modules)
    logits, _maps = ours(lively.images(2, seed=3))
    logits.sum().backward()
    weights = [value for value in ours.behind.tensors() if value.requires_grad]
    assert weights and all(value.grad is not None for value in weights)
    # A copy, of which averages of weights are made, has its own.
    copied = copy.deepcopy(ours)
    own = {id(value) for value in copied.parameters()}
    assert all(id(value) in own for value in copied.behind.tensors() if value.requires_grad)
    assert copied.behind.function.__self__ is copied.backbone.net


def test_the_closed_form_is_the_gradient_of_every_layer_that_may_stand_between():
    torch.manual_seed(0)
    normal = nn.BatchNorm1d(8)
    normal.running_mean.normal_()
    normal.running_var.uniform_(0.5, 2)
    smooth = [nn.SiLU(), nn.GELU(), nn.Hardswish(), nn.Tanh(), nn.ReLU6(), nn.ReLU()]
    uneven = nn.LayerNorm(8)
    nn.init.normal_(uneven.weight)
    for module in [nn.Conv2d(8, 5, 1), nn.Linear(8, 7, bias=False), normal, uneven, *smooth]:
        (layer,) = pooled.layers_of(module.eval().double())
        x = 3 * torch.randn(3, 8, dtype=torch.double)
        each_row = [torch.autograd.functional.jacobian(layer.forward, row[None])[0, :, 0] for row in x]
        jacobian = torch.stack(each_row)
        rows = torch.randn(1, 4, jacobian.shape[1], dtype=torch.double)
        expected = rows @ jacobian
        torch.testing.assert_close(layer.back(rows, x).expand_as(expected), expected)


@each(
    "name, reason",
    [
        ("timm:vit_tiny_patch16_224", "tokens in a row"),
        ("timm:mixer_s32_224", "tokens in a row"),
        ("timm:crossvit_9_240", "several last feature maps"),
        ("timm:mobilenetv5_300m_enc", "does not support classification"),
        ("timm:repvit_m0_9", "more than what its last layer gives"),
        ("torchvision:squeezenet1_0", "last layer is not linear"),
        ("torchvision:googlenet", "for training alone"),
        ("timm:resnet10x", "no network 'resnet10x'; names like it: .*resnet10t"),
        ("torchvision:lenet", "no network"),
    ],
)
def test_networks_that_end_otherwise_are_refused_with_what_is_in_the_way(name, reason):
    with pytest.raises(ModelRejected, match=reason):
        network.build(name, 1)


def test_what_is_known_of_a_network_comes_from_its_library():
    design = design_of("timm:convnext_atto")
    assert (design.features, design.input_size, design.mean) == (320, 224, (0.485, 0.456, 0.406))
    assert design.blocks == 17
    design = design_of("torchvision:efficientnet_b0")
    assert (design.features, design.input_size) == (1280, 224)


def test_what_is_cut_is_held_against_the_whole(monkeypatch):
    outside.check_same("timm:mobilenetv3_small_050")
    # Random weights make scores of some networks that are far smaller than any difference that is allowed.
    forward = outside.Cut.forward
    monkeypatch.setattr(outside.Cut, "forward", lambda self, x: 1.01 * forward(self, x))
    for name in ("torchvision:mobilenet_v3_small", "timm:ghostnetv2_100", "timm:resnet10t"):
        with pytest.raises(ModelRejected, match="not all that its scores are made of"):
            outside.check_same(name, 64)
