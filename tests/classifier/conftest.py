import copy
from pathlib import Path

import pytest

from classifier.runtimes import openvino_networks, processor
from tests.classifier import lively
from tests.classifier.caffe_case import CaffeCase


@pytest.fixture(scope="session")
def lite_dir(tmp_path_factory) -> Path:
    """A compact network with two background classes."""
    folder = tmp_path_factory.mktemp("models") / "lively"
    return lively.save(folder, "efficientnet_lite0", background_classes=("bare_skin", "cloth"))


@pytest.fixture(scope="session")
def resnet_dir(tmp_path_factory) -> Path:
    return lively.save(tmp_path_factory.mktemp("models") / "lively", "resnet152")


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory) -> Path:
    """Exported networks, shared by the tests that only read them."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def caffe(tmp_path_factory) -> CaffeCase:
    """A ResNet-50 in Caffe's files, with what it computes for two images."""
    return CaffeCase.make(tmp_path_factory.mktemp("caffe"))


@pytest.fixture
def has_bfloat16(monkeypatch) -> None:
    """A processor with bfloat16. Where this one has none OpenVINO imitates it, and without AVX-512, where it does not
    and computes in full, the network's parameters are rounded to bfloat16."""
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    if "avx512f" in processor.facts()[1]:
        return
    compiled = openvino_networks.compile_network

    def compile_network(network, input_size, precision):
        if precision == "bf16":
            network = copy.deepcopy(network)
            for parameter in network.parameters():
                parameter.data = parameter.data.bfloat16().float()
        return compiled(network, input_size, precision)

    monkeypatch.setattr(openvino_networks, "compile_network", compile_network)
