"""Other software that computes the same figures, to compare with."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

OIDC = Path(__file__).parent / "oidc"
R_LIBRARIES = ("/usr/lib/R/site-library", "/usr/local/lib/R/site-library", "/usr/lib/R/library")


def r_with_proc() -> bool:
    """Whether R and its package pROC are installed."""
    return bool(shutil.which("Rscript")) and any(Path(library, "pROC").is_dir() for library in R_LIBRARIES)


def oidc_provider() -> bool:
    """Whether node and npm's certified OpenID provider are installed."""
    return bool(shutil.which("node")) and (OIDC / "node_modules" / "oidc-provider").is_dir()


@contextlib.contextmanager
def running_oidc_provider(port: int, callback: str, groups: Path) -> Iterator[str]:
    """The provider, which sends people back to ``callback`` and tells what the file ``groups`` says of them; its
    address."""
    command = ["node", str(OIDC / "provider.mjs"), str(port), callback, str(groups)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None and "listening" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def run_proc(script: str, folder: Path, **vectors) -> list[list[float]]:
    """Run ``script`` in R with pROC loaded and each of ``vectors`` as an R vector of its name.

    It reports with ``say(...)``; every call gives one list of numbers, to the last bit.
    """
    lines = ["suppressMessages(library(pROC))", 'say <- function(...) cat(sprintf("%.17g", c(...)), "\\n")']
    for name, values in vectors.items():
        np.asarray(values, "<f8").tofile(folder / name)
        lines.append(f'{name} <- readBin("{folder / name}", "double", {len(values)})')
    (folder / "script.R").write_text("\n".join([*lines, script]))
    done = subprocess.run(
        ["Rscript", "--vanilla", str(folder / "script.R")], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return [[float(number) for number in line.split()] for line in done.stdout.splitlines()]
