"""What installs packages: uv, set as pip is, and pip where uv cannot; what is said meanwhile: what is at work, no more;
and why, when it fails."""

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
SAID_BY_UV = """Using Python 3.13.0 environment at: venv
Resolved 108 packages in 1.75s
Downloading torch (502.2MiB)
Downloading nvidia-cudnn-cu13 (1.1GiB)
Downloading six (4.1MiB)
 Downloaded six
Installed 108 packages in 8.89s
 + six==1.17.0
"""
SETTINGS = """:env:.find-links='/opt/wheels'
:env:.default-timeout='180'
global.find-links='/srv/wheels'
global.extra-index-url='https://one.example/simple https://two.example/simple'
install.cert='/etc/ssl/own.crt'
"""
# Lists its settings; gives the environment a uv, which says what it is told to say; says what it is told itself.
PIP = """import sys
from pathlib import Path
if sys.argv[1] == "config":
    print({settings!r})
elif any(word.startswith("uv==") for word in sys.argv):
    if {uv!r} is None:
        sys.exit(1)
    uv = Path(sys.prefix, "bin/uv")
    uv.write_text("#!" + sys.executable + "\\n" + {uv!r})
    uv.chmod(0o755)
else:
    print({says!r})
    sys.exit({status})
"""
UV = """import sys
open(sys.prefix + "/asked-of-uv", "w").write(" ".join(sys.argv[1:]))
print({says!r})
sys.exit({status})
"""


@pytest.fixture
def install(tmp_path):
    """Runs the tool in an environment whose pip, and uv (where it can be had), say what they are told to say, and end
    with a status."""
    venv.create(tmp_path / "venv")
    (tmp_path / "pip").mkdir()

    def run(
        says: str, status: int, uv: tuple[str, int] | None = None, settings_of_pip: str = ""
    ) -> subprocess.CompletedProcess:
        program = UV.format(says=uv[0], status=uv[1]) if uv else None
        pip = PIP.format(settings=settings_of_pip, uv=program, says=says, status=status)
        (tmp_path / "pip/__main__.py").write_text(pip)
        return subprocess.run(
            [tmp_path / "venv/bin/python", settings.BASE_DIR / ".ci/install.py", "requirements.txt"],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    return run


def asked_of_uv(tmp_path) -> str:
    return (tmp_path / "venv/asked-of-uv").read_text()


def test_it_says_what_takes_long(install, tmp_path):
    done = install("", 1, uv=(SAID_BY_UV, 0))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"installing the packages of requirements.txt into {tmp_path / 'venv'}",
        "  108 packages",
        "  fetching torch, 502.2 MB",
        "  fetching nvidia-cudnn-cu13, 1.1 GB",
    ]


def test_packages_come_from_where_pip_is_told_to_take_them(install, tmp_path):
    assert install("", 1, uv=("", 0), settings_of_pip=SETTINGS).returncode == 0
    asked = asked_of_uv(tmp_path)
    assert asked.endswith(
        " --find-links /opt/wheels --index https://one.example/simple --index https://two.example/simple"
        " --cert /etc/ssl/own.crt -r requirements.txt"
    )
    assert f"--python {tmp_path / 'venv/bin/python'}" in asked


def test_what_uv_has_no_word_for_is_left_to_pip(install, tmp_path):
    done = install(SAID_BY_PIP, 0, uv=("", 0), settings_of_pip="global.proxy='http://proxy.example'")
    assert done.returncode == 0
    assert "  20 packages collected" in done.stdout
    assert not (tmp_path / "venv/asked-of-uv").exists()


def test_pip_does_it_where_uv_cannot_be_had(install, tmp_path):
    done = install(SAID_BY_PIP, 0)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"installing the packages of requirements.txt into {tmp_path / 'venv'}",
        "  20 packages collected",
        "  fetching torch 2.13.0, 526.6 MB",
        "  fetching nvidia_cudnn_cu13 9.20.0, 1.2 GB",
        "  unpacking 3 packages; this takes a minute",
    ]


def test_pip_does_it_where_uv_fails(install, tmp_path):
    done = install(SAID_BY_PIP, 0, uv=("error: invalid peer certificate", 2))
    assert done.returncode == 0
    assert "  uv could not; pip tries it" in done.stdout
    assert "  20 packages collected" in done.stdout
    assert "invalid peer certificate" in (tmp_path / "venv/install.log").read_text()


def test_a_failure_says_why_and_where_the_rest_is(install, tmp_path):
    done = install("Collecting torch\nERROR: No matching distribution found for torch==2.13.0", 1)
    assert done.returncode == 1
    log = tmp_path / "venv/install.log"
    assert done.stdout.splitlines()[1:] == [
        "ERROR: No matching distribution found for torch==2.13.0",
        f"The packages could not be installed; all that was said is in {log}.",
    ]
    assert log.read_text().startswith("Collecting torch")


def test_a_failure_without_a_reason_shows_the_end_of_what_pip_said(install):
    done = install("\n".join(f"line {number}" for number in range(50)), 2)
    assert done.returncode == 2
    assert "line 49" in done.stdout
    assert "line 29" not in done.stdout
