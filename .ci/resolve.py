"""Whether the pinned packages can be installed with every Python that pyproject.toml allows, on this system.

pip looks only at what the package index says of them: nothing large is fetched and nothing is installed.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("requirements.txt", "tests/requirements.txt")
# An older pip fetches each package whole to learn what it needs.
PIP = "pip==26.3"
# Published as source only; pip resolves for another Python from wheels alone, so these are built first.
SOURCE_ONLY = ("grad-cam",)
# Where they are named; requirements.txt takes it in.
WORKER = "docker/requirements-worker.txt"


def versions() -> list[str]:
    """The Pythons that pyproject.toml allows, oldest first."""
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    oldest, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", allowed).groups()
    return [f"3.{minor}" for minor in range(int(oldest), int(beyond))]


def main() -> int:
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "pip", with_pip=True)
        pip = [str(home / "pip" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", PIP], check=True)
        lines = [line for name in (*FILES, WORKER) for line in (ROOT / name).read_text().splitlines()]
        sources = [line for line in lines if line.startswith(SOURCE_ONLY)]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", home / "wheels", *sources], check=True)
        for version in versions():
            problem, count = resolve(pip, home, version)
            print(f"Python {version}: {problem or f'{count} packages'}", flush=True)
            failed |= bool(problem)
    return int(failed)


def resolve(pip: list[str], home: Path, version: str) -> tuple[str, int]:
    """What keeps the packages from being installed with this Python ("": nothing), and how many they are."""
    report = home / f"{version}.json"
    done = subprocess.run(
        [
            *(*pip, "install", "--dry-run", "--ignore-installed", "--report", report),
            *("--python-version", version, "--only-binary=:all:", "--target", home / "nowhere"),
            *("--find-links", home / "wheels"),
            *(word for name in FILES for word in ("-r", name)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return "\n".join(errors) or done.stderr, 0
    return "", len(json.loads(report.read_text())["install"])


if __name__ == "__main__":
    sys.exit(main())
