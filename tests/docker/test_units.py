"""The units of docker/systemd: the same parts as the containers', and as little as they may."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from skinclinic.settings.environment import Environment
from tests.docker import units
from tests.web_image import COMPOSE, gunicorn

PROGRAM, HOME = "/opt/skinclinic", "/var/lib/skinclinic"
SERVICES = [*units.services(), "skinclinic-prepare", "skinclinic-backup", "skinclinic-dicom"]


@pytest.fixture(scope="module")
def stack() -> dict:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def bare(words: list[str]) -> list[str]:
    """A command without where its program lies."""
    return [Path(words[0]).name, *words[1:]]


def test_they_run_what_the_containers_run(stack):
    web = bare(units.unit("skinclinic-web").commands[0])
    assert web == ["gunicorn", *gunicorn(8000)[3:]]
    told = {"batch": "batch-cpu", "training": "trainer-cpu", "mail": "mailer"}
    for queue, part in told.items():
        [words] = units.unit(f"skinclinic-worker@{queue}").commands
        assert bare(words) == stack[part]["command"].split()
    [words] = units.unit("skinclinic-worker@analysis").commands
    image = (Path(settings.BASE_DIR) / "docker/worker.Dockerfile").read_text()
    assert bare(words) == yaml.safe_load(image.rpartition("CMD ")[2])
    assert bare(units.unit("skinclinic-reconciler").commands[0]) == stack["reconciler"]["command"].split()
    # Both split what the settings name at its spaces.
    receives = stack["dicom"]["command"].replace("${DICOM_RECEIVE:-}", "$DICOM_RECEIVE").split()
    assert bare(units.unit("skinclinic-dicom").commands[0]) == receives
    prepared = [" ".join(bare(words)) for words in units.unit("skinclinic-prepare").commands]
    _folder, *others = stack["prepare"]["command"].removeprefix('sh -c "').removesuffix('"').split(" && ")
    assert prepared == others
    saved = (
        stack["backup"]["command"].replace("/backups", "/mnt/backups").replace("${BACKUPS_KEPT:-30}", "30")
    )
    assert bare(units.unit("skinclinic-backup").commands[0]) == saved.split()


def test_the_target_starts_every_part_and_each_comes_back(stack):
    parts = {name.removesuffix("-cpu") for name, part in stack.items() if not part.get("profiles")}
    names = {"worker": "worker@analysis", "batch": "worker@batch", "trainer": "worker@training"}
    names |= {"mailer": "worker@mail"}
    of_debian = {"proxy", "redis", "postgres", "prepare"}
    assert {f"skinclinic-{names.get(part, part)}" for part in parts - of_debian} == set(units.services())
    for name in [*units.services(), "skinclinic-dicom"]:
        unit = units.unit(name)
        assert unit.last("Restart") == "always" and unit.last("StartLimitIntervalSec") == "0", name
        assert unit.last("Requires") == "skinclinic-prepare.service" and unit.last("MemoryMax"), name
        assert unit.last("After") == unit.last("Requires"), name


def test_none_writes_but_into_its_folder():
    for name in SERVICES:
        unit = units.unit(name)
        may_write = {HOME, "/mnt/backups"} if name == "skinclinic-backup" else {HOME}
        assert set(unit.all("ReadWritePaths")) == may_write and unit.last("ProtectSystem") == "strict", name
        assert unit.last("User") == "skinclinic" and unit.last("NoNewPrivileges") == "yes", name
        assert all(words[0].startswith(f"{PROGRAM}/.venv/bin/") for words in unit.commands), name


def test_the_settings_are_those_of_the_product():
    """Each name is read by the settings or by Python, and each secret is a file."""
    read = "".join(
        path.read_text() for path in (Path(settings.BASE_DIR) / "skinclinic/settings").glob("*.py")
    )
    for name, value in units.settings_file().items():
        of_python = name in ("TMPDIR", "TORCH_HOME", "PYTHONUNBUFFERED")
        assert of_python or f'"{name.removesuffix("_FILE")}"' in read, name
        assert not (name.endswith(("KEY", "PASSWORD")) and value), name
    env = Environment()
    env.ENVIRON = units.settings_file()
    database = env.db("DATABASE_URL")
    assert database["HOST"] == "/var/run/postgresql" and database["NAME"] == "skinclinic"
    assert not database["USER"] and not database["PASSWORD"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Path:
    """A root folder with the units where the guide puts them, and the programs they start."""
    root = tmp_path_factory.mktemp("root")
    into = root / "etc/systemd/system"
    into.mkdir(parents=True)
    shutil.copytree(units.FOLDER, into, dirs_exist_ok=True)
    programs = root / PROGRAM.lstrip("/") / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("python", "gunicorn", "celery"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    own = root / "usr/lib/systemd/system"
    own.mkdir(parents=True)
    for path in Path("/usr/lib/systemd/system").glob("*.*"):
        if path.suffix in (".target", ".slice", ".mount") and path.is_file():
            shutil.copy(path, own)
    return root


@pytest.mark.systemd
def test_systemd_reads_them_without_a_complaint(machine):
    names = [f"{name}.service" for name in SERVICES] + ["skinclinic.target", "skinclinic-backup.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={machine}", "--man=no", *names], capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stderr, done.stderr


@pytest.mark.systemd
@pytest.mark.parametrize("name", ["skinclinic-web", "skinclinic-worker@analysis"])
def test_systemd_finds_them_little_exposed(machine, name):
    """Of 10, which is a unit that may everything; a unit without the common part has 9.6."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--root={machine}", "--threshold=35", f"{name}.service"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
