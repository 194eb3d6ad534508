"""All formats that are read without naming columns, by their keys."""

from collections.abc import Mapping

from skinclinic.archive.formats.known_clinical import (
    DDI,
    DERM7PT,
    FITZPATRICK17K,
    OWN_EXPORT,
    PAD_UFES_20,
    SCIN,
)
from skinclinic.archive.formats.known_isic import (
    BCN20000,
    HAM10000,
    ISIC,
    ISIC_2019,
    ISIC_2020,
    ISIC_MULTI,
    MILK10K,
)
from skinclinic.archive.formats.layouts import Layout, labels

__all__ = ["LAYOUTS", "OWN_EXPORT", "PAD_UFES_20", "WITHOUT_TABLE"]

MED_NODE, FOLDER, DERMOFIT, DICOM = "med-node", "folder", "dermofit", "dicom"
WITHOUT_TABLE = (MED_NODE, DERMOFIT, FOLDER, DICOM)
LAYOUTS: Mapping[str, Layout] = {
    "pad-ufes-20": PAD_UFES_20, "isic": ISIC, "isic-2019": ISIC_2019, "isic-2020": ISIC_2020, "ham10000": HAM10000,
    "bcn20000": BCN20000, "milk10k": MILK10K, "isic-multi": ISIC_MULTI, "ddi": DDI,
    "fitzpatrick17k": FITZPATRICK17K, "scin": SCIN, "derm7pt": DERM7PT, "skinclinic": OWN_EXPORT,
}  # fmt: skip
# Of folders, whose layout says no more than this.
FOLDER_LABELS: Mapping[str, Mapping[str, str]] = {
    MED_NODE: labels(mm="melanoma", nevus="naevus|nevus"),
    # Ballerini et al. 2013: the short names of its folders.
    DERMOFIT: labels(
        ak="AK",
        bcc="BCC",
        nevus="ML",
        sk="SK",
        scc="SCC",
        iec="IEC",
        pg="PYO",
        hemangioma="VASC",
        df="DF",
        mm="MEL",
    ),
}
