"""An imported Caffe network computes what Caffe computes, layer by layer."""

import re

import numpy as np
import pytest
import torch

from classifier import runtimes
from classifier.imports.caffe_resnet import read_caffe_resnet
from classifier.imports.labels import read_labels
from classifier.networks import network, weights
from classifier.networks.manifest import Manifest
from classifier.networks.preprocess import Preprocessing, to_array
from classifier.runtimes import cuda
from tests.classifier.caffe_case import LABELS, MEAN_BGR
from tests.classifier.caffe_net import BLOCK_NAMES
from tests.classifier.grad_cam import assert_maps_are_grad_cam

HOW = Preprocessing(224, tuple(value / 255 for value in MEAN_BGR), (1 / 255,) * 3, "bgr", "bilinear")


@pytest.fixture(scope="module")
def state(caffe):
    found = read_caffe_resnet(caffe.prototxt, caffe.caffemodel)
    assert (found.architecture, found.input_size) == ("resnet50-caffe", 224)
    return found.parts.arranged(read_labels(caffe.labels))


@pytest.fixture(scope="module")
def imported(state):
    made = network.build("resnet50-caffe", len(LABELS))
    network.load_strictly(made, state)
    return made.eval()


@pytest.fixture(scope="module")
def model_dir(state, tmp_path_factory):
    """The network as it is stored."""
    background = tuple(name for name in LABELS if not re.fullmatch("[a-z]+", name) or name == "psoriasis")
    manifest = Manifest("caffe", "resnet50-caffe", HOW, "random weights", background_classes=background)
    folder = tmp_path_factory.mktemp("models") / "caffe"
    weights.save(folder, manifest, state)
    return folder


def modules_by_layer() -> dict[str, str]:
    """{layer in Caffe: module of ours with the same output}, for what ends in a module of its own.

    Normalisation is two layers there; its output is that of the second.
    """
    pairs = {"scale_conv1": "bn1", "pool1": "maxpool"}
    for stage, blocks in enumerate(BLOCK_NAMES[50], start=2):
        for index, block in enumerate(blocks):
            ours = f"layer{stage - 1}.{index}"
            pairs[f"res{stage}{block}_relu"] = ours
            for number, branch in enumerate("abc", start=1):
                pairs[f"res{stage}{block}_branch2{branch}"] = f"{ours}.conv{number}"
                pairs[f"scale{stage}{block}_branch2{branch}"] = f"{ours}.bn{number}"
            if block == "a":
                pairs[f"res{stage}a_branch1"] = f"{ours}.downsample.0"
                pairs[f"scale{stage}a_branch1"] = f"{ours}.downsample.1"
    return pairs


def assert_close(answer, expected, name):
    """Equal in every element, to a millionth part of the largest for each of up to some fifty layers."""
    assert answer.shape == expected.shape, name
    assert expected.std() > 0, f"{name} is too flat to prove anything"
    np.testing.assert_allclose(answer, expected, rtol=0, atol=3e-5 * np.abs(expected).max(), err_msg=name)


def test_every_layer_gives_what_caffe_gives(caffe, imported):
    given = {}
    pairs = modules_by_layer()
    modules = dict(imported.backbone.named_modules())
    hooks = [
        modules[ours].register_forward_hook(
            lambda _module, _inputs, output, name=name: given.update({name: output.numpy().copy()})
        )
        for name, ours in pairs.items()
    ]
    with torch.inference_mode():
        logits, maps = imported(torch.from_numpy(caffe.inputs.astype(np.float32)))
    for hook in hooks:
        hook.remove()
    assert given.keys() == pairs.keys()
    for name, answer in given.items():
        expected = caffe.outputs[name]
        if len(caffe.blobs.get(name, [])) == 2 and name.startswith("res"):
            # Our convolutions have no bias; it is in the normalisation that follows.
            expected = expected - caffe.blobs[name][1][:, None, None]
        assert_close(answer, expected, name)
    # Floor would give 55.
    assert given["pool1"].shape[2:] == (56, 56)
    assert_close(logits.numpy(), caffe.outputs["fc_skin"][:, caffe.order], "fc_skin")
    bias = caffe.blobs["fc_skin"][1][caffe.order]
    assert_close(maps.numpy().mean((2, 3)) + bias, caffe.outputs["fc_skin"][:, caffe.order], "maps")
    np.testing.assert_allclose(
        logits.softmax(1).numpy(), caffe.outputs["prob"][:, caffe.order], rtol=0, atol=1e-5
    )


