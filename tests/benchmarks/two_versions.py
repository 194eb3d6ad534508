"""A version of before beside this one: its files in a folder of their own, each served from its own copy of a demo."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import servers

ROOT = Path(__file__).resolve().parents[2]
# As the demo of that version starts its web processes, whichever way that is.
_SERVE = """
import os, sys
from pathlib import Path
import django
django.setup()
from skinclinic.management.commands.demo import Command
command = [sys.executable, "-m", "gunicorn", "skinclinic.wsgi", *Command._gunicorn(int(sys.argv[1]), Path(sys.argv[2]))]
os.execv(sys.executable, command)
"""


@contextlib.contextmanager
def files_of(commit: str) -> Iterator[Path]:
    """The files of a commit, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="skinclinic-before-") as folder:
        tree = Path(folder, "tree")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(tree), commit], check=True, capture_output=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def copied(home: Path, copy: Path) -> Path:
    """A demo's folder, without what its processes make anew."""
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("tmp", "broker", "static"))
    (copy / "tmp").mkdir()
    return copy


@contextlib.contextmanager
def served(tree: Path, home: Path) -> Iterator[tuple[int, int]]:
    """The web processes of the version in ``tree`` with a demo's folder, as its ``manage.py demo`` starts them; gives
    their port and the process above them. It gathers its own style and scripts; the rows stay as they are, so that it
    must be able to serve a database of today's migrations."""
    # Nothing of this version may be found by the other.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"SKINCLINIC_HOME": str(home), "DJANGO_SETTINGS_MODULE": "skinclinic.settings"}
    gather = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
    subprocess.run(gather, cwd=tree, env=environment, check=True)
    port = servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(port), str(home / "tmp")], cwd=tree, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        servers.wait_for(port, 120)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)
