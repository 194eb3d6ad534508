"""The units of docker/systemd, read as systemd reads them, as far as the tests need: which commands, what they may."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "docker/systemd"
COMMON = FOLDER / "skinclinic-.service.d/all.conf"
GUIDE = Path(settings.BASE_DIR) / "docs/systemd.md"


@dataclass(frozen=True)
class Unit:
    """``lines``: (section, name, value), those of the common part first."""

    name: str
    lines: tuple[tuple[str, str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for _section, key, value in self.lines if key == name]

    def last(self, name: str) -> str:
        return self.all(name)[-1]

    @property
    def commands(self) -> list[list[str]]:
        """The words of each ExecStart."""
        return [shlex.split(command) for command in self.all("ExecStart")]


def unit(name: str) -> Unit:
    """The service of this name, such as skinclinic-web or skinclinic-worker@mail."""
    stem, _at, instance = name.partition("@")
    file = FOLDER / (f"{stem}@.service" if instance else f"{name}.service")
    lines = [*_lines(COMMON), *_lines(file)]
    return Unit(name, tuple((section, key, value.replace("%i", instance)) for section, key, value in lines))


def _lines(path: Path) -> list[tuple[str, str, str]]:
    found, section = [], ""
    for line in path.read_text().replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            found.append((section, key, value))
    return found


def services() -> list[str]:
    """Those that skinclinic.target starts."""
    wanted = [value for _section, key, value in _lines(FOLDER / "skinclinic.target") if key == "Wants"]
    return [word.removesuffix(".service") for line in wanted for word in line.split()]


def settings_file() -> dict[str, str]:
    """What the example of /etc/skinclinic/environment sets."""
    lines = (FOLDER / "environment").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line.strip() and not line.startswith("#"))


def guide(step: int) -> list[str]:
    """The commands of a step of docs/systemd.md, in order."""
    part = re.search(rf"^## {step}\..*?(?=^## |\Z)", GUIDE.read_text(), re.M | re.S)[0]
    return [line.strip() for line in part.splitlines() if line.startswith("    ")]
