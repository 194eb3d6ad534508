"""The runtimes give the same answers, load once, and survive want of memory."""

import copy

import numpy as np
import pytest
import torch

from classifier import runtimes
from classifier.analysing import onnx_peer
from classifier.networks import network as network_module
from classifier.networks import weights
from classifier.networks.network import restore
from classifier.runtimes import cuda, exporting, openvino_library
from classifier.runtimes.base import softmax
from classifier.runtimes.folding import fold_batch_norm
from classifier.runtimes.torch_runtime import CUDA_BATCH, TorchRuntime
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.classifier import lively


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: False)


@pytest.fixture(scope="module")
def batch():
    return lively.images(3, seed=11).numpy()


def in_onnx_runtime(folder, images):
    """What ONNX Runtime, which the product does not use, makes of the same network."""
    manifest, state = weights.load_verified(folder)
    graph = exporting.to_onnx(restore(manifest, state).eval(), images.shape[-1])
    logits, maps = onnx_peer.open_session(graph).run(["logits", "maps"], {"images": images})
    return softmax(logits), maps


@pytest.mark.parametrize("folder", ["lite_dir", "resnet_dir"])
def test_all_runtimes_give_the_same_scores_and_maps_in_full_precision(
    folder, request, cache_dir, batch, no_cuda
):
    """So that figures of evaluations are the same on another machine."""
    folder = request.getfixturevalue(folder)
    expected, expected_maps = in_onnx_runtime(folder, batch)
    for prefer in ("torch", "cpu"):
        runtime = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer=prefer)
        assert runtime.computed.precision == "f32"
        probabilities, maps = runtime.forward(batch)
        np.testing.assert_allclose(probabilities, expected, atol=1e-4, rtol=0)
        np.testing.assert_allclose(maps, expected_maps, atol=1e-4 * np.abs(expected_maps).max(), rtol=0)
    assert np.ptp(expected, axis=0).max() > 0.02, "the answers hardly depend on the image"


def test_the_cpu_answers_like_the_network_itself(lite_dir, cache_dir, batch):
    network = restore(*weights.load_verified(lite_dir)).eval()
    with torch.inference_mode():
        logits, maps = network(torch.from_numpy(batch))
    probabilities, other_maps = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu").forward(
        batch
    )
    np.testing.assert_allclose(probabilities, logits.softmax(1), atol=1e-5)
    np.testing.assert_allclose(other_maps, maps, atol=1e-4 * float(maps.abs().max()))


@pytest.mark.parametrize("prefer", ["torch", "cpu"])
def test_types_shapes_and_sums(prefer, lite_dir, cache_dir, batch, no_cuda):
    runtime = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer=prefer)
    probabilities, maps = runtime.forward(batch)
    outputs = len(DISEASE_KEYS) + 2
    assert runtime.device == "cpu"
    assert runtime.manifest.background_classes == ("bare_skin", "cloth")
    assert probabilities.dtype == maps.dtype == np.float32
    assert probabilities.shape == (3, outputs)
    assert maps.shape == (3, outputs, 4, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("prefer", ["torch", "cpu"])
def test_an_image_gets_the_same_answer_in_any_batch(prefer, lite_dir, cache_dir, no_cuda):
    runtime = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer=prefer)
    many = lively.images(2 * runtime.max_batch + 1, seed=4).numpy()
    together = runtime.forward(many)
    alone = [runtime.forward(image[None]) for image in many]
    np.testing.assert_array_equal(together[0], np.concatenate([p for p, _ in alone]))
    np.testing.assert_array_equal(together[1], np.concatenate([m for _, m in alone]))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((0, 3, 128, 128), np.float32),
        np.zeros((1, 3, 64, 64), np.float32),
        np.zeros((1, 1, 128, 128), np.float32),
        np.zeros((3, 128, 128), np.float32),
        np.zeros((1, 3, 128, 128), np.float64),
    ],
)
def test_a_batch_of_another_shape_or_type_is_refused(wrong, lite_dir, cache_dir):
    with pytest.raises(ValueError, match="expected float32"):
        runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu").forward(wrong)


