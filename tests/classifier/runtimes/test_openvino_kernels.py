"""Which of OpenVINO's kernels compute a network, and that the answer is the same."""

import numpy as np
import pytest

from classifier.networks import network, weights
from classifier.runtimes import openvino_kernels, openvino_library, openvino_networks, precisions, processor
from tests.classifier import lively

pytestmark = pytest.mark.skipif(not openvino_library.load(), reason="there is no OpenVINO for this machine")


def kernels(compiled) -> set[str]:
    """Those of convolutions, where the processor has them; other processors have other names."""
    about = [one.get_rt_info() for one in compiled.get_runtime_model().get_ops()]
    return {
        one["primitiveType"].astype(str) for one in about if one["layerType"].astype(str) == "Convolution"
    }


def answer(compiled) -> list[np.ndarray]:
    found = compiled([lively.images(1, seed=3).numpy()])
    return [np.array(found[place]) for place in range(3)]


@pytest.mark.skipif("avx2" not in processor.facts()[1], reason="the processor has other kernels")
def test_with_avx2_alone_pointwise_convolutions_take_the_faster_kernel(lite_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "facts", lambda: ("wider", frozenset({"avx2", "avx512f"})))
    network_of = network.restore(*weights.load_verified(lite_dir)).eval()
    side = weights.read_manifest(lite_dir).preprocessing.input_size
    compiled = openvino_networks.compile_network(network_of, side, precisions.F32)
    usual = openvino_networks.open_compiled(compiled, precisions.F32, 1)
    monkeypatch.setattr(processor, "facts", lambda: ("narrower", frozenset({"avx2"})))
    sha256 = weights.read_manifest(lite_dir).weights_sha256
    made, opened = (openvino_networks.cached(lite_dir, sha256, tmp_path, precisions.F32, 1) for _ in range(2))
    wished = f"{openvino_kernels.POINTWISE.removeprefix('cpu:')}_f32"
    assert wished not in kernels(usual)
    assert wished in kernels(made) and wished in kernels(opened)
    for one, other, again in zip(answer(usual), answer(made), answer(opened), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * np.abs(one).max())
        np.testing.assert_array_equal(other, again)
