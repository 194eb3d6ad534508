"""What is kept with a lesion besides photos and diagnoses, and goes with it: plans, what was recorded of its visits or
measured, what people said and asked. A kind is a module with ``any_of``, ``hand_over``, ``places``, ``put_back``."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from skinclinic.models import Lesion
from skinclinic.services import case_company, plans, sizes, visit_records
from skinclinic.services.binning import waiting

# By the name a receipt of a filing has it under.
KINDS: dict[str, ModuleType] = {
    "plans": plans,
    "visits": visit_records,
    "company": case_company,
    "sizes": sizes,
    "binned": waiting,
}


def any_here(lesion: Lesion) -> bool:
    """Whether anything of it stands at the lesion."""
    return any(kind.any_of(lesion) for kind in KINDS.values() if kind is not waiting)


def any_of(lesion: Lesion) -> bool:
    """Whether anything of it would be lost with the lesion, in the bin or not."""
    return any_here(lesion) or waiting.any_of(lesion)


def hand_over(source: Lesion, home: Lesion) -> None:
    """Let ``home``, into which the photos of ``source`` went, take it over."""
    for kind in KINDS.values():
        kind.hand_over(source, home)


def places(lesions: Iterable[int]) -> dict[str, Any]:
    """Which lesion each thing belongs to, plain JSON by kind, for ``put_back``."""
    wanted = list(lesions)
    return {name: kind.places(wanted) for name, kind in KINDS.items()}


def put_back(before: dict[str, Any], lesions: dict[int, Lesion]) -> None:
    """Give each thing back to the lesion it had; ``lesions`` by the keys they had."""
    for name, kind in KINDS.items():
        kind.put_back(before.get(name, {}), lesions)
