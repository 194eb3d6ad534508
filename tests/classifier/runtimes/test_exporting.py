"""A model as files for other programs gives there what it gives here."""

import importlib.util
import json
import resource

import numpy as np
import onnxruntime
import pytest
import torch
from django.core.management import CommandError, call_command

from classifier.networks import weights
from classifier.networks.network import restore
from classifier.runtimes import exporting, openvino_library
from tests.classifier import lively


@pytest.fixture(scope="module")
def images():
    return lively.images(2, seed=4)


def expected(folder, images):
    manifest, state = weights.load_verified(folder)
    with torch.inference_mode():
        return [part.numpy() for part in restore(manifest, state).eval()(images)]


def test_what_other_programs_compute_is_the_same(lite_dir, images, tmp_path):
    call_command("export_model", str(tmp_path / "a"), format="onnx", model=str(lite_dir))
    session = onnxruntime.InferenceSession(tmp_path / "a" / "model.onnx", providers=["CPUExecutionProvider"])
    answers = {"onnx": session.run(list(exporting.OUTPUTS), {"images": images.numpy()})}
    if openvino := openvino_library.load():
        call_command("export_model", str(tmp_path / "b"), format="openvino", model=str(lite_dir))
        options = {"INFERENCE_PRECISION_HINT": "f32"}
        run = openvino.Core().compile_model(tmp_path / "b" / "model.xml", "CPU", options)
        found = run({"images": images.numpy()})
        answers["openvino"] = [found[name] for name in exporting.OUTPUTS]
    for name, answer in answers.items():
        for ours, theirs in zip(expected(lite_dir, images), answer, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-3, err_msg=name)
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["weights_sha256"] == weights.read_manifest(lite_dir).weights_sha256


def test_without_its_package_onnx_is_refused_in_words_and_nothing_is_left(lite_dir, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnx" else real(name))
    with pytest.raises(CommandError, match="pip install onnx"):
        call_command("export_model", str(tmp_path / "a"), format="onnx", model=str(lite_dir))
    assert not [path for path in tmp_path.iterdir() if path.name != "home"]
    (tmp_path / "there").mkdir()
    with pytest.raises(CommandError, match="there already"):
        call_command("export_model", str(tmp_path / "there"), format="onnx", model=str(lite_dir))
    with pytest.raises(CommandError, match="nobody"):
        call_command("export_model", str(tmp_path / "a"), format="onnx", model="nobody")


@pytest.mark.skipif(openvino_library.load() is None, reason="there is no OpenVINO here")
def test_a_disk_that_takes_no_more_is_told_as_such(lite_dir, tmp_path):
    """OpenVINO says of it what its streams say; a limit of the size of files stands for the disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(OSError, match="could not write its files"):
            exporting.export(lite_dir, "openvino", tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not [path for path in tmp_path.iterdir() if path.name != "home"]
