"""What is said while packages are installed: what is at work, no more; and why, when it fails."""

import os
import subprocess
import venv

import pytest
from django.conf import settings

COLLECTING = "\n".join(f"Collecting package{number}" for number in range(20))
SAID_BY_PIP = f"""WARNING: Location 'file:///srv' is ignored: it is neither a file nor a directory.
{COLLECTING}
  Downloading torch-2.13.0-cp313-cp313-manylinux_2_28_x86_64.whl (526.6 MB)
  Using cached https://host/nvidia_cudnn_cu13-9.20.0-py3-none-manylinux_2_27_x86_64.whl (1.2 GB)
  Downloading six-1.17.0-py2.py3-none-any.whl (11 kB)
Installing collected packages: torch, nvidia-cudnn-cu13, six
"""


@pytest.fixture
def install(tmp_path):
    """Runs the tool in an environment whose pip says what it is told to say, and ends with a status."""
    venv.create(tmp_path / "venv")
    (tmp_path / "pip").mkdir()

    def run(says: str, status: int) -> subprocess.CompletedProcess:
        (tmp_path / "pip/__main__.py").write_text(f"print({says!r})\nraise SystemExit({status})")
        return subprocess.run(
            [tmp_path / "venv/bin/python", settings.BASE_DIR / ".ci/install.py", "requirements.txt"],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    return run


def test_it_says_what_takes_long(install, tmp_path):
    done = install(SAID_BY_PIP, 0)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"installing the packages of requirements.txt into {tmp_path / 'venv'}",
        "  20 packages collected",
        "  fetching torch 2.13.0, 526.6 MB",
        "  fetching nvidia_cudnn_cu13 9.20.0, 1.2 GB",
        "  unpacking 3 packages; this takes a minute",
    ]


def test_a_failure_says_why_and_where_the_rest_is(install, tmp_path):
    done = install("Collecting torch\nERROR: No matching distribution found for torch==2.13.0", 1)
    assert done.returncode == 1
    log = tmp_path / "venv/install.log"
    assert done.stdout.splitlines()[1:] == [
        "ERROR: No matching distribution found for torch==2.13.0",
        f"The packages could not be installed; all that pip said is in {log}.",
    ]
    assert log.read_text().startswith("Collecting torch")


def test_a_failure_without_a_reason_shows_the_end_of_what_pip_said(install):
    done = install("\n".join(f"line {number}" for number in range(50)), 2)
    assert done.returncode == 2
    assert "line 49" in done.stdout
    assert "line 29" not in done.stdout
