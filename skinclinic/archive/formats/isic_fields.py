"""The ISIC Archive's columns: what ours are there, and what of theirs no field of ours holds. Pure.

Names, values and paths are those of the archive's own checker (ISIC-metadata 4.12, August 2026).
"""

import re
from collections.abc import Callable, Mapping

from skinclinic.archive.formats.words import diseases

LEVELS = range(1, 6)
DIAGNOSIS = tuple(f"diagnosis_{level}" for level in LEVELS)
SITE = tuple(f"anatom_site_{level}" for level in LEVELS)

_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "dermoscopic_type": ("contact polarized", "contact non-polarized", "non-contact polarized"),
    "tbp_tile_type": ("3D: white", "3D: XP", "2D"),
    "image_manipulation": ("instrument only", "altered", "synthetic"),
    "anatom_site_special": (
        "acral NOS", "nail NOS", "fingernail", "toenail", "acral palms or soles", "oral or genital",
    ),
    "mel_mitotic_index": ("0/mm^2", "<1/mm^2", "1/mm^2", "2/mm^2", "3/mm^2", "4/mm^2", ">4/mm^2"),
    "image_type": ("TBP tile: close-up", "TBP tile: overview"),
}  # fmt: skip
_YES_OR_NO = ("concomitant_biopsy", "personal_hx_mm", "family_hx_mm", "melanocytic", "mel_ulcer")
_MILLIMETRES = ("clin_size_long_diam_mm", "mel_thick_mm")
_SAID = {"true": "True", "yes": "True", "1": "True", "false": "False", "no": "False", "0": "False"}
_TERM = re.compile(r"[A-Z][A-Za-z0-9 ,()'/-]{1,119}")
# Only of a melanoma, only of histopathology, only of a dermoscopic photo: the archive refuses them elsewhere.
OF_MELANOMA = ("mel_mitotic_index", "mel_thick_mm", "mel_ulcer")


def kept(columns: Mapping[str, str]) -> dict[str, str]:
    """Of what a source's table says beside our fields, that which the ISIC Archive has a column for, in its spelling;
    what is none of its values is left beside the photo."""
    found = {}
    for name, read in _READ.items():
        if value := read(columns.get(name, "").strip()):
            found[name] = value
    return found


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    by_word = {value.casefold(): value for value in values}
    return lambda text: by_word.get(text.casefold(), "")


def _yes_or_no(text: str) -> str:
    return _SAID.get(text.casefold(), "")


def _millimetres(text: str) -> str:
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)\s*(?:mm)?", text)
    return match[1] if match else ""


