"""Exported networks are kept, and what is damaged or half written is exported again."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest

from classifier.networks import weights
from classifier.runtimes import onnx_export
from classifier.runtimes.onnx_runtime import open_session
from tests.classifier import lively


@pytest.fixture
def exports(monkeypatch):
    """The list of exports made, each replaced by a small graph of its own."""
    made = []

    def export(_network, _input_size, _names):
        made.append(f"graph {len(made) + 1}".encode())
        return made[-1]

    monkeypatch.setattr(onnx_export, "export", export)
    return made


def cached(lite_dir, cache_dir) -> bytes:
    return onnx_export.cached_graph(lite_dir, weights.read_manifest(lite_dir).weights_sha256, cache_dir)


def files(cache_dir) -> list[Path]:
    return sorted((cache_dir / "onnx").iterdir())


def test_a_network_is_exported_once(lite_dir, tmp_path, exports):
    assert cached(lite_dir, tmp_path) == cached(lite_dir, tmp_path) == b"graph 1"
    assert len(exports) == 1
    graph, digest = files(tmp_path)
    assert weights.read_manifest(lite_dir).weights_sha256 in graph.name
    assert digest.name == graph.name + ".sha256"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda graph, digest: graph.write_bytes(graph.read_bytes()[:3]),
        lambda graph, digest: graph.write_bytes(b""),
        lambda graph, digest: graph.unlink(),
        lambda graph, digest: digest.unlink(),
        lambda graph, digest: digest.write_bytes(b""),
    ],
)
def test_half_a_file_is_never_used(lite_dir, tmp_path, exports, spoil):
    cached(lite_dir, tmp_path)
    spoil(*files(tmp_path))
    assert cached(lite_dir, tmp_path) == b"graph 2"
    assert cached(lite_dir, tmp_path) == b"graph 2"
    assert len(exports) == 2


def test_other_weights_get_a_graph_of_their_own(lite_dir, tmp_path, exports):
    other = lively.save(tmp_path / "other", "efficientnet_lite0", seed=5)
    assert cached(lite_dir, tmp_path) != cached(other, tmp_path)
    assert len(files(tmp_path)) == 4


def test_a_cache_that_cannot_be_written_is_no_obstacle(lite_dir, tmp_path, exports):
    (tmp_path / "onnx").write_text("a file where the folder should be")
    assert cached(lite_dir, tmp_path) == b"graph 1"


def test_a_full_disk_leaves_no_half_file(lite_dir, tmp_path, exports, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", full_disk)
        assert cached(lite_dir, tmp_path) == b"graph 1"
    assert files(tmp_path) == []


def test_a_model_exchanged_while_it_loads_is_refused(lite_dir, tmp_path, exports):
    with pytest.raises(weights.ModelRejected) as caught:
        onnx_export.cached_graph(lite_dir, "0" * 64, tmp_path)
    assert caught.value.code == "changed"


def test_two_processes_may_export_at_the_same_time(lite_dir, tmp_path):
    script = (
        "import sys; from classifier.runtimes import open_runtime;"
        "open_runtime(sys.argv[1], cache_dir=sys.argv[2], prefer='onnx')"
    )

    def run(_):
        command = [sys.executable, "-c", script, str(lite_dir), str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(run, range(2)):
            assert done.returncode == 0, done.stderr
    graph, _digest = files(tmp_path)
    onnx.checker.check_model(onnx.load(graph), full_check=True)


def test_the_graph_takes_any_number_of_images_of_one_size(lite_dir, tmp_path):
    session = open_session(cached(lite_dir, tmp_path))
    (images,) = session.get_inputs()
    assert images.name == "images"
    assert images.shape == ["batch", 3, lively.SIDE, lively.SIDE]
    for count in (1, 3):
        logits, maps = session.run(
            ["logits", "maps"], {"images": np.zeros(images.shape[1:], np.float32)[None].repeat(count, 0)}
        )
        assert (logits.shape, maps.shape) == ((count, 14), (count, 14, 4, 4))
