"""`pip install -r FILE`, saying what it is at: a long silence looks like a hang, and all that pip says is too much.

What pip says is kept in the environment's folder and shown when it fails. Needs nothing but Python.
"""

import re
import subprocess
import sys
from pathlib import Path

# A package worth waiting for, which pip fetches (or has fetched before) and gives the size of.
LARGE = re.compile(
    r"\s*(?:Downloading|Using cached) (?:\S*/)?(\w+)-([^-\s]+)-\S+ \((\d\d+\.?\d* MB|\d\S* GB)\)"
)
SAY_EVERY = 20


def main(requirements: str) -> int:
    say(f"installing the packages of {requirements} into {sys.prefix}")
    log = Path(sys.prefix, "install.log")
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    # A module is compiled when it is first used, which most never are: pip's compiling takes longer than its unpacking.
    command += ["--no-compile"]
    with log.open("w") as kept, _piped([*command, "-r", requirements]) as pip:
        collected = 0
        for line in pip.stdout:
            kept.write(line)
            collected += line.startswith("Collecting ")
            if line.startswith("Collecting ") and collected % SAY_EVERY == 0:
                say(f"  {collected} packages collected")
            elif found := LARGE.match(line):
                say(f"  fetching {found[1]} {found[2]}, {found[3]}")
            elif line.startswith("Installing collected packages"):
                say(f"  unpacking {line.count(',') + 1} packages; this takes a minute")
    if pip.returncode:
        lines = log.read_text().splitlines()
        say("\n".join([line for line in lines if line.startswith("ERROR")] or lines[-20:]))
        say(f"The packages could not be installed; all that pip said is in {log}.")
    return pip.returncode


def _piped(command: list[str]) -> subprocess.Popen:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