def test_what_only_pytorch_can_compute_runs_in_it_and_is_exported_without_maps(
    tmp_path, cache_dir, batch, no_cuda, monkeypatch
):
    folder = lively.save(tmp_path / "model", "timm:efficientvit_b0")
    network = restore(*weights.load_verified(folder)).eval()
    with torch.inference_mode():
        logits, maps = network(torch.from_numpy(batch))
    for _again in range(2):
        runtime = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu", precision="auto")
        assert runtime.computed.runtime.startswith("PyTorch") and runtime.computed.precision == "f32"
    answer = runtime.answer(batch)
    np.testing.assert_allclose(answer.probabilities, logits.softmax(1), atol=1e-5)
    np.testing.assert_allclose(answer.maps, maps, atol=1e-4 * float(maps.abs().max()))
    # Found out once: not by restoring the network with each photo.
    monkeypatch.setattr(network_module, "restore", None)
    assert runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu") is runtime
    assert exporting.outputs_of(network) == ("logits",)
    if openvino := openvino_library.load():
        exporting.write_openvino(network, batch.shape[-1], tmp_path)
        run = openvino.Core().compile_model(
            tmp_path / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        found = run({"images": batch})
        assert len(found) == 1
        np.testing.assert_allclose(found["logits"], logits, rtol=1e-3, atol=1e-3)


def test_in_half_precision_what_follows_the_maps_stays_in_full():
    network = lively.make("timm:efficientvit_b0", 5)
    before = {id(value): value.clone() for value in network.behind.tensors()}
    TorchRuntime(lively.manifest("timm:efficientvit_b0"), network, "cuda", lambda: None, "f16")
    kinds = {value.dtype for value in network.backbone.parameters()}
    assert kinds == {torch.float16, torch.float32}
    assert all(torch.equal(value, before[id(value)]) for value in network.behind.tensors())


def test_a_model_is_loaded_once_a_process(lite_dir, cache_dir, no_cuda):
    first = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu")
    assert runtimes.open_runtime(str(lite_dir), cache_dir=cache_dir, prefer="cpu") is first
    assert runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="auto") is first
    assert runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="torch") is not first


def test_weights_that_were_changed_are_refused_by_every_runtime(lite_dir, cache_dir, tmp_path, no_cuda):
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "manifest.json").write_bytes((lite_dir / "manifest.json").read_bytes())
    (changed / "model.safetensors").write_bytes((lite_dir / "model.safetensors").read_bytes() + b"x")
    for prefer in ("torch", "cpu", "auto"):
        with pytest.raises(weights.ModelRejected) as caught:
            runtimes.open_runtime(changed, cache_dir=cache_dir, prefer=prefer)
        assert caught.value.code == "wrong_hash"


def test_without_cuda_auto_is_openvino_and_photos_are_taken_one_by_one(lite_dir, cache_dir, no_cuda):
    if openvino_library.load():
        assert runtimes.open_runtime(lite_dir, cache_dir=cache_dir).computed.runtime.startswith("OpenVINO ")
    assert [runtimes.preferred_batch(prefer) for prefer in runtimes.PREFERENCES] == [1, 1, 1]


def test_with_cuda_photos_are_taken_in_batches_unless_the_cpu_is_wanted(monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    batches = [runtimes.preferred_batch(prefer) for prefer in ("auto", "torch", "cpu")]
    assert batches == [CUDA_BATCH, CUDA_BATCH, 1]


def test_another_preference_is_refused(lite_dir, cache_dir):
    with pytest.raises(ValueError, match="'tpu'"):
        runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="tpu")


class SmallDevice(TorchRuntime):
    """A device whose memory holds ``room`` images at once."""

    room = 0

    def _on_device(self, batch):
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super()._on_device(batch)


@pytest.fixture
def small_device(lite_dir, cache_dir):
    manifest, state = weights.load_verified(lite_dir)
    cpu = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu")
    device = SmallDevice(manifest, restore(manifest, state), "cpu", lambda: cpu)
    device.max_batch = 8
    device.tried = []
    return device


def test_out_of_memory_halves_the_batch_for_good(small_device, lite_dir, cache_dir):
    small_device.room = 2
    images = lively.images(7, seed=2).numpy()
    probabilities, maps = small_device.forward(images)
    expected = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu").forward(images)
    np.testing.assert_allclose(probabilities, expected[0], atol=1e-4)
    np.testing.assert_allclose(maps, expected[1], atol=1e-3)
    assert small_device.max_batch <= 2
    small_device.tried.clear()
    small_device.forward(images)
    assert max(small_device.tried) <= 2, "what did not fit is not tried again"


def test_a_single_image_that_does_not_fit_goes_to_the_cpu(small_device, lite_dir, cache_dir):
    images = lively.images(2, seed=2).numpy()
    probabilities, _maps = small_device.forward(images)
    expected, _maps = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu").forward(images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    assert small_device.max_batch == 1
    # A card's images and the CPU's: both are named.
    assert small_device.computed.runtime.count("PyTorch") == 1 and "," in small_device.computed.runtime


