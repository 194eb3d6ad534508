"""The GPU check runs on the CPU in small, with no more packages than it asks for, and tells what failed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu import check, rows

pytestmark = pytest.mark.long

SCRIPT = Path(check.__file__)
# Put in front of every process: of what is installed, only what the check may need is found.
ONLY_THESE = """
import os, sys
from importlib.machinery import PathFinder

ALLOWED = {
    "torch", "torchgen", "functorch", "torchvision", "numpy", "PIL", "safetensors",
    # what PyTorch itself requires
    "sympy", "mpmath", "jinja2", "markupsafe", "networkx", "filelock", "fsspec", "typing_extensions", "setuptools",
}


class Few(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        found = super().find_spec(name, path, target)
        if found is None or path is not None or name.split(".")[0] in ALLOWED:
            return found
        places = [found.origin or "", *(found.submodule_search_locations or ())]
        return None if any("site-packages" in place for place in places) else found


sys.meta_path[:] = [Few if finder is PathFinder else finder for finder in sys.meta_path]
"""


def run(folder: Path, *arguments: str) -> tuple[int, dict, str]:
    """(exit status, results, what was printed) of the check in a bare environment."""
    (folder / "sitecustomize.py").write_text(ONLY_THESE)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "SKINCLINIC"))}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--cpu", "--out", str(folder / "results.json"), *arguments],
        env=environment | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert not done.stderr, done.stderr
    return done.returncode, json.loads((folder / "results.json").read_text()), done.stdout


def states(results: dict) -> dict[str, str]:
    return {row["what"]: row["state"] for part in results["parts"].values() for row in part["rows"]}


@pytest.mark.timeout(600)
def test_everything_runs_on_a_cpu_with_only_the_packages_it_names(tmp_path):
    status, results, printed = run(tmp_path, "--minutes", "9")
    found = states(results)
    assert status == 0, printed
    assert results["state"] == rows.PASSED
    assert list(results["parts"]) == list(check.PARTS)
    assert results["machine"]["device"] == "CPU" and results["machine"]["torch"]
    assert {what for what, state in found.items() if state == rows.NOT_EVALUABLE} == {
        "efficientnet_lite0, half precision",
        "resnet18, half precision",
        "shipped model, half precision",
        "timm:resnet10t",
        "batch 1, CUDA graph",
        "batch 1, torch.compile",
        "halved",
        "no room",
        "no room for the network",
    }
    measured = {
        row["what"]: row["value"]
        for part in results["parts"].values()
        for row in part["rows"]
        if row["state"] == rows.MEASURED
    }
    for batch in (1, 2, 4):
        for figure in (
            "",
            ": share of a bare forward",
            ": share of the peak, ours",
            ": share of the peak, bare",
        ):
            assert measured[f"batch {batch}{figure}"] > 0
    assert measured["step of resnet18, batch 4: share of a bare loop"] > 0
    assert measured["queued photos: share of ready images"] > 0
    for what in (
        "shipped model, full precision: scores",
        "queued photos: scores beside each alone",
        "pretended: batches are halved",
        "resnet18: same seed, same weights",
        "resnet18: another seed, other weights",
        "torchrun: the weights of a process alone",
        "torchrun: gradients through gloo, cosine",
    ):
        assert found[what] == rows.PASSED, what
    assert all(what in printed for what in found)


def test_a_part_without_time_fails_and_is_named(tmp_path):
    status, results, printed = run(tmp_path, "--minutes", "0", "--only", "memory")
    assert status == 1 and results["state"] == rows.FAILED
    assert [row["what"] for row in results["parts"]["memory"]["rows"]] == ["the part itself"]
    assert "memory" in printed and "no time was left" in printed


def test_what_breaks_hides_no_other(monkeypatch):
    from tests.gpu import memory

    def checks(_place):
        def broken():
            yield rows.measured("before", 1.0)
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

        return {"first": broken, "second": lambda: iter([rows.holds("after", True)])}

    monkeypatch.setattr(memory, "checks", checks)
    found = list(check.said_by("memory"))
    assert [(row["what"], row["state"]) for row in found] == [
        ("before", rows.MEASURED),
        ("first", rows.FAILED),
        ("after", rows.PASSED),
    ]
    assert "illegal memory access" in found[1]["note"]


def test_a_process_that_dies_keeps_what_it_said(monkeypatch, tmp_path):
    script = tmp_path / "dies.py"
    script.write_text(
        "import os, sys\n"
        'open(sys.argv[-1], \'w\').write(\'{"what": "said"}\\n{"what": "cut o\')\n'
        "print('no more room', file=sys.stderr)\n"
        "sys.stderr.flush()\n"
        "os._exit(3)\n"
    )
    monkeypatch.setattr(check, "__file__", str(script))
    part = check.in_its_own_process("speed", 30)
    assert part["rows"] == [{"what": "said"}]
    assert "ended with 3" in part["problem"] and "no more room" in part["problem"]


def test_a_process_that_hangs_is_stopped(monkeypatch, tmp_path):
    script = tmp_path / "hangs.py"
    script.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(check, "__file__", str(script))
    part = check.in_its_own_process("speed", 0.5)
    assert "was stopped after" in part["problem"] and part["seconds"] < 30


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (rows.at_most("x", 0.2, 0.2), rows.PASSED),
        (rows.at_most("x", 0.21, 0.2), rows.FAILED),
        (rows.at_most("x", float("nan"), 0.2), rows.FAILED),
        (rows.at_least("x", 0.98, 0.98), rows.PASSED),
        (rows.at_least("x", 0.97, 0.98), rows.FAILED),
        (rows.at_least("x", float("nan"), 0.98), rows.FAILED),
        (rows.holds("x", False), rows.FAILED),
    ],
)
def test_a_limit_is_kept_or_not(row, state):
    assert row.state == state
    assert json.loads(json.dumps(row.to_json(), allow_nan=False))["state"] == state


@pytest.mark.gpu
def test_everything_holds_on_the_gpu(tmp_path):
    results = check.run_all(check.PARTS, check.MINUTES * 60, tmp_path / "results.json")
    assert results["state"] == rows.PASSED, results
