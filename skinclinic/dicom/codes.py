"""What codes of other systems mean here, and those that an object has whatever the clinic's table of codes says
(``services/codes.py``, by which objects are written).

Only codes that pydicom's copy of the standard's dictionaries (PS3.16) has under the same meaning, or highdicom's of
Annex L; a test looks each up. A disease without a code in the clinic's table is told by the product's own scheme
``99SKINCLINIC``, whose codes are the keys of ``vocabulary/diseases.py``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SCT, DCM, UCUM, LN = "SCT", "DCM", "UCUM", "LN"
OWN_SCHEME = "99SKINCLINIC"
OWN_SCHEME_NAME = "SkinClinic: keys of its 12 diseases"


@dataclass(frozen=True)
class Coded:
    """A code value, the scheme it belongs to, and its meaning in English."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> "Dataset":
        """As an item of a code sequence."""
        # Most processes make none.
        from pydicom.dataset import Dataset

        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = self.value, self.scheme, self.meaning
        return item


# Of the context group 4029 (dermatology anatomic sites) where it has the site, else the region of Annex L.
_SITES = {
    "scalp": Coded("43067004", SCT, "Skin of scalp"),
    "forehead": Coded("68698007", SCT, "Skin of forehead"),
    "nose": Coded("113179006", SCT, "Skin of nose"),
    "periorbital": Coded("362916000", SCT, "Skin of eye region"),
    "cheek": Coded("36141000", SCT, "Skin of cheek"),
    "ear": Coded("1902009", SCT, "Skin of ear"),
    "lip": Coded("88089004", SCT, "Skin of lip"),
    "chin": Coded("23747009", SCT, "Skin of chin"),
    "neck": Coded("43081002", SCT, "Skin of neck"),
    "chest": Coded("74160004", SCT, "Skin of chest"),
    "abdomen": Coded("75093004", SCT, "Skin of abdomen"),
    "back": Coded("66643007", SCT, "Skin of back"),
    "buttock": Coded("22180002", SCT, "Skin of buttock"),
    "genital": Coded("60944009", SCT, "Skin of external genitalia"),
    "shoulder": Coded("16982005", SCT, "Shoulder"),
    "upper_arm": Coded("40983000", SCT, "Upper arm"),
    "forearm": Coded("14975008", SCT, "Forearm"),
    "hand": Coded("33712006", SCT, "Skin of hand"),
    "palm": Coded("70887009", SCT, "Skin of palm of hand"),
    "finger": Coded("244169007", SCT, "Skin of digit of hand"),
    "thigh": Coded("68367000", SCT, "Thigh"),
    "lower_leg": Coded("30021000", SCT, "Lower leg"),
    "foot": Coded("60496002", SCT, "Skin of foot"),
    "toe": Coded("52034004", SCT, "Skin of toe"),
    "head_neck": Coded("774007", SCT, "Head and Neck"),
    "face": Coded("73897004", SCT, "Skin of face"),
    "trunk": Coded("22943007", SCT, "Trunk"),
    "front_of_trunk": Coded("181491009", SCT, "Skin of anterior trunk"),
    "side_of_trunk": Coded("58602004", SCT, "Flank"),
    "upper_limb": Coded("371311000", SCT, "Skin of upper extremity"),
    "lower_limb": Coded("371304004", SCT, "Skin of lower extremity"),
}
# Of these the patient has one alone.
UNPAIRED = frozenset(
    ("scalp", "forehead", "nose", "lip", "chin", "neck", "chest", "abdomen", "back", "genital", "head_neck", "face",
     "trunk", "front_of_trunk")
)  # fmt: skip
_OLD_SCHEMES = ("SRT", "SNM3", "99SDM")
SKIN = Coded("39937001", SCT, "Skin")
# Defined terms of Body Part Examined (PS3.16 Annex L).
_BODY_PARTS = {
    "scalp": "SCALP", "forehead": "FACE", "nose": "NOSE", "periorbital": "FACE", "cheek": "CHEEK", "ear": "EAR",
    "lip": "FACE", "chin": "FACE", "neck": "NECK", "chest": "CHEST", "abdomen": "ABDOMEN", "back": "BACK",
    "buttock": "BUTTOCK", "shoulder": "SHOULDER", "upper_arm": "UPPERARM", "forearm": "FOREARM", "hand": "HAND",
    "palm": "HAND", "finger": "FINGER", "thigh": "THIGH", "lower_leg": "LOWERLEG", "foot": "FOOT", "sole": "FOOT",
    "toe": "TOE", "head_neck": "HEADNECK", "face": "FACE", "trunk": "TRUNK", "front_of_trunk": "TRUNK",
    "side_of_trunk": "TRUNK", "upper_limb": "UPPERLIMB", "lower_limb": "LOWERLIMB",
}  # fmt: skip
# Codes of other systems that say more than a site here, or the same under another meaning.
_NARROWER = {
    "79951008": "scalp", "21672008": "scalp", "16621002": "head_neck", "40069000": "periorbital",
    "41310005": "periorbital",
    "27887005": "periorbital", "37671003": "periorbital", "367577003": "periorbital", "68598004": "nose",
    "79283007": "nose", "314395006": "nose", "2059009": "ear", "79313003": "ear", "66934001": "lip", "16251004": "lip",
    "11584001": "neck", "5272005": "neck", "4658004": "neck", "244106003": "chest", "244107007": "chest",
    "699915001": "chest", "699914002": "abdomen", "699935000": "abdomen", "315003": "abdomen", "113182001": "back",
    "244111001": "back", "699893008": "back", "45981001": "upper_arm", "72939005": "upper_arm", "70559009": "forearm",
    "41550009": "forearm", "281642007": "hand", "26795005": "palm", "89784008": "palm", "61248009": "thigh",
    "4578000": "thigh", "73958006": "thigh", "25763004": "lower_leg", "47224004": "lower_leg", "84607009": "foot",
    "35739000": "sole", "52953006": "sole", "35900000": "genital", "20233005": "genital",
    "69536005": "head_neck", "45048000": "neck", "89545001": "face", "818981001": "abdomen", "816094009": "chest",
    "77568009": "back", "85562004": "hand", "7569003": "finger", "56459004": "foot", "29707007": "toe",
    "53120007": "upper_limb", "61685007": "lower_limb", "46862004": "buttock", "117590005": "ear", "45206002": "nose",
}  # fmt: skip
_OF_BODY_PARTS = {
    "SCALP": "scalp", "NOSE": "nose", "CHEEK": "cheek", "EAR": "ear", "NECK": "neck", "CHEST": "chest",
    "THORAX": "chest", "ABDOMEN": "abdomen", "BACK": "back", "BUTTOCK": "buttock", "SHOULDER": "shoulder",
    "UPPERARM": "upper_arm", "FOREARM": "forearm", "HAND": "hand", "FINGER": "finger", "THIGH": "thigh",
    "LOWERLEG": "lower_leg", "FOOT": "foot", "TOE": "toe", "FACE": "face", "HEADNECK": "head_neck", "HEAD": "head_neck",
    "TRUNK": "trunk", "UPPERLIMB": "upper_limb", "LOWERLIMB": "lower_limb", "EXTREMITY": "",
}  # fmt: skip

