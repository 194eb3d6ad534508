"""What resources are made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem/"


def trimmed(value: Any) -> Any:
    """The same without what is empty, which FHIR does not know: no "", None, [] or {}; 0 and False stay."""
    if isinstance(value, Mapping):
        kept = {name: trimmed(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if not _is_empty(one)}
    if isinstance(value, list | tuple):
        return [one for one in map(trimmed, value) if not _is_empty(one)]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def resource(kind: str, key: object, updated: datetime | None, **said: Any) -> Json:
    """A resource with what all have; ``updated``: aware."""
    meta = {"lastUpdated": instant(updated), **said.pop("meta", {})}
    return dict(trimmed({"resourceType": kind, "id": str(key), "meta": meta, **said}))


def instant(moment: datetime | None) -> str | None:
    """An aware moment as FHIR writes it; None for none."""
    return moment.isoformat() if moment else None


def reference(kind: str, key: object, display: str = "") -> Json:
    """To a resource of this server, by a relative address."""
    return {"reference": f"{kind}/{key}", "display": display}


def concept(text: str, *codings: Mapping[str, str]) -> Json:
    """A CodeableConcept."""
    return {"coding": [dict(one) for one in codings], "text": text}


def hl7(system: str, code: str, display: str = "") -> dict[str, str]:
    """A Coding of one of HL7's own systems, such as "observation-category"."""
    return {"system": HL7 + system, "code": code, "display": display}


def note(text: str) -> list[Json]:
    """One Annotation; none for no text."""
    return [{"text": text}] if text else []


def entry(base: str, one: Json, mode: str = "", **search_said: Any) -> Json:
    """An entry of a Bundle. ``base``: the server's address without a slash at its end; ``mode``: match, include or
    outcome in search sets, "" elsewhere; ``search_said``: what else is said of how it was found. An outcome has no
    address."""
    search = {"search": {"mode": mode, **search_said}} if mode else {}
    address = {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}"} if one.get("id") else {}
    return {**address, "resource": one, **search}


def bundle(
    kind: str,
    entries: list[Json],
    *,
    links: Mapping[str, str] | None = None,
    total: int | None = None,
    at: datetime | None = None,
) -> Json:
    """A Bundle; ``kind`` searchset or collection, ``links`` {relation: address}, those without an address left out.
    ``entries`` are trimmed already, as ``entry`` makes them of resources."""
    told = [{"relation": name, "url": url} for name, url in (links or {}).items() if url]
    said = {"type": kind, "timestamp": instant(at), "total": total, "link": told}
    return {**trimmed({"resourceType": "Bundle", **said}), **({"entry": entries} if entries else {})}


def outcome(*issues: Json) -> Json:
    """An OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def issue(
    code: str, text: str, *, severity: str = "error", details: Iterable[Json] = (), at: str = ""
) -> Json:
    """``code``: of FHIR's issue-type; ``details``: codings of our own; ``at``: which part of the request it is of."""
    said = {"severity": severity, "code": code, "details": {"coding": list(details), "text": text}}
    return dict(trimmed(said | {"expression": [at] if at else []}))
