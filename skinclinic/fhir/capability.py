"""What the server says it can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from skinclinic.fhir import JSON, VERSION
from skinclinic.fhir.parts import Json, instant, trimmed

R4 = "http://hl7.org/fhir/"
# Operations that the standard has; others are defined here.
_OF_R4 = frozenset(("Patient-match",))
# How what is found is told, in searches for every resource.
OF_SEARCHES = ("_count", "_sort", "_total", "_include", "_revinclude")


@dataclass(frozen=True)
class Offered:
    """What there is of a resource: {search parameter: its type}, names of operations, what comes along by ``_include``
    and ``_revinclude``. Without parameters it is read and not searched for."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    operations: Sequence[str] = ()
    includes: Sequence[str] = ()
    reverse: Sequence[str] = ()


def statement(base: str, version: str, at: datetime, offered: Mapping[str, Offered]) -> Json:
    """The CapabilityStatement of the server at ``base``; ``version``: of the software; ``offered``: {resource: …}."""
    return dict(
        trimmed(
            {
                "resourceType": "CapabilityStatement", "status": "active", "date": instant(at), "kind": "instance",
                "software": {"name": "SkinClinic", "version": version},
                "implementation": {"description": "SkinClinic", "url": base},
                "fhirVersion": VERSION, "format": [JSON, "json"],
                "rest": [{
                    "mode": "server",
                    "security": {"description": "Authorization: Bearer skc_…, a token of the product, as in its API."},
                    "searchParam": [{"name": one, "type": "special"} for one in OF_SEARCHES],
                    "resource": [_resource(base, name, told) for name, told in offered.items()],
                }],
            }
        )
    )  # fmt: skip


def everything(base: str) -> Json:
    """The OperationDefinition of ``BodyStructure/ID/$everything`` at the server ``base``."""
    returned = {
        "name": "return", "use": "out", "min": 1, "max": "1", "type": "Bundle",
        "documentation": "A collection of the lesion and all that is told of it.",
    }  # fmt: skip
    return {
        "resourceType": "OperationDefinition", "id": "BodyStructure-everything",
        "url": _definition(base, "BodyStructure", "everything"),
        "name": "LesionEverything", "title": "All of a lesion", "status": "active", "kind": "operation",
        "affectsState": False, "code": "everything", "resource": ["BodyStructure"],
        "system": False, "type": False, "instance": True, "parameter": [returned],
    }  # fmt: skip


def _definition(base: str, name: str, operation: str) -> str:
    key = f"{name}-{operation}"
    return f"{R4 if key in _OF_R4 else f'{base}/'}OperationDefinition/{key}"


def _resource(base: str, name: str, told: Offered) -> Json:
    searched = [{"code": "search-type"}] if told.parameters else []
    return {
        "type": name, "profile": f"{R4}StructureDefinition/{name}",
        "interaction": [{"code": "read"}, *searched],
        "versioning": "no-version", "readHistory": False, "updateCreate": False,
        "searchInclude": list(told.includes), "searchRevInclude": list(told.reverse),
        "searchParam": [{"name": one, "type": kind} for one, kind in told.parameters.items()],
        "operation": [
            {"name": one, "definition": _definition(base, name, one)} for one in told.operations
        ],
    }  # fmt: skip
