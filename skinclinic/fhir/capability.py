"""What the server says it can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from skinclinic.fhir import JSON, VERSION
from skinclinic.fhir.parts import Json, instant, trimmed

R4 = "http://hl7.org/fhir/"
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
                    "resource": [_resource(name, told) for name, told in offered.items()],
                }],
            }
        )
    )  # fmt: skip


def _resource(name: str, told: Offered) -> Json:
    searched = [{"code": "search-type"}] if told.parameters else []
    return {
        "type": name, "profile": f"{R4}StructureDefinition/{name}",
        "interaction": [{"code": "read"}, *searched],
        "versioning": "no-version", "readHistory": False, "updateCreate": False,
        "searchInclude": list(told.includes), "searchRevInclude": list(told.reverse),
        "searchParam": [{"name": one, "type": kind} for one, kind in told.parameters.items()],
        "operation": [
            {"name": one, "definition": f"{R4}OperationDefinition/{name}-{one}"} for one in told.operations
        ],
    }  # fmt: skip
