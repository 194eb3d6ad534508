"""Which precision a machine computes in, how many threads it takes, and what both change in the answers."""

import numpy as np
import pytest

from classifier import runtimes
from classifier.runtimes import cuda, harmless, openvino_library, precisions, processor
from skinclinic.engine import processors
from tests.classifier import lively

needs_openvino = pytest.mark.skipif(
    not openvino_library.load(), reason="there is no OpenVINO for this machine"
)
AMX = frozenset({"avx2", "avx512f", "avx512_bf16", "amx_bf16"})
ZEN = frozenset({"avx2", "avx512f", "avx512_bf16"})
OLD = frozenset({"avx2", "avx512f"})


@pytest.fixture(autouse=True)
def no_cuda(monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("flags", "offered"), [(AMX, "bf16"), (ZEN, "bf16"), (OLD, "f32"), (frozenset(), "f32")]
)
def test_bfloat16_is_used_only_where_the_processor_has_it(monkeypatch, flags, offered):
    monkeypatch.setattr(processor, "facts", lambda: ("any", flags))
    assert [precisions.on_cpu(wanted) for wanted in precisions.WANTED] == [offered, "f32", offered]
    assert processor.has_amx() == (flags is AMX)


def test_what_is_left_open_is_half_on_cuda_and_full_in_pytorch_on_a_cpu():
    assert [precisions.on_cuda(wanted) for wanted in precisions.WANTED] == ["f16", "f32", "bf16"]
    assert {precisions.on_cpu_in_torch(wanted) for wanted in precisions.WANTED} == {"f32"}


def test_another_precision_is_refused(lite_dir, cache_dir):
    for choose in (precisions.on_cpu, precisions.on_cpu_in_torch, precisions.on_cuda):
        with pytest.raises(ValueError, match="'int8'"):
            choose("int8")
    with pytest.raises(ValueError, match="'f16'"):
        runtimes.open_runtime(lite_dir, cache_dir=cache_dir, precision="f16")


@pytest.mark.parametrize(
    ("said", "quota", "wanted", "threads"),
    [
        ("", "max 100000", 0, 0),
        ("", "max 100000", 3, 3),
        ("2", "max 100000", 0, 2),
        ("2,1", "max 100000", 0, 2),
        ("2", "max 100000", 5, 5),
        ("many", "max 100000", 0, 0),
        ("", "150000 100000", 0, 2),
        ("", "50000 100000", 0, 1),
        ("", "6400000 100000", 0, 0),
        ("", "nonsense", 0, 0),
    ],
)
def test_threads_are_those_asked_for_or_what_the_container_gives(
    monkeypatch, tmp_path, said, quota, wanted, threads
):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.setattr(processors, "GROUPS", tmp_path)
    monkeypatch.setattr(processors, "usable", lambda: 8)
    (tmp_path / "cpu.max").write_text(quota)
    assert processor.threads(wanted) == threads


def test_a_machine_that_tells_nothing_of_its_processor_computes_in_full(monkeypatch, tmp_path):
    processor.facts.cache_clear()
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "none")
    try:
        assert not processor.has_bfloat16() and len(processor.fingerprint()) == 12
    finally:
        processor.facts.cache_clear()


@needs_openvino
def test_any_number_of_threads_gives_the_same_answer(lite_dir, cache_dir):
    folder, images = lite_dir, lively.images(2, seed=8).numpy()
    answers = []
    for threads in (1, 2, 1):
        runtime = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu", threads=threads)
        answers.append(runtime.forward(images))
    for other in answers[1:]:
        np.testing.assert_allclose(other[0], answers[0][0], atol=1e-6)
        np.testing.assert_allclose(other[1], answers[0][1], atol=1e-5 * np.abs(answers[0][1]).max())


@needs_openvino
def test_the_number_of_threads_is_heeded(lite_dir, cache_dir, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for threads, said in ((1, ""), (0, "1")):
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        runtime = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu", threads=threads)
        assert runtime._network.get_property("INFERENCE_NUM_THREADS") == 1
        assert not runtime._network.get_property("ENABLE_CPU_PINNING")


@needs_openvino
def test_bfloat16_moves_scores_little_and_keeps_maps_exact(lite_dir, cache_dir, has_bfloat16):
    """A logit stays the mean of its map."""
    folder, images = lite_dir, lively.images(3, seed=11).numpy()
    full = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu")
    coarse = runtimes.open_runtime(folder, cache_dir=cache_dir, prefer="cpu", precision="bf16")
    assert (full.computed.precision, coarse.computed.precision) == ("f32", "bf16")
    (expected, _maps), (found, _maps) = full.forward(images), coarse.forward(images)
    difference = float(np.abs(found - expected).max())
    assert 0 < difference < 0.15, "random weights multiply rounding errors"
    logits, maps, _features = coarse.compute(images[:1])
    biases = [(logits - maps.mean((2, 3)))[0]]
    logits, maps, _features = coarse.compute(images[1:2])
    biases.append((logits - maps.mean((2, 3)))[0])
    np.testing.assert_allclose(*biases, atol=1e-4 * np.abs(maps).max())


@needs_openvino
@pytest.mark.parametrize(("most", "chosen"), [(1.0, "bf16"), (0.0, "f32")])
def test_left_open_bfloat16_is_used_only_where_it_hardly_moves_scores(
    lite_dir, cache_dir, tmp_path, monkeypatch, has_bfloat16, most, chosen
):
    """Measured once; a process that starts later reads what was chosen."""
    monkeypatch.setattr(harmless, "MOST", most)
    measured = []
    real = harmless.median_difference
    monkeypatch.setattr(
        harmless, "median_difference", lambda *both: measured.append(real(*both)) or measured[-1]
    )
    kept = tmp_path / "kept.json"
    monkeypatch.setattr(harmless, "path_in", lambda cache_dir, sha256: kept)
    for _ in range(2):
        runtimes._harmless.cache_clear()
        runtime = runtimes.open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu", precision="auto")
        assert runtime.computed.precision == chosen
    assert len(measured) == 1 and 0 < measured[0] < 0.1
    kept.write_text("{")
    assert harmless.kept(kept) is None
    runtimes._harmless.cache_clear()