@pytest.mark.parametrize(
    "message",
    [
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: out of memory",
        "GET was unable to find an engine to execute this computation",
    ],
)
def test_libraries_say_out_of_memory_in_their_own_words(small_device, monkeypatch, message):
    whole = TorchRuntime._on_device

    def full(device, batch):
        if len(batch) > 1:
            raise RuntimeError(message)
        return whole(device, batch)

    monkeypatch.setattr(SmallDevice, "_on_device", full)
    small_device.forward(lively.images(2).numpy())
    assert small_device.max_batch == 1


def test_a_network_that_does_not_fit_goes_to_the_cpu_until_there_is_room(
    lite_dir, cache_dir, small_device, monkeypatch
):
    """A card that another process fills must not make photos fail."""
    images = lively.images(6, seed=3).numpy()
    expected = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu").forward(images)

    def full(_device):
        raise torch.OutOfMemoryError("CUDA out of memory")

    small_device.room = 8
    with monkeypatch.context() as patched:
        patched.setattr(small_device._network, "to", full)
        probabilities, maps = small_device.forward(images)
    np.testing.assert_allclose(probabilities, expected[0], atol=1e-4)
    np.testing.assert_allclose(maps, expected[1], atol=1e-3)
    assert small_device.tried == [] and small_device.max_batch == 8
    assert "," in small_device.computed.runtime
    small_device.forward(images)
    assert small_device.tried == [6], "as soon as there is room the device is used"
    assert "," not in small_device.computed.runtime


def test_the_last_layer_is_computed_in_full_precision(small_device, monkeypatch):
    """cuDNN would by default round its operands to TF32."""
    allowed = []
    classify = small_device._network.classify

    def noted(features):
        allowed.append((features.dtype, torch.backends.cudnn.allow_tf32))
        return classify(features)

    monkeypatch.setattr(small_device._network, "classify", noted)
    small_device.room = 1
    before = torch.backends.cudnn.allow_tf32
    small_device.forward(lively.images(1).numpy())
    assert allowed == [(torch.float32, False)] and torch.backends.cudnn.allow_tf32 == before


def test_other_errors_of_the_device_are_not_hidden(small_device, monkeypatch):
    def broken(_self, _batch):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(SmallDevice, "_on_device", broken)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        small_device.forward(lively.images(1).numpy())


@pytest.mark.parametrize("architecture", ["efficientnet_lite0", "resnet152"])
def test_folding_normalisation_leaves_the_features_alone(architecture):
    backbone = lively.make(architecture, 12).backbone
    folded = copy.deepcopy(backbone)
    fold_batch_norm(folded)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    images = lively.images(1, seed=9)
    with torch.inference_mode():
        expected, answer = backbone(images), folded(images)
    torch.testing.assert_close(answer, expected, atol=1e-4 * float(expected.max()), rtol=0)


def test_softmax_of_large_logits_is_finite_and_of_nan_is_not():
    probabilities = softmax(np.float32([[1000, 0, -1000], [np.nan, 1, 2], [np.inf, 1, 2]]))
    np.testing.assert_allclose(probabilities[0], [1, 0, 0])
    assert not np.isfinite(probabilities[1:]).any(axis=1).all()


@pytest.mark.gpu
def test_cuda_in_full_precision_gives_the_cpus_scores(lite_dir, resnet_dir, cache_dir):
    for folder in (lite_dir, resnet_dir):
        gpu = runtimes.open_runtime(folder, cache_dir=cache_dir)
        assert (gpu.device, gpu.computed.precision) == ("cuda", "f32")
        images = lively.images(5, seed=6).numpy()
        expected = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu").forward(images)
        np.testing.assert_allclose(gpu.forward(images)[0], expected[0], atol=1e-4)


@pytest.mark.gpu
def test_cuda_in_half_precision_agrees_with_the_cpu(lite_dir, resnet_dir, cache_dir):
    """Random weights multiply rounding errors: half precision imitated on a CPU moved the compact network's scores
    by 0.032 and its maps by 0.059 of the largest, those of ResNet-152 by 0.005 and 0.016; trained ones far less
    (tests/gpu/agreement.py).
    """
    for folder, share in ((lite_dir, 0.12), (resnet_dir, 0.04)):
        gpu = runtimes.open_runtime(folder, cache_dir=cache_dir, precision="auto")
        assert (gpu.device, gpu.computed.precision) == ("cuda", "f16")
        images = lively.images(5, seed=6).numpy()
        expected = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu").forward(images)
        for answer, reference in zip(gpu.forward(images), expected, strict=True):
            np.testing.assert_allclose(answer, reference, atol=share * np.abs(reference).max())
