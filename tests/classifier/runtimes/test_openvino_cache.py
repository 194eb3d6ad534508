"""Compiled networks are kept, and what is damaged, half written or another's is compiled again."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from classifier import runtimes
from classifier.networks import weights
from classifier.runtimes import openvino_library, openvino_networks, precisions, processor
from tests.classifier import lively

pytestmark = pytest.mark.skipif(not openvino_library.load(), reason="there is no OpenVINO for this machine")


@pytest.fixture(scope="module")
def networks():
    """What was compiled in this file, by the weights' first bytes and precision: it takes seconds."""
    return {}


@pytest.fixture(autouse=True)
def compiled(monkeypatch, networks):
    """How often a network was compiled."""
    made = []
    real = openvino_networks.compile_network

    def compile_network(network, side, precision):
        made.append(precision)
        key = network.bias.detach().numpy().tobytes(), precision
        if key not in networks:
            networks[key] = real(network, side, precision)
        return networks[key]

    monkeypatch.setattr(openvino_networks, "compile_network", compile_network)
    return made


def cached(folder, cache_dir, precision=precisions.F32):
    sha256 = weights.read_manifest(folder).weights_sha256
    return openvino_networks.cached(folder, sha256, cache_dir, precision, 1)


def files(cache_dir) -> list[Path]:
    return sorted((cache_dir / "openvino").glob("*.blob"))


def answer(network):
    found = network([lively.images(1, seed=3).numpy()])
    return np.array(found[0]), np.array(found[1])


def test_a_network_is_compiled_once_and_answers_alike_from_its_file(lite_dir, tmp_path, compiled):
    first, second = (answer(cached(lite_dir, tmp_path)) for _ in range(2))
    assert len(compiled) == 1
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    (file,) = files(tmp_path)
    for part in (weights.read_manifest(lite_dir).weights_sha256, openvino_library.version(), "f32"):
        assert part in file.name
    assert processor.fingerprint() in file.name


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(file.read_bytes()[:3]),
        lambda file: file.write_bytes(file.read_bytes()[:-3]),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:2000] + b"x" + file.read_bytes()[2001:]),
        lambda file: file.unlink(),
    ],
)
def test_half_a_file_is_never_used(lite_dir, tmp_path, compiled, spoil):
    expected = answer(cached(lite_dir, tmp_path))
    spoil(*files(tmp_path))
    np.testing.assert_array_equal(answer(cached(lite_dir, tmp_path))[0], expected[0])
    cached(lite_dir, tmp_path)
    assert len(compiled) == 2


def test_what_another_version_of_openvino_has_made_is_compiled_again(lite_dir, tmp_path, compiled):
    """Should one ever stand under the name of this one."""
    cached(lite_dir, tmp_path)
    (file,) = files(tmp_path)
    content = file.read_bytes()[64:].replace(openvino_library.version().encode(), b"2020.1.1", 1)
    openvino_networks.write_whole(
        file, openvino_networks.hashlib.sha256(content).hexdigest().encode() + content
    )
    answer(cached(lite_dir, tmp_path))
    assert len(compiled) == 2


def test_other_weights_precisions_and_processors_have_files_of_their_own(lite_dir, tmp_path, monkeypatch):
    other = lively.save(tmp_path / "other", "efficientnet_lite0", seed=5)
    cached(lite_dir, tmp_path)
    cached(other, tmp_path)
    assert len(files(tmp_path)) == 2
    cached(lite_dir, tmp_path, precisions.BF16)
    assert len(files(tmp_path)) == 3
    monkeypatch.setattr(processor, "facts", lambda: ("another", frozenset({"avx2"})))
    cached(lite_dir, tmp_path)
    assert len(files(tmp_path)) == 4


def test_a_cache_that_cannot_be_written_is_no_obstacle(lite_dir, tmp_path, compiled):
    (tmp_path / "openvino").write_text("a file where the folder should be")
    answer(cached(lite_dir, tmp_path))
    assert len(compiled) == 1


def test_a_full_disk_leaves_no_half_file(lite_dir, tmp_path, compiled, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", full_disk)
        answer(cached(lite_dir, tmp_path))
    assert files(tmp_path) == []


def test_a_model_exchanged_while_it_loads_is_refused(lite_dir, tmp_path):
    with pytest.raises(weights.ModelRejected) as caught:
        openvino_networks.cached(lite_dir, "0" * 64, tmp_path, precisions.F32, 1)
    assert caught.value.code == "changed"


OPEN = """
import logging, sys
from classifier import runtimes
from classifier.runtimes import openvino_networks
real = openvino_networks.compile_network
def compile_network(*arguments):
    print("compiled")
    return real(*arguments)
openvino_networks.compile_network = compile_network
runtimes.open_runtime(sys.argv[1], cache_dir=sys.argv[2], prefer="cpu")
print("telemetry" if sys.modules.get("openvino_telemetry") else "", "torch" if "torch" in sys.modules else "")
"""


def opened(lite_dir, cache_dir, home) -> str:
    command = [sys.executable, "-c", OPEN, str(lite_dir), str(cache_dir)]
    environment = os.environ | {"HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_of_workers_that_start_at_once_one_compiles_and_none_tells_anybody(lite_dir, tmp_path):
    """OpenVINO reports every import to its maker unless somebody has refused."""
    home = tmp_path / "of nobody"
    home.mkdir()
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda _: opened(lite_dir, tmp_path, home), range(2)))
    assert "".join(said).count("compiled") == 1
    said.append(opened(lite_dir, tmp_path, home))
    assert said[-1].split() == [], "from the cache it starts without PyTorch"
    assert not any("telemetry" in one for one in said) and not list(home.iterdir())


def test_without_openvino_pytorch_runs_the_network(lite_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_library, "load", lambda: None)
    runtime = runtimes.open_runtime(lite_dir, cache_dir=tmp_path, prefer="cpu", precision="bf16")
    assert runtime.computed.runtime.startswith("PyTorch ") and runtime.computed.precision == "f32"
    images = lively.images(2, seed=3).numpy()
    monkeypatch.undo()
    other = runtimes.open_runtime(lite_dir, cache_dir=tmp_path, prefer="cpu")
    assert other.computed.runtime == f"OpenVINO {openvino_library.version()}"
    np.testing.assert_allclose(runtime.forward(images)[0], other.forward(images)[0], atol=1e-4)


def test_a_network_whose_answers_are_no_numbers_is_refused_and_not_kept(tmp_path):
    """OpenVINO by itself makes zeros of them."""
    made = lively.manifest("efficientnet_lite0")
    network = lively.make("efficientnet_lite0", made.outputs)
    state = network.state_dict()
    state[next(name for name in state if name.endswith(".running_var"))].fill_(-5.0)
    weights.save(tmp_path / "broken", made, state)
    for _once_more in range(2):
        with pytest.raises(weights.ModelRejected, match="not finite numbers") as caught:
            runtimes.open_runtime(tmp_path / "broken", cache_dir=tmp_path, prefer="cpu")
        assert caught.value.code == "scores_not_finite"
    assert files(tmp_path) == []