DERMOSCOPY = Coded("446078004", SCT, "Dermoscopic photography")
PHOTOGRAPHY = Coded("197157006", SCT, "Photography of patient")
SKIN_LESION = Coded("95324001", SCT, "Skin lesion")
PROBABILITY = Coded("122157", DCM, "Probability")
NO_UNITS = Coded("1", UCUM, "no units")
COMMENT = Coded("121106", DCM, "Comment")
CODES = (
    DERMOSCOPY,
    PHOTOGRAPHY,
    SKIN_LESION,
    PROBABILITY,
    COMMENT,
    SKIN,
    *_SITES.values(),
)


def body_part(key: str) -> str:
    """The defined term of Body Part Examined; "" for none."""
    return _BODY_PARTS.get(key, "")


def site_of(value: str, scheme: str) -> str:
    """The site that a code means here, also one of SNOMED's old scheme; "" where it is not known."""
    if scheme in _OLD_SCHEMES:
        from pydicom.sr._snomed_dict import mapping

        value, scheme = mapping["SRT"].get(value, ""), SCT
    if scheme != SCT:
        return ""
    return _SITE_OF.get(value) or _NARROWER.get(value, "")


def site_of_body_part(term: str) -> str:
    return _OF_BODY_PARTS.get(term.strip().upper(), "")


_SITE_OF = {code.value: key for key, code in _SITES.items()}
