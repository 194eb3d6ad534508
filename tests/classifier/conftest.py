from pathlib import Path

import pytest

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
