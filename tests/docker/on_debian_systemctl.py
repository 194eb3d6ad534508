"""Starts what systemd would, for on_debian.sh, where no systemd runs. Needs nothing but Python."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

UNITS, RUNNING = Path("/etc/systemd/system"), Path("/run/on-debian")


def lines(name: str) -> list[tuple[str, str]]:
    stem, _at, instance = name.partition("@")
    files = [
        UNITS / "skinclinic-.service.d/all.conf",
        UNITS / (f"{stem}@.service" if instance else f"{name}.service"),
    ]
    text = "\n".join(path.read_text() for path in files).replace("\\\n", " ").replace("%i", instance)
    return re.findall(r"^(\w+)=(.*)$", text, re.M)


def words_of(command: str, environment: dict[str, str]) -> list[str]:
    """Those of a command; a word that names a setting is the words of that."""
    words = ((word, environment.get(word[1:], "")) for word in shlex.split(command))
    return [part for word, said in words for part in (shlex.split(said) if word.startswith("$") else [word])]


def start(name: str) -> None:
    told = lines(name)
    last = dict(told)
    environment = dict(os.environ)
    for line in Path(last["EnvironmentFile"]).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            environment[key] = value.strip('"')
    environment |= dict(value.split("=", 1) for key, value in told if key == "Environment")
    as_user = [
        "setpriv",
        "--reuid",
        last["User"],
        "--regid",
        last["Group"],
        "--init-groups",
        "--no-new-privs",
    ]
    log = (RUNNING / f"{name}.log").open("w")
    for command in (value for key, value in told if key == "ExecStart"):
        process = subprocess.Popen(
            [*as_user, *words_of(command, environment)], env=environment, cwd=last["WorkingDirectory"], stdout=log,
            stderr=log, umask=int(last["UMask"], 8), start_new_session=True,
        )  # fmt: skip
        if last.get("Type") != "oneshot":
            (RUNNING / f"{name}.pid").write_text(str(process.pid))
        elif process.wait():
            sys.exit((RUNNING / f"{name}.log").read_text())


def main(words: list[str]) -> None:
    RUNNING.mkdir(parents=True, exist_ok=True)
    match words:
        case ["restart", service]:
            subprocess.run(["service", service, "restart"], check=True)
        case ["daemon-reload"]:
            pass
        case ["enable", "--now", name] if name.endswith(".timer"):
            # It waits for the night.
            assert (UNITS / name).is_file() and lines(name.removesuffix(".timer")), name
        case ["enable", "--now", "skinclinic.target"] | ["start", "skinclinic.target"]:
            wanted = re.findall(r"^Wants=(.*)$", (UNITS / "skinclinic.target").read_text(), re.M)
            for name in ["skinclinic-prepare.service", *(word for line in wanted for word in line.split())]:
                start(name.removesuffix(".service"))
        case ["enable", "--now", name] | ["start", name]:
            start(name)
        case ["kill"]:
            for path in RUNNING.glob("*.pid"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(int(path.read_text()), signal.SIGKILL)
            for service in ("nginx", "redis-server", "postgresql"):
                subprocess.run(["service", service, "stop"])
        case _:
            sys.exit(f"not understood: {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
