"""This machine's processor: what it can, what tells it from others, how many threads a network may take."""

import functools
import hashlib
import math
import os
import platform
from pathlib import Path

from skinclinic.engine import processors

CPU_INFO = Path("/proc/cpuinfo")
# AMX and AVX-512, Linux' names. Without either bfloat16 is imitated, which is slower than full precision.
BFLOAT16 = frozenset({"amx_bf16", "avx512_bf16"})


@functools.cache
def facts() -> tuple[str, frozenset[str]]:
    """(the processor's name, its abilities in Linux' words); without Linux the name alone."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}", frozenset()
    found: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        found.setdefault(name.strip(), value.strip())
    flags = found.get("flags") or found.get("Features") or ""
    return found.get("model name", platform.machine()), frozenset(flags.split())


def has_bfloat16() -> bool:
    """Whether it multiplies bfloat16 in hardware."""
    return bool(BFLOAT16 & facts()[1])


def has_amx() -> bool:
    """Whether it does so in tiles, an order of magnitude faster than in full precision."""
    return "amx_bf16" in facts()[1]


def fingerprint() -> str:
    """Twelve letters that differ between processors for which a network is compiled differently."""
    name, flags = facts()
    return hashlib.sha256(" ".join([name, *sorted(flags)]).encode()).hexdigest()[:12]


# Each image that is computed needs memory of its own, 12 MB of ResNet-152.
_MOST_SIDE_BY_SIDE = 8


def side_by_side(wanted: int = 0) -> int:
    """How many images are computed at the same time where many are waiting, out of so many threads: each by one thread,
    which waits for no other. ``wanted`` as for ``threads``."""
    return min(threads(wanted) or processors.usable(), _MOST_SIDE_BY_SIDE)


def threads(wanted: int = 0) -> int:
    """How many threads a network takes: ``wanted``, else OMP_NUM_THREADS, else what the container is given; 0 leaves it
    to the library, which takes one for each core this process may use."""
    if wanted:
        return wanted
    said = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if said.isdecimal() and int(said):
        return int(said)
    share = processors.share()
    given = math.ceil(share) if share else 0
    return given if given < processors.usable() else 0
