"""Codes of other systems (SNOMED CT, ICD, DICOM) for diseases, sites, sides and procedures: what is shipped. Pure.

What a clinic has changed of it is in ``services/codes.py``, which is where codes are asked for.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from skinclinic.vocabulary.diseases import BY_KEY, DISEASES
from skinclinic.vocabulary.sites import SITES

_FILE = Path(__file__).with_name("codes.txt")
DISEASE, SITE, LATERALITY, PROCEDURE, FINDING = "disease", "site", "laterality", "procedure", "finding"
KINDS: dict[str, str | Promise] = {
    DISEASE: _("Diseases"),
    SITE: _("Anatomic sites"),
    LATERALITY: _("Sides"),
    PROCEDURE: _("Procedures"),
    FINDING: _("Findings"),
}
_NAMES: dict[str, dict[str, str | Promise]] = {
    SITE: dict(SITES),
    LATERALITY: {
        "left": _("Left"),
        "right": _("Right"),
        "bilateral": _("Both sides"),
        "midline": _("Midline"),
    },
    PROCEDURE: {
        "photography": _("Photograph"),
        "dermoscopy": _("Dermoscopic photograph"),
        "biopsy": _("Biopsy"),
        "excision": _("Excision"),
        "histopathology": _("Histopathology"),
    },
    FINDING: {"skin_lesion": _("Skin lesion")},
}


@dataclass(frozen=True)
class System:
    """``key``: what people and tables call it. ``uri``: in FHIR. ``dicom``: its designator of DICOM PS3.16, table 8-1.
    ``pattern``: what a code of it looks like."""

    key: str
    uri: str
    dicom: str
    pattern: str


SYSTEMS = {
    system.key: system
    for system in (
        System("SCT", "http://snomed.info/sct", "SCT", r"[1-9][0-9]{5,17}"),
        System("ICD-10", "http://hl7.org/fhir/sid/icd-10", "I10", r"[A-Z][0-9]{2}(\.[0-9A-Z]{1,2})?"),
        System(
            "ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm", "I10C", r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"
        ),
        System(
            "ICD-11",
            "http://id.who.int/icd/release/11/mms",
            "I11",
            r"[0-9A-HJ-NP-Z]{4}(\.[0-9A-HJ-NP-Z]{1,3})?",
        ),
        System("ICD-O-3", "http://terminology.hl7.org/CodeSystem/icd-o-3", "ICDO3", r"[0-9]{4}/[0-9]"),
        System("DCM", "http://dicom.nema.org/resources/ontology/DCM", "DCM", r"[A-Z0-9]{2,16}"),
        System("LOINC", "http://loinc.org", "LN", r"[0-9]{1,7}-[0-9]"),
    )
}
_CALLED = {
    said.casefold(): system.key
    for system in SYSTEMS.values()
    for said in (system.key, system.uri, system.dicom)
} | {"snomed ct": "SCT", "snomed": "SCT"}
_URI = re.compile(r"(https?://|urn:)[!-~]{3,190}")


@dataclass(frozen=True)
class Code:
    """One code for one concept. ``system``: a key of SYSTEMS, or the URI of another one (the hospital's own).
    ``display``: what that system calls it; "" where nobody has said, as ICD's titles are wider than our names.
    ``source``: where it was looked up; "" for what a clinic has entered without saying."""

    kind: str
    concept: str
    system: str
    code: str
    display: str
    version: str = ""
    source: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """There is one code for each kind, concept and system."""
        return self.kind, self.concept, self.system

    @property
    def uri(self) -> str:
        known = SYSTEMS.get(self.system)
        return known.uri if known else self.system

    def coding(self) -> dict[str, str]:
        """As FHIR's Coding."""
        said = {"system": self.uri, "version": self.version, "code": self.code, "display": self.display}
        return {name: text for name, text in said.items() if text}

    def triple(self) -> tuple[str, str, str] | None:
        """(value, scheme designator, meaning) as DICOM has it: the meaning, our English name where the system's is not
        known, is cut to its 64 characters. None where the system has no designator there, or the value is longer than
        DICOM's 16 characters."""
        known = SYSTEMS.get(self.system)
        meaning = self.display or english_name(self.kind, self.concept)
        return (self.code, known.dicom, meaning[:64]) if known and len(self.code) <= 16 else None


def system_called(text: str) -> str:
    """The key of a system by its name, URI or designator; a URI of another one as it is; "" for what is neither."""
    text = text.strip()
    return _CALLED.get(text.casefold(), "") or (text if _URI.fullmatch(text) else "")


def fits(system: str, code: str) -> bool:
    """Whether this may be a code of the system: its form, and of SNOMED CT its check digit. Of other systems nothing is
    known but that there are no blanks."""
    known = SYSTEMS.get(system)
    if known is None:
        return bool(re.fullmatch(r"[!-~]{1,40}", code))
    return bool(re.fullmatch(known.pattern, code)) and (system != "SCT" or _is_sctid(code))


# Verhoeff's scheme, by which the last digit of every SNOMED CT identifier follows from the others: its table of ten
# turns of the digits, and the products of the symmetries of a pentagon (0 to 4 turn it, 5 to 9 mirror it).
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _is_sctid(code: str) -> bool:
    check = 0
    for place, digit in enumerate(map(int, reversed(code))):
        for _times in range(place % 8):
            digit = _TURN[digit]
        turned = (check % 5 + (digit if check < 5 else -digit)) % 5
        check = turned + (5 if (check < 5) != (digit < 5) else 0)
    return check == 0


def concepts() -> list[tuple[str, str]]:
    """Every (kind, concept) there may be a code for, in the order of pages."""
    return [
        (kind, key)
        for kind in KINDS
        for key in (BY_KEY if kind == DISEASE else _NAMES[kind])
        if (kind, key) != (SITE, "other")
    ]


def name(kind: str, concept: str) -> str:
    """The concept in the reader's language."""
    if kind == DISEASE:
        return BY_KEY[concept].name(get_language() or "en") if concept in BY_KEY else concept
    return str(_NAMES.get(kind, {}).get(concept, concept))


def english_name(kind: str, concept: str) -> str:
    """The same in English, as files for machines have it."""
    with override("en"):
        return name(kind, concept)


@cache
def shipped() -> dict[tuple[str, str, str], Code]:
    """{place: code} of what comes with the product."""
    rows = []
    for disease in DISEASES:
        source = "the list of the 12 diseases"
        rows.append(Code(DISEASE, disease.key, "ICD-10", disease.icd10, "", "2019", source))
        rows.append(Code(DISEASE, disease.key, "ICD-10-CM", disease.icd10_cm, "", "", source))
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    told = [line.split("|") for line in lines if line and not line.startswith("#")]
    rows += [Code(*(cell.strip() for cell in cells)) for cells in told]
    return {row.place: row for row in rows}
