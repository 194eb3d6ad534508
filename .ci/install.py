"""`pip install -r FILE` by uv, which fetches and unpacks beside each other, saying what it is at: a long silence looks
like a hang, and all that is said is too much.

What is said is kept in the environment's folder, and shown when it fails. Where uv cannot be had, fails, or pip has
settings that it has no word for, pip does it, in some four times as long. Needs nothing but Python.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import IO

UV = "uv==0.13.9"
# A module is compiled when it is first used, which most never are: pip's compiling takes longer than its unpacking.
QUIETLY = ("--disable-pip-version-check", "--progress-bar", "off", "--no-compile")
# A package worth waiting for, which pip fetches (or has fetched before) and gives the size of; and as uv says it.
LARGE = re.compile(
    r"\s*(?:Downloading|Using cached) (?:\S*/)?(\w+)-([^-\s]+)-\S+ \((\d\d+\.?\d* MB|\d\S* GB)\)"
)
LARGE_OF_UV = re.compile(r"Downloading (\S+) \((\d\d+\.?\d*MiB|\d\S*GiB)\)")
SAY_EVERY = 20
# Settings of pip (pip.conf, PIP_…) that decide where packages come from, as uv says them.
WORDS = {
    "index-url": "--default-index", "extra-index-url": "--index", "find-links": "--find-links",
    "constraint": "--constraints", "cert": "--cert", "trusted-host": "--allow-insecure-host",
}  # fmt: skip
# Those that change nothing of what is installed here.
WITHOUT_WEIGHT = {
    "break-system-packages", "cache-dir", "compile", "default-timeout", "disable-pip-version-check", "no-cache-dir",
    "no-color", "no-compile", "no-input", "no-python-version-warning", "no-warn-script-location", "progress-bar",
    "quiet", "require-virtualenv", "retries", "root-user-action", "timeout", "verbose",
}  # fmt: skip


def main(requirements: str) -> int:
    say(f"installing the packages of {requirements} into {sys.prefix}")
    log = Path(sys.prefix, "install.log")
    with log.open("w") as kept:
        if (uv := uv_with_settings()) and by_uv([*uv, "-r", requirements], kept):
            return 0
        status = by_pip(["-r", requirements], kept)
    if status:
        lines = log.read_text().splitlines()
        say("\n".join([line for line in lines if line.startswith("ERROR")] or lines[-20:]))
        say(f"The packages could not be installed; all that was said is in {log}.")
    return status


def uv_with_settings() -> list[str]:
    """uv's command, with what pip is set to; nothing where it has no word for a setting, or cannot be had."""
    options = options_of(_told("pip", "config", "list"))
    program = Path(sys.prefix, "Scripts" if sys.platform == "win32" else "bin", "uv")
    if options is None or not (_is_there() or _told("pip", "install", *QUIETLY, UV) is not None):
        return []
    # Of several indexes pip takes the newest that fits.
    return [
        str(program), "pip", "install", "--python", sys.executable, "--index-strategy", "unsafe-best-match", *options
    ]  # fmt: skip


def options_of(settings: str | None) -> list[str] | None:
    """Settings as pip lists them, in uv's words; None where it has none for one of them."""
    if settings is None:
        return None
    chosen: dict[str, str] = {}
    # What the environment says goes before what is said of `pip install`, and that before what is said of pip.
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", settings, re.M):
            chosen[name] = str(ast.literal_eval(value))
    options = []
    for name, value in chosen.items():
        if name in WORDS:
            options += [part for one in value.split() for part in (WORDS[name], one)]
        elif name not in WITHOUT_WEIGHT:
            return None
    return options


def _is_there() -> bool:
    with suppress(metadata.PackageNotFoundError):
        return f"uv=={metadata.version('uv')}" == UV
    return False


def by_uv(command: list[str], kept: IO[str]) -> bool:
    """Whether it could."""
    size = {"MiB": " MB", "GiB": " GB"}
    with _heard(command, kept) as (process, lines):
        for line in lines:
            if found := re.match(r"Resolved (\d+) packages", line):
                say(f"  {found[1]} packages")
            elif found := LARGE_OF_UV.match(line):
                say(f"  fetching {found[1]}, {found[2][:-3]}{size[found[2][-3:]]}")
    if process.returncode:
        say("  uv could not; pip tries it")
    return process.returncode == 0


def by_pip(wanted: list[str], kept: IO[str]) -> int:
    """pip's exit status."""
    collected = 0
    with _heard([sys.executable, "-m", "pip", "install", *QUIETLY, *wanted], kept) as (process, lines):
        for line in lines:
            collected += line.startswith("Collecting ")
            if line.startswith("Collecting ") and collected % SAY_EVERY == 0:
                say(f"  {collected} packages collected")
            elif found := LARGE.match(line):
                say(f"  fetching {found[1]} {found[2]}, {found[3]}")
            elif line.startswith("Installing collected packages"):
                say(f"  unpacking {line.count(',') + 1} packages; this takes a minute")
    return process.returncode


@contextmanager
def _heard(command: list[str], kept: IO[str]) -> Iterator[tuple[subprocess.Popen, Iterable[str]]]:
    """A program and the lines it says, which are kept."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:

        def lines() -> Iterator[str]:
            for line in process.stdout:
                kept.write(line)
                yield line

        yield process, lines()


def _told(*module: str) -> str | None:
    """What a module of this Python prints; None where it fails."""
    done = subprocess.run([sys.executable, "-m", *module], capture_output=True, text=True)
    return None if done.returncode else done.stdout


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
