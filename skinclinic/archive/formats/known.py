"""The formats that are read without a mapping: their columns and their words."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from skinclinic.archive.formats.columns import Layout
from skinclinic.archive.formats.photo_sets import PhotoSet
from skinclinic.archive.formats.problems import PhotosRefused, _
from skinclinic.archive.formats.rows import Row
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.vocabulary.sites import SITE_KEYS

SITES = {key.replace("_", " "): key for key in SITE_KEYS} | {key: key for key in SITE_KEYS}

# Pacheco et al. 2020, doi:10.17632/zr7vgbcyr2.1. SCC holds Bowen's disease too.
PAD_UFES_20 = Layout(
    columns={
        "file": "file_name", "external_id": "img_id", "label": "diagnostic", "patient": "patient_id",
        "lesion": "lesion_id", "age": "age", "sex": "gender", "skin_type": "fitspatrick", "site": "region",
        "is_proven": "biopsed",
    },
    labels={"bcc": "bcc", "scc": "scc", "ack": "ak", "sek": "sk", "mel": "mm", "nev": "nevus"},
    sites=SITES | {"arm": "upper_arm", "face": "other"},
)  # fmt: skip

# The ISIC Archive's metadata; the diagnosis is "A:B:C" or its parts in columns, the last one counts.
ISIC = Layout(
    columns={
        "file": "isic_id", "label": "diagnosis", "patient": "patient_id", "lesion": "lesion_id",
        "age": "age_approx", "sex": "sex", "skin_type": "fitzpatrick_skin_type",
        "site": "anatom_site_general", "kind": "image_type", "confirmed_by": "diagnosis_confirm_type",
    },
    labels={disease.isic.casefold(): disease.key for disease in DISEASES},
    sites=SITES | {
        "anterior torso": "chest", "posterior torso": "back", "lower extremity": "lower_leg",
        "upper extremity": "upper_arm", "palms/soles": "palm", "oral/genital": "genital",
        "lateral torso": "abdomen", "head/neck": "other",
    },
)  # fmt: skip
ISIC_LEVELS = tuple(f"diagnosis_{level}" for level in range(5, 0, -1))

OWN_EXPORT = Layout(
    columns={
        "file": "file", "external_id": "photo", "label": "label", "patient": "patient", "lesion": "lesion",
        "age": "age", "sex": "sex", "skin_type": "skin_type", "ethnicity": "ethnicity", "site": "site",
        "kind": "kind", "is_proven": "proven", "confirmed_by": "confirmed_by", "subtype": "subtype",
        "icd10": "icd10", "impression": "impression", "text": "text", "sha256": "sha256", "split": "split",
        "is_synthetic": "synthetic",
    },
    sites=SITES,
)  # fmt: skip

MED_NODE_LABELS = {"melanoma": "mm", "naevus": "nevus", "nevus": "nevus"}


def isic_leaf(diagnosis: str) -> str:
    """The most specific term of "A:B:C"."""
    return diagnosis.rsplit(":", 1)[-1].strip()


def folder_rows(photos: PhotoSet) -> Iterator[Row]:
    """A row for each photo of one folder a disease; the folder that holds it names the disease."""
    for number, name in enumerate(photos.names, start=1):
        parts = PurePosixPath(name).parts
        if len(parts) < 2:
            raise PhotosRefused(
                _("“%(name)s” lies in no folder; each disease needs a folder of its own."), name=name
            )
        yield Row(number=number, file=name, external_id=name[-200:], label=parts[-2])
