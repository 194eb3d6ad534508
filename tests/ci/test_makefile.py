"""Which Python the environment is made with: the newest that fits and runs, or none and it says which would."""

import re
import shutil
import subprocess

import pytest
from django.conf import settings

MAKEFILE = settings.BASE_DIR / "Makefile"
# Answers as `python --version`, `python -c …` (is it fit?) and `python -m venv --clear …` do.
FAKE = """#!/bin/sh
case "$1" in
  --version) echo "Python of {name}" ;;
  -c) exit {unfit} ;;
  -m) folder="$4/bin"; /bin/mkdir -p "$folder"; echo {name} > "$folder/python" ;;
esac
"""
# As pyenv leaves them on the PATH for versions that are not chosen.
SHIM = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"


@pytest.fixture
def have(tmp_path):
    """have("python3.12", …) puts Pythons on the PATH; ``unfit`` ones run, but are of another version."""
    (tmp_path / "bin").mkdir()

    def put(*names: str, unfit: tuple[str, ...] = (), shims: tuple[str, ...] = ()) -> None:
        for name in (*names, *unfit, *shims):
            path = tmp_path / "bin" / name
            path.write_text(SHIM if name in shims else FAKE.format(name=name, unfit=int(name in unfit)))
            path.chmod(0o755)

    return put


@pytest.fixture
def make(tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [shutil.which("make"), "--no-print-directory", f"VENV={tmp_path / 'made'}", *arguments],
            cwd=MAKEFILE.parent,
            env={"PATH": str(tmp_path / "bin")},
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def made_with(make, tmp_path):
    def python(*arguments: str) -> str:
        done = make(*arguments, f"{tmp_path}/made/bin/python")
        assert done.returncode == 0, done.stderr
        return (tmp_path / "made/bin/python").read_text().strip()

    return python


def test_the_newest_is_taken_and_named(have, make, tmp_path):
    have("python3", "python3.11", "python3.13", "python3.12")
    assert make(f"{tmp_path}/made/bin/python").stdout == f"making {tmp_path}/made with Python of python3.13\n"


def test_a_shim_that_runs_nothing_is_passed_over(have, made_with):
    have("python3.12", shims=("python3.14", "python3.13"))
    assert made_with() == "python3.12"


def test_python3_will_do_when_it_fits(have, made_with):
    have("python3", unfit=("python3.11",))
    assert made_with() == "python3"


def test_yours_goes_before_the_newest(have, made_with):
    have("python3.14", "python3.12")
    assert made_with("PYTHON=python3.12") == "python3.12"


@pytest.mark.parametrize("goal", ["demo", "dev", "test", "resolve"])
def test_when_there_is_none_it_says_which_it_wants_and_makes_nothing(have, make, tmp_path, goal):
    have(unfit=("python3",), shims=("python3.13",))
    done = make(goal)
    assert done.returncode != 0
    assert "SkinClinic needs Python 3.11, 3.12, 3.13 or 3.14" in done.stderr
    assert f"make {goal} PYTHON=/path/to/python" in done.stderr
    assert not (tmp_path / "made").exists()


def test_yours_is_refused_when_it_does_not_fit(have, make, tmp_path):
    have("python3.14", unfit=("python3.9",))
    done = make("PYTHON=python3.9", f"{tmp_path}/made/bin/python")
    assert done.returncode != 0
    assert "found none as\npython3.9." in done.stderr


def test_an_environment_that_is_there_is_kept(have, make, tmp_path):
    have("python3.14")
    (tmp_path / "made/bin").mkdir(parents=True)
    (tmp_path / "made/bin/python").write_text("mine")
    make(f"{tmp_path}/made/bin/python")
    assert (tmp_path / "made/bin/python").read_text() == "mine"


def test_makefile_and_package_allow_the_same_versions():
    fits = re.search(r"not \(3, (\d+)\) <= sys\.version_info < \(3, (\d+)\)", MAKEFILE.read_text())
    allowed = f'requires-python = ">=3.{fits[1]},<3.{fits[2]}"'
    assert allowed in (settings.BASE_DIR / "pyproject.toml").read_text()
    named = re.search(r"^PYTHON \?= (.*)$", MAKEFILE.read_text(), re.M)[1].split()
    assert named == [
        *(f"python3.{minor}" for minor in range(int(fits[2]) - 1, int(fits[1]) - 1, -1)),
        "python3",
    ]
