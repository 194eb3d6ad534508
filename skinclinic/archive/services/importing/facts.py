"""What all rows together say of a patient or a lesion: the first that is known holds, contradictions are listed."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from skinclinic.archive.formats.rows import Row
from skinclinic.archive.services.curating.own_facts import OF_PATIENT

OF_LESION = ("site",)
MOST_NAMED = 200


@dataclass
class Facts:
    """``contradictions``: {(what, its name, field): {value: row that has it first}} of those with two values."""

    patients: dict[str, dict] = field(default_factory=dict)
    lesions: dict[tuple[str, str], dict] = field(default_factory=dict)
    contradictions: dict[tuple[str, str, str], dict[str, int]] = field(default_factory=dict)

    def gather(self, rows: Iterable[Row]) -> "Facts":
        for row in rows:
            if row.patient:
                self._note("patient", row.patient, self.patients.setdefault(row.patient, {}), OF_PATIENT, row)
            if row.lesion:
                known = self.lesions.setdefault((row.patient, row.lesion), {})
                self._note("lesion", row.lesion, known, (*OF_LESION, "label"), row)
        return self

    def _note(self, what: str, name: str, known: dict, fields: Iterable[str], row: Row) -> None:
        for one in fields:
            value = getattr(row, one)
            if not value:
                continue
            first, number = known.setdefault(one, (value, row.number))
            if first != value:
                listed = self.contradictions.setdefault((what, name, one), {str(first): number})
                listed.setdefault(str(value), row.number)

    def complete(self, row: Row) -> Row:
        """The row with what other rows say of its patient and its lesion, where it says nothing itself."""
        known = {
            **{one: self.patients.get(row.patient, {}).get(one) for one in OF_PATIENT},
            **{one: self.lesions.get((row.patient, row.lesion), {}).get(one) for one in OF_LESION},
        }
        missing = {one: found[0] for one, found in known.items() if found and not getattr(row, one)}
        return replace(row, **missing) if missing else row

    def of_patient(self, row: Row) -> dict:
        """What its patient is stored with."""
        known = self.patients.get(row.patient, {})
        return {one: known[one][0] for one in OF_PATIENT if one in known}

    def of_lesion(self, row: Row) -> dict:
        known = self.lesions.get((row.patient, row.lesion), {})
        return {one: known[one][0] for one in OF_LESION if one in known}

    def report(self) -> dict:
        """{"contradictions": [{what, name, field, values: [[value, row]]}], "contradiction_count"}."""
        listed = [
            {
                "what": what,
                "name": name[:80],
                "field": one,
                "values": [[v[:80], n] for v, n in values.items()][:5],
            }
            for (what, name, one), values in list(self.contradictions.items())[:MOST_NAMED]
        ]
        return {"contradictions": listed, "contradiction_count": len(self.contradictions)}