def _days(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{1,5}", text) else ""


def _term(text: str) -> str:
    return text if _TERM.fullmatch(text) else ""


_READ: Mapping[str, Callable[[str], str]] = {
    **{name: _one_of(values) for name, values in _ONE_OF.items()},
    **dict.fromkeys(_YES_OR_NO, _yes_or_no),
    **dict.fromkeys(_MILLIMETRES, _millimetres),
    **dict.fromkeys(DIAGNOSIS, _term),
    "acquisition_day": _days,
}

_DISEASES: Mapping[str, str] = {
    "bcc": "Malignant:Malignant adnexal epithelial proliferations - Follicular:Basal cell carcinoma",
    "scc": "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma, Invasive",
    "iec": "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma in situ",
    "ak": "Indeterminate:Indeterminate epidermal proliferations:Solar or actinic keratosis",
    "sk": "Benign:Benign epidermal proliferations:Seborrheic keratosis",
    "mm": "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma, NOS",
    "nevus": "Benign:Benign melanocytic proliferations:Nevus",
    "lentigo": "Benign:Flat melanotic pigmentations - not melanocytic nevus:Lentigo NOS",
    "pg": "Benign:Benign soft tissue proliferations - Vascular:Pyogenic granuloma",
    "hemangioma": "Benign:Benign soft tissue proliferations - Vascular:Hemangioma",
    "df": "Benign:Benign soft tissue proliferations - Fibro-histiocytic:Dermatofibroma",
    "wart": "Benign:Inflammatory or infectious diseases:Verruca",
}


def diagnosis(label: str, said: Mapping[str, str]) -> list[str]:
    """The five levels of a label, "" where there is none: as the source said them, where its narrowest known term
    means this label; else those of the disease. Of another diagnosis, of which no source gave the levels, none."""
    levels = [said.get(name, "") for name in DIAGNOSIS]
    if any(_means(term, label) for term in levels if term):
        return levels
    return _padded(_DISEASES.get(label, ""))


def _means(term: str, label: str) -> bool:
    known = diseases.known(term)
    return term.casefold() == label.casefold() or bool(known and known[0] == label)


def _padded(path: str) -> list[str]:
    levels = path.split(":") if path else []
    return [*levels, *[""] * (len(LEVELS) - len(levels))]


_FACE = "Head and neck:Head:Face"
_SITES: Mapping[str, str] = {
    "scalp": "Head and neck:Head:Scalp",
    "forehead": f"{_FACE}:Forehead",
    "nose": f"{_FACE}:Nose",
    "periorbital": f"{_FACE}:Orbital region:Periorbital region",
    "cheek": f"{_FACE}:Cheek",
    "ear": "Head and neck:Head:Ear",
    "lip": f"{_FACE}:Oral region:Lip",
    "chin": f"{_FACE}:Chin",
    "neck": "Head and neck:Neck",
    "chest": "Trunk:Anterior trunk:Anterior chest",
    "abdomen": "Trunk:Anterior trunk:Anterior abdomen",
    "back": "Trunk:Posterior trunk",
    "buttock": "Lower extremity:Buttock",
    "genital": "Anogenital region:Genital region",
    "shoulder": "Upper extremity:Shoulder",
    "upper_arm": "Upper extremity:Upper arm",
    "forearm": "Upper extremity:Forearm",
    "hand": "Upper extremity:Hand",
    "palm": "Upper extremity:Hand:Palm of hand",
    "finger": "Upper extremity:Hand:Fingers and thumb",
    "thigh": "Lower extremity:Thigh",
    "lower_leg": "Lower extremity:Lower leg",
    "foot": "Lower extremity:Foot",
    "sole": "Lower extremity:Foot:Sole of foot",
    "toe": "Lower extremity:Foot:Toes",
    "head_neck": "Head and neck",
    "face": _FACE,
    "trunk": "Trunk",
    "front_of_trunk": "Trunk:Anterior trunk",
    "side_of_trunk": "Trunk:Lateral trunk",
    "upper_limb": "Upper extremity",
    "lower_limb": "Lower extremity",
}
_SPECIAL = {"palm_or_sole": "acral palms or soles", "oral_or_genital": "oral or genital"}
# The column of the downloads until 2026.
_GENERAL: Mapping[str, str] = {
    "Head and neck": "head/neck",
    "Trunk:Anterior trunk": "anterior torso",
    "Trunk:Lateral trunk": "lateral torso",
    "Trunk:Posterior trunk": "posterior torso",
    "Upper extremity:Hand:Palm of hand": "palms/soles",
    "Lower extremity:Foot:Sole of foot": "palms/soles",
    "Upper extremity": "upper extremity",
    "Lower extremity": "lower extremity",
    "Anogenital region": "oral/genital",
}
_LIMBS = ("upper extremity", "lower extremity", "palms/soles")
_FITS = {
    "acral NOS": _LIMBS, "nail NOS": _LIMBS[:2], "fingernail": _LIMBS[:1], "toenail": _LIMBS[1:2],
    "acral palms or soles": _LIMBS[2:], "oral or genital": ("oral/genital",),
}  # fmt: skip
_GENERAL_SPECIAL = {"palm_or_sole": "palms/soles", "oral_or_genital": "oral/genital"}


def site(key: str) -> list[str]:
    """The five levels of a site, "" where there is none."""
    return _padded(_SITES.get(key, ""))


def special_site(key: str, said: str = "") -> str:
    """The word of ``anatom_site_special``: as the source said it, where it fits the site, which may have been corrected
    since; else that of the site."""
    fits = _FITS.get(said, ())
    return said if general_site(key) in fits else _SPECIAL.get(key, "")


def general_site(key: str) -> str:
    """The word of ``anatom_site_general``; "" where it has none (the trunk as a whole)."""
    path = _SITES.get(key, "")
    parts = path.split(":")
    for length in range(len(parts), 0, -1):
        if found := _GENERAL.get(":".join(parts[:length])):
            return found
    return _GENERAL_SPECIAL.get(key, "")
