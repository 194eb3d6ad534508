"""Names of sites, left and right alike. A word never becomes a narrower site than it says: 'arm' is anywhere from
shoulder to fingers."""

import re

from skinclinic.archive.formats.words.folding import fold, table, without_brackets

_WORDS = table(
    {
        "scalp": "scalp|vertex|두피|정수리",
        "forehead": "forehead|이마",
        "nose": "nose|nasal|tip of nose|ala nasi|코|콧등",
        "periorbital": "periorbital|eyelid|eye|orbital region|periorbital region|around the eye|periocular|눈|"
        "눈꺼풀|눈주위|눈 주위|"
        "안검",
        "cheek": "cheek|cheeks|볼|뺨|협부",
        "ear": "ear|ears|auricle|pinna|external ear|귀|귓바퀴|이개",
        "lip": "lip|lips|upper lip|lower lip|입술|윗입술|아랫입술",
        "chin": "chin|턱",
        "neck": "neck|front of neck|side of neck|nape of neck|nape|supraclavicular region|목|경부",
        "chest": "chest|anterior chest|breast|clavicle|sternum|가슴|흉부|유방",
        "abdomen": "abdomen|anterior abdomen|belly|stomach|umbilicus|복부|배",
        "back": "back|posterior torso|posterior trunk|upper back|mid back|lower back|torso back|등|등 부위",
        "buttock": "buttock|buttocks|gluteal|엉덩이|둔부",
        "genital": "genital|genital area|genitals|genitalia|genital region|genital areas|vulva|vagina|penis|"
        "scrotum|외음부|성기|생식기|음부",
        "shoulder": "shoulder|shoulders|어깨|견부",
        "upper_arm": "upper_arm|upper arms|상완|위팔|상박",
        "forearm": "forearm|forearms|lower arm|전완|아래팔|전박",
        "hand": "hand|hands|dorsum of hand|back of hand|손|손등|수배부",
        "palm": "palm|palms|palm of hand|palmar|손바닥|수장",
        "finger": "finger|fingers|fingers and thumb|thumb|손가락|수지",
        "thigh": "thigh|thighs|upper leg|허벅지|대퇴|넓적다리",
        "lower_leg": "lower_leg|lower legs|shin|calf|종아리|하퇴|정강이",
        "foot": "foot|feet|dorsum of foot|foot top or side|heel|발|발등|족배부",
        "sole": "sole|soles|sole of foot|plantar|foot sole|발바닥|족저|족저부",
        "toe": "toe|toes|great toe|발가락|족지",
        "other": "other|anogenital region|perianal region|perianal|anus|기타",
        "head_neck": "head_neck|head/neck|head and neck|head or neck|head & neck|head|두경부|머리",
        "face": "face|facial|temple|oral region|perioral region|얼굴|안면|안면부|관자놀이",
        "trunk": "trunk|torso|thorax|몸통|체간",
        "front_of_trunk": "front_of_trunk|front of the trunk|anterior torso|anterior trunk|torso front|"
        "ventral trunk",
        "side_of_trunk": "side_of_trunk|side of the trunk|lateral torso|lateral trunk|axilla|flank|"
        "lateral chest|lateral abdomen|겨드랑이|옆구리",
        "upper_limb": "upper_limb|arm or hand|upper extremity|upper extremities|upper limb|upper limbs|arm|"
        "arms|elbow|wrist|"
        "팔|상지|팔꿈치|손목",
        "lower_limb": "lower_limb|leg or foot|lower extremity|lower extremities|lower limb|lower limbs|leg|"
        "legs|knee|ankle|hip|"
        "다리|하지|무릎|발목",
        "palm_or_sole": "palm_or_sole|palm or sole|palms/soles|palms or soles|acral palms or soles|"
        "palmoplantar|손발바닥",
        "oral_or_genital": "oral_or_genital|mouth or genital area|oral/genital|oral or genital|mouth|oral|"
        "oral mucosa|tongue|gingiva|palate|"
        "입|구강|구강점막",
    }
)


_SIDE = re.compile(
    r"^(?:left|right|lt|rt|l|r|both|bilateral|왼쪽|오른쪽|좌측|우측|양측|좌|우) | (?:left|right|lt|rt|l|r|bilateral)$"
)


# They say something of the place and fit none of ours: left empty, with the source's word kept beside.
_NONE_OF_OURS = frozenset(("acral", "acral nos", "nail", "nail nos", "generalized", "multiple"))


def known(word: str) -> str | None:
    """The site's key, '' for a word that none of them fits, or None for one that nobody has said the meaning of."""
    if fold(word) in _NONE_OF_OURS:
        return ""
    folded = fold(without_brackets(word))
    return _WORDS.get(fold(word)) or _WORDS.get(folded) or _WORDS.get(_SIDE.sub("", folded))
