"""Two people change one record: what of a form may be written, and what has to be asked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Unit = tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """``changes``: {field: value} to write; ``clashes``: units that both have changed, to different values."""

    changes: dict[str, Any] = field(default_factory=dict)
    clashes: list[Unit] = field(default_factory=list)


def merge(
    units: Sequence[Unit], seen: Mapping[str, Any], wanted: Mapping[str, Any], stands: Mapping[str, Any]
) -> Merged:
    """Hold what a person wants against what the person saw and what stands now.

    A field that is not among ``seen`` counts as seen as it stands, one that is not among ``wanted`` as not touched.
    Fields of one unit mean something only together, such as a site and its place on the body picture.
    """
    merged = Merged()
    for unit in units:
        asked = [name for name in unit if name in wanted]
        mine = [name for name in asked if not same(wanted[name], seen.get(name, stands[name]))]
        if not mine or all(same(wanted[name], stands[name]) for name in asked):
            continue
        if any(name in seen and not same(seen[name], stands[name]) for name in unit):
            merged.clashes.append(unit)
            continue
        merged.changes.update({name: wanted[name] for name in asked if not same(wanted[name], stands[name])})
    return merged


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: a browser sends other line ends than it was given, and no spaces around."""
    return tidy(one) == tidy(other)


def tidy(value: Any) -> Any:
    return "\n".join(value.splitlines()).strip() if isinstance(value, str) else value
