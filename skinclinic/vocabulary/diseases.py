"""The 12 diseases, in the fixed order of every score vector, table and plot. The only list.

Names, tiers and codes are facts; ICD-10 is the WHO version, ICD-10-CM the US one, and ``isic`` the
leaf term of the ISIC diagnosis vocabulary. An ICD-10 code is never a key: basal cell and squamous cell
carcinoma share C44.9. Names in other languages lie with the other translations, in ``locale/*/diseases.json``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

MALIGNANT, PREMALIGNANT, BENIGN = "malignant", "premalignant", "benign"


@dataclass(frozen=True)
class Disease:
    """One disease: its key, names, tier (malignant, premalignant or benign) and codes."""

    key: str
    name_en: str
    tier: str
    icd10: str
    icd10_cm: str
    isic: str

    def name(self, language: str = "en") -> str:
        """Return the name in ``language`` (a BCP 47 tag); English where nobody has translated it."""
        code = language.lower()
        for names in (_TRANSLATED.get(code), _TRANSLATED.get(code.split("-")[0])):
            if names and self.key in names:
                return names[self.key]
        return self.name_en

    @property
    def names(self) -> dict[str, str]:
        """The name in every language that has one: {language: name}, English first."""
        translated = {code: names[self.key] for code, names in _TRANSLATED.items() if self.key in names}
        return {"en": self.name_en} | translated

    @property
    def is_malignant(self) -> bool:
        return self.tier == MALIGNANT


DISEASES = (
    Disease("bcc", "Basal cell carcinoma", MALIGNANT, "C44.9", "C44.91", "Basal cell carcinoma"),
    Disease(
        "scc", "Squamous cell carcinoma", MALIGNANT, "C44.9", "C44.92",
        "Squamous cell carcinoma, Invasive",
    ),
    Disease(
        "iec", "Intraepithelial carcinoma (Bowen's disease)", MALIGNANT, "D04.9", "D04.9",
        "Squamous cell carcinoma in situ",
    ),
    Disease("ak", "Actinic keratosis", PREMALIGNANT, "L57.0", "L57.0", "Solar or actinic keratosis"),
    Disease("sk", "Seborrheic keratosis", BENIGN, "L82", "L82.1", "Seborrheic keratosis"),
    Disease("mm", "Malignant melanoma", MALIGNANT, "C43.9", "C43.9", "Melanoma, NOS"),
    Disease("nevus", "Melanocytic nevus", BENIGN, "D22.9", "D22.9", "Nevus"),
    Disease("lentigo", "Lentigo", BENIGN, "L81.4", "L81.4", "Lentigo NOS"),
    Disease("pg", "Pyogenic granuloma", BENIGN, "L98.0", "L98.0", "Pyogenic granuloma"),
    Disease("hemangioma", "Hemangioma", BENIGN, "D18.0", "D18.01", "Hemangioma"),
    Disease("df", "Dermatofibroma", BENIGN, "D23.9", "D23.9", "Dermatofibroma"),
    Disease("wart", "Wart", BENIGN, "B07", "B07.9", "Verruca"),
)  # fmt: skip

_TRANSLATED: dict[str, dict[str, str]] = {
    path.parent.name.lower().replace("_", "-"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).resolve().parents[2] / "locale").glob("*/diseases.json"))
}
DISEASE_KEYS = tuple(disease.key for disease in DISEASES)
BY_KEY = {disease.key: disease for disease in DISEASES}
MALIGNANT_KEYS = tuple(disease.key for disease in DISEASES if disease.is_malignant)
