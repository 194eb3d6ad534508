"""Hosts of a network, each a network namespace with a cable to one bridge; a cable can be pulled and put back.

What runs outside of any (database, broker, bucket, whoever sends photos) is reached at ``Network.address``.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# All that ever gets an address; tests/servers.py lets these into PostgreSQL.
RANGE = "10.77.0.0/16"


@cache
def lacking() -> str:
    """Why no hosts can be made here; "" if they can."""
    if not shutil.which("ip"):
        return "iproute2 is not installed"
    if os.geteuid() != 0:
        return "network namespaces are root's to make"
    name = f"sc-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    _ip("netns", "del", name)
    return ""


@dataclass(frozen=True)
class Host:
    """``address``: where others reach it; ``inside``: what a command has to begin with to run on it."""

    name: str
    address: str
    cable: str

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Pull the cable: whatever is sent either way is lost without a word."""
        _ip("link", "set", self.cable, "down")

    def heal(self) -> None:
        _ip("link", "set", self.cable, "up")


@dataclass(frozen=True)
class Network:
    """``address``: of what runs outside of the hosts."""

    address: str
    hosts: list[Host]


@contextlib.contextmanager
def network(count: int) -> Iterator[Network]:
    """So many hosts. Raises RuntimeError where none can be made."""
    if reason := lacking():
        raise RuntimeError(reason)
    mark = os.getpid() % 100_000
    third = _free_third()
    bridge, hosts = f"scb{mark}", list[Host]()
    with contextlib.ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("address", "add", f"10.77.{third}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number in range(count):
            host = Host(f"sc{mark}-{number}", f"10.77.{third}.{number + 2}", f"sc{mark}c{number}")
            _ip("netns", "add", host.name)
            stack.callback(_ip, "netns", "del", host.name)
            _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            _ip("link", "set", host.cable, "master", bridge)
            _ip("link", "set", host.cable, "up")
            for command in (
                ("link", "set", "lo", "up"),
                ("address", "add", f"{host.address}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
            ):
                _ip("-n", host.name, *command)
            hosts.append(host)
        yield Network(f"10.77.{third}.1", hosts)


def _free_third() -> int:
    """A net that no other test has now."""
    there = subprocess.run(["ip", "-4", "address"], capture_output=True, text=True, check=True).stdout
    first = os.getpid() % 200
    return next(n for n in (*range(first, 250), *range(first)) if f"10.77.{n}.1/" not in there)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