def test_the_network_made_has_every_peculiarity(caffe):
    """Else the comparison above would prove less than it says."""
    factors = [caffe.blobs[layer.name][2][0] for layer in caffe.net if layer.kind == "BatchNorm"]
    assert factors.count(0) == factors.count(1) == 1
    assert np.ptp(factors) > 500
    assert np.any(caffe.blobs["bn2b_branch2a"][0]), "mean that must not be used"
    assert len(caffe.blobs["conv1"]) == len(caffe.blobs["res4b_branch2b"]) == 2
    assert len(caffe.blobs["res2a_branch1"]) == len(caffe.blobs["scale4a_branch2a"]) == 1
    assert np.ptp(caffe.outputs["prob"], axis=0).max() > 0.05, "the scores hardly depend on the image"
    assert (caffe.outputs["res5c_relu"] == 0).mean() > 0.1


def test_a_photo_becomes_what_caffe_takes(caffe):
    """Blue, green, red from 0 to 255, less the mean of each."""
    for photo, expected in zip(caffe.photos, caffe.inputs, strict=True):
        np.testing.assert_allclose(to_array(photo, HOW), expected, rtol=0, atol=1e-3)


# What OpenCV 4.14's reader (cv2.dnn.readNetFromCaffe, gone in OpenCV 5) gives for this network, its blobs written
# plainly, and these images: two rows of the softmax's scores, in the order of the file.
OPENCV = np.fromstring(
    """
    3.57361697e-02 4.64036129e-04 4.96891607e-03 4.33411624e-04 7.15795485e-03
    1.12806447e-03 2.80500889e-01 5.79656437e-02 6.30258815e-03 2.53991014e-03
    2.30604596e-03 8.26274697e-03 1.73738797e-03 5.70653677e-01 1.98425148e-02
    3.66790630e-02 8.09645222e-04 1.08247595e-02 8.29101191e-04 5.76084619e-03
    1.42038288e-03 2.15484738e-01 6.25438318e-02 4.76084836e-03 4.31786897e-03
    3.58379446e-03 8.60222243e-03 1.57422735e-03 6.28735960e-01 1.40727097e-02
    """,
    np.float32,
    sep=" ",
).reshape(2, len(LABELS))


@pytest.mark.parametrize("prefer", ["torch", "cpu"])
def test_the_stored_model_gives_caffes_and_opencvs_scores_from_the_photo(
    caffe, model_dir, cache_dir, prefer, monkeypatch
):
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    runtime = runtimes.open_runtime(model_dir, cache_dir=cache_dir, prefer=prefer)
    batch = np.stack([to_array(photo, HOW) for photo in caffe.photos])
    probabilities, maps = runtime.forward(batch)
    assert maps.shape == (2, len(LABELS), 7, 7)
    expected = caffe.outputs["prob"][:, caffe.order]
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(probabilities, OPENCV[:, caffe.order], rtol=0, atol=1e-5)


def test_storing_changes_no_number(state, model_dir):
    _manifest, stored = weights.load_verified(model_dir)
    assert stored.keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in stored.items())


def test_maps_are_those_of_grad_cam(caffe, imported):
    # Half the size takes a quarter of the time, and pytorch-grad-cam goes through the network for each output.
    image = torch.from_numpy(caffe.inputs[:1, :, ::2, ::2].astype(np.float32))
    assert_maps_are_grad_cam(imported, image)
