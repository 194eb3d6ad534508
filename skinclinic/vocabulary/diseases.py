"""The 12 diseases, in the fixed order of every score vector, table and plot. The only list.

Names, tiers and codes are facts; ICD-10 is the WHO version, ICD-10-CM the US one, and ``isic`` the
leaf term of the ISIC diagnosis vocabulary. An ICD-10 code is never a key: basal cell and squamous cell
carcinoma share C44.9.
"""

from dataclasses import dataclass

MALIGNANT, PREMALIGNANT, BENIGN = "malignant", "premalignant", "benign"


@dataclass(frozen=True)
class Disease:
    """One disease: its key, names, tier (malignant, premalignant or benign) and codes."""

    key: str
    name_en: str
    name_ko: str
    tier: str
    icd10: str
    icd10_cm: str
    isic: str

    def name(self, language: str = "en") -> str:
        """Return the name in ``language`` (a BCP 47 tag); anything but Korean gets English."""
        return self.name_ko if language.lower().startswith("ko") else self.name_en

    @property
    def is_malignant(self) -> bool:
        return self.tier == MALIGNANT


DISEASES = (
    Disease("bcc", "Basal cell carcinoma", "기저세포암종", MALIGNANT, "C44.9", "C44.91", "Basal cell carcinoma"),
    Disease(
        "scc", "Squamous cell carcinoma", "편평세포암종", MALIGNANT, "C44.9", "C44.92",
        "Squamous cell carcinoma, Invasive",
    ),
    Disease(
        "iec", "Intraepithelial carcinoma (Bowen's disease)", "표피내암종(보웬병)", MALIGNANT, "D04.9", "D04.9",
        "Squamous cell carcinoma in situ",
    ),
    Disease("ak", "Actinic keratosis", "광선각화증", PREMALIGNANT, "L57.0", "L57.0", "Solar or actinic keratosis"),
    Disease("sk", "Seborrheic keratosis", "지루각화증", BENIGN, "L82", "L82.1", "Seborrheic keratosis"),
    Disease("mm", "Malignant melanoma", "악성흑색종", MALIGNANT, "C43.9", "C43.9", "Melanoma, NOS"),
    Disease("nevus", "Melanocytic nevus", "멜라닌세포모반", BENIGN, "D22.9", "D22.9", "Nevus"),
    Disease("lentigo", "Lentigo", "흑자", BENIGN, "L81.4", "L81.4", "Lentigo NOS"),
    Disease("pg", "Pyogenic granuloma", "화농육아종", BENIGN, "L98.0", "L98.0", "Pyogenic granuloma"),
    Disease("hemangioma", "Hemangioma", "혈관종", BENIGN, "D18.0", "D18.01", "Hemangioma"),
    Disease("df", "Dermatofibroma", "피부섬유종", BENIGN, "D23.9", "D23.9", "Dermatofibroma"),
    Disease("wart", "Wart", "사마귀", BENIGN, "B07", "B07.9", "Verruca"),
)  # fmt: skip

DISEASE_KEYS = tuple(disease.key for disease in DISEASES)
BY_KEY = {disease.key: disease for disease in DISEASES}
MALIGNANT_KEYS = tuple(disease.key for disease in DISEASES if disease.is_malignant)
