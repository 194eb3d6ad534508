"""Which resources a resource refers to."""

from typing import Any

from skinclinic.fhir.parts import Json


def referred(resource: Json, path: str) -> list[tuple[str, str]]:
    """(kind, id) of what a resource of this server refers to at ``path``: "subject", "agent.who"."""
    at: list[Any] = [resource]
    for step in path.split("."):
        found = [one.get(step) for one in at if isinstance(one, dict)]
        at = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
    said = [
        str(one["reference"]).partition("/") for one in at if isinstance(one, dict) and "reference" in one
    ]
    return [(kind, key) for kind, slash, key in said if slash]


def key_of(resource: Json) -> tuple[str, str]:
    """(kind, id) of a resource."""
    return resource["resourceType"], resource["id"]
