#!/usr/bin/env python3
"""Everything the product does on a GPU, checked and measured in under six minutes: ``python3 tests/gpu/check.py``.

It needs Python 3.11 or later, PyTorch, torchvision, numpy, Pillow and safetensors, and no installation. Each part
runs in a process of its own, so that what breaks one hides no other. The exit status is 0 when every limit was
kept. Without a GPU it runs on the CPU in small, which shows that the checks themselves work.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.gpu import alone, rows

PARTS = ("agreement", "speed", "memory", "training")
LIBRARIES = ("torch", "torchvision", "numpy", "pillow", "safetensors")
MINUTES = 5.5
# A part that hangs must leave time to the others.
LARGEST_SHARE = 0.5


def main() -> int:
    """Run what the arguments ask for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the results here as JSON")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"at most; {MINUTES} if not given")
    parser.add_argument("--cpu", action="store_true", help="on the CPU, even where there is a GPU")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="only these parts")
    parser.add_argument("--part", choices=(*PARTS, "machine"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        run_part(arguments.part, arguments.out)
        return 0
    if arguments.cpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    results = run_all(arguments.only, arguments.minutes * 60, arguments.out)
    print(f"{results['state']} after {results['seconds']:.0f} s")
    return 0 if results["state"] == rows.PASSED else 1


def run_all(parts: tuple[str, ...], seconds: float, out: Path | None) -> dict:
    """Run the parts one after the other within ``seconds``; print and write what each says as soon as it ends."""
    started = time.monotonic()
    results = {"state": rows.FAILED, "seconds": 0.0, "machine": {}, "parts": {}}
    for name in ("machine", *parts):
        left = seconds - (time.monotonic() - started)
        part = in_its_own_process(name, min(left, seconds * LARGEST_SHARE))
        if name == "machine" and part["rows"]:
            results["machine"] = part["rows"].pop()
            print(", ".join(f"{key} {value}" for key, value in results["machine"].items()))
        if part["problem"]:
            part["rows"].append(rows.failed("the part itself", part["problem"]).to_json())
        if part["rows"]:
            results["parts"][name] = part
            print("\n".join(table(name, part["rows"])), flush=True)
        results["seconds"] = round(time.monotonic() - started, 1)
        states = [row["state"] for part in results["parts"].values() for row in part["rows"]]
        results["state"] = rows.FAILED if rows.FAILED in states else rows.PASSED
        if out:
            out.write_text(json.dumps(results, indent=1) + "\n")
    return results


def in_its_own_process(name: str, seconds: float) -> dict:
    """What a part said (``rows``), what went wrong with it as a whole (``problem``, "" for nothing), its ``seconds``
    and the end of its ``warnings``.
    """
    part = {"rows": [], "problem": "no time was left for it", "seconds": 0.0, "warnings": ""}
    if seconds <= 0:
        return part
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        said, warnings = Path(folder) / "said", Path(folder) / "warnings"
        said.touch()
        command = [sys.executable, __file__, "--part", name, "--out", str(said)]
        try:
            with warnings.open("w") as file:
                status = subprocess.run(command, stderr=file, timeout=seconds).returncode
            part["problem"] = f"ended with {status}" if status else ""
        except subprocess.TimeoutExpired:
            part["problem"] = f"was stopped after {seconds:.0f} s"
        part["warnings"] = warnings.read_text(errors="replace")[-2000:]
        # A line that was cut off by a kill says nothing.
        lines = said.read_text().splitlines(keepends=True)
        part["rows"] = [json.loads(line) for line in lines if line.endswith("\n")]
    part["seconds"] = round(time.monotonic() - started, 1)
    if part["problem"] and part["warnings"]:
        part["problem"] += f": {part['warnings'][-800:]}"
    return part


def run_part(name: str, out: Path) -> None:
    """In a process of its own: write each row as soon as it is known, a line each."""
    alone.install()
    with out.open("a") as file:
        for row in machine() if name == "machine" else said_by(name):
            file.write(json.dumps(row) + "\n")
            file.flush()


def said_by(name: str) -> Iterator[dict]:
    """The rows of a part; a check that breaks is a row and stops no other."""
    from tests.gpu import place

    for what, check in import_module(f"tests.gpu.{name}").checks(place.find()).items():
        try:
            for row in check():
                yield row.to_json()
        except Exception as error:
            yield rows.failed(what, f"{type(error).__name__}: {error}"[:800]).to_json()


def machine() -> Iterator[dict]:
    """What this runs on."""
    import torch

    found = {"device": "CPU", "cores": os.cpu_count(), "python": platform.python_version()}
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        found["device"] = f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
        found |= {"capability": f"{card.major}.{card.minor}", "cuda": torch.version.cuda}
        found["cudnn"] = torch.backends.cudnn.version()
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    yield found


def table(part: str, found: list[dict]) -> Iterator[str]:
    """The rows in columns."""
    for row in found:
        value = "" if row["value"] is None else f"{row['value']:.4g} {row['unit']}".strip()
        notes = " ".join(filter(None, (row["limit"], row["note"])))
        yield f"{part:<10} {row['what']:<58} {value:>16}  {row['state']:<14} {notes}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
