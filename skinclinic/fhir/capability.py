"""What the server says it can do."""

from collections.abc import Mapping
from datetime import datetime

from skinclinic.fhir import JSON, VERSION
from skinclinic.fhir.parts import Json, instant, trimmed

# {resource: ({search parameter: its type}, names of operations)}; without parameters it is read and not searched for.
Offered = Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]]
R4 = "http://hl7.org/fhir/"


def statement(base: str, version: str, at: datetime, offered: Offered) -> Json:
    """The CapabilityStatement of the server at ``base``; ``version``: of the software."""
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
                    "resource": [_resource(name, *told) for name, told in offered.items()],
                }],
            }
        )
    )  # fmt: skip


def _resource(name: str, parameters: Mapping[str, str], operations: tuple[str, ...]) -> Json:
    searched = [{"code": "search-type"}] if parameters else []
    return {
        "type": name, "profile": f"{R4}StructureDefinition/{name}",
        "interaction": [{"code": "read"}, *searched],
        "versioning": "no-version", "readHistory": False, "updateCreate": False,
        "searchParam": [{"name": one, "type": kind} for one, kind in parameters.items()],
        "operation": [{"name": one, "definition": f"{R4}OperationDefinition/{name}-{one}"} for one in operations],
    }  # fmt: skip
