"""Names of the 12 diseases and their subtypes, as archives and pathologists write them, in English and Korean.

A word that a source uses for several of the 12 (HAM10000's bkl, akiec, vasc) is not here: a curator says what it means.
"""

import re

from skinclinic.archive.formats.words.folding import fold, table, without_brackets
from skinclinic.vocabulary.diseases import DISEASES

_NAMES = table(
    {disease.key: (disease.key, disease.isic, *disease.names.values()) for disease in DISEASES}
) | table(
    {
        "bcc": "basal cell carcinoma|basal cell cancer|basal cell epithelioma|rodent ulcer|"
        "기저세포암|기저세포암종|기저 세포암",
        "scc": "squamous cell carcinoma|squamous cell carcinoma invasive|squamous cell carcinoma nos|"
        "squamous cell cancer|invasive squamous cell carcinoma|cutaneous squamous cell carcinoma|spinalioma|"
        "편평세포암|편평상피세포암|편평상피암",
        "iec": "intraepithelial carcinoma|intraepidermal carcinoma|bowen disease|bowens disease|"
        "morbus bowen|squamous cell carcinoma in situ|squamous cell carcinoma in situ bowens disease|scc in situ|"
        "sccis|carcinoma in situ of skin|보웬병|보웬씨병|표피내암|표피내암종|상피내암",
        "ak": "actinic keratosis|actinic keratoses|solar keratosis|solar keratoses|solar or actinic keratosis|"
        "senile keratosis|ack|광선각화증|광선 각화증|일광각화증",
        "sk": "seborrheic keratosis|seborrheic keratoses|seborrheic wart|basal cell papilloma|verruca seborrhoica|"
        "verruca seborrheica|sek|지루각화증|지루성 각화증|지루성각화증|검버섯",
        "mm": "melanoma|malignant melanoma|cutaneous melanoma|melanoma nos|melanoma malignum|"
        "malignes melanom|mel|흑색종|악성 흑색종|악성흑색종",
        "nevus": "nevus|nevus nos|melanocytic nevus|melanocytic nevi|nevocytic nevus|nevocellular nevus|"
        "nevus cell nevus|nevus melanocyticus|pigmented nevus|mole|nev|nv|"
        "모반|색소모반|멜라닌세포모반|멜라닌세포 모반|모반세포모반",
        "lentigo": "lentigo|lentigo nos|lentigines|lentigo benign|흑자|흑색점",
        "pg": "pyogenic granuloma|granuloma pyogenic|granuloma pyogenicum|lobular capillary hemangioma|"
        "telangiectatic granuloma|granuloma telangiectaticum|화농육아종|화농성 육아종|화농성육아종",
        "hemangioma": "hemangioma|hemangiomas|혈관종",
        "df": "dermatofibroma|dermatofibromas|fibrous histiocytoma|benign fibrous histiocytoma|histiocytoma|"
        "피부섬유종|피부 섬유종",
        "wart": "wart|warts|verruca|viral wart|viral warts|verrucae|사마귀|바이러스사마귀",
    }
)

# {disease: {subtype: their names}}; the subtypes are those of ``skinclinic.vocabulary.subtypes`` where it has them.
_OF_DISEASES = {
    "bcc": {
        "nodular": "basal cell carcinoma nodular|nodular basal cell carcinoma|nodular bcc",
        "superficial": "basal cell carcinoma superficial|superficial basal cell carcinoma|superficial bcc",
        "infiltrative": "basal cell carcinoma infiltrating|basal cell carcinoma infiltrative|"
        "infiltrative basal cell carcinoma|infiltrating basal cell carcinoma",
        "morpheaform": "basal cell carcinoma sclerosing or morpheaform|basal cell carcinoma morpheiform|"
        "basal cell carcinoma morpheaform|morpheaform basal cell carcinoma|sclerosing basal cell carcinoma",
        "micronodular": "basal cell carcinoma micronodular|micronodular basal cell carcinoma",
        "pigmented": "pigmented basal cell carcinoma|basal cell carcinoma pigmented",
        "Solid cystic": "solid cystic basal cell carcinoma",
    },
    "scc": {
        "keratoacanthoma": "squamous cell carcinoma keratoacanthoma|"
        "squamous cell carcinoma invasive keratoacanthoma type",
        "well differentiated": "squamous cell carcinoma invasive nos well differentiated|"
        "well differentiated squamous cell carcinoma",
        "moderately differentiated": "squamous cell carcinoma invasive nos moderately differentiated",
        "poorly differentiated": "squamous cell carcinoma invasive nos poorly differentiated",
    },
    "ak": {
        "atrophic": "actinic keratosis atrophic|atrophic actinic keratosis",
        "hyperkeratotic": "actinic keratosis hypertrophic|actinic keratosis hyperkeratotic|"
        "hypertrophic actinic keratosis",
        "pigmented": "pigmented actinic keratosis",
    },
    "sk": {
        "clonal": "seborrheic keratosis clonal",
        "irritated": "seborrheic keratosis irritated|irritated seborrheic keratosis",
        "acanthotic": "acanthotic seborrheic keratosis",
        "Dermatosis papulosa nigra": "dermatosis papulosa nigra",
    },
    "mm": {
        "superficial spreading": "superficial spreading melanoma|superficial spreading melanoma ssm|"
        "melanoma invasive superficial spreading|melanoma superficial spreading",
        "nodular": "nodular melanoma|nodular melanoma (nm)|melanoma invasive nodular|melanoma nodular",
        "lentigo maligna": "lentigo maligna|lentigo maligna melanoma|melanoma in situ lentigo maligna type|"
        "melanoma in situ lentigo maligna",
        "acral lentiginous": "acral lentiginous melanoma|melanoma acral lentiginous|acral melanoma|"
        "말단흑자흑색종|말단흑색종",
        "in situ": "melanoma in situ|malignant melanoma in situ|in situ melanoma|melanoma (in situ)|흑색종 제자리암",
        "Invasive": "melanoma invasive|invasive melanoma",
        "amelanotic": "amelanotic melanoma",
        "desmoplastic": "desmoplastic melanoma|melanoma invasive desmoplastic",
        "Less than 0.76 mm": "melanoma (less than 0.76 mm)",
        "0.76 to 1.5 mm": "melanoma (0.76 to 1.5 mm)",
        "More than 1.5 mm": "melanoma (more than 1.5 mm)",
    },
    "nevus": {
        "junctional": "junctional nevus|nevus junctional|nevus nos junctional|경계모반",
        "compound": "compound nevus|nevus compound|nevus nos compound|복합모반",
        "intradermal": "intradermal nevus|dermal nevus|nevus dermal|nevus nos dermal|진피내모반|진피모반",
        "congenital": "congenital nevus|nevus congenital|congenital melanocytic nevus|선천모반",
        "blue": "blue nevus|nevus blue|청색모반",
        "spitz": "spitz nevus|nevus spitz|스피츠모반",
        "dysplastic": "dysplastic nevus|nevus dysplastic|clark nevus|nevus clark|atypical nevus|nevus atypical|"
        "nevus atypical dysplastic or clark|이형성모반",
        "acral": "acral nevus|nevus acral",
        "Halo": "halo nevus|nevus halo",
        "Combined": "combined nevus|nevus combined",
        "Recurrent": "recurrent nevus|nevus recurrent or persistent",
        "Reed": "reed nevus|nevus reed|pigmented spindle cell nevus of reed",
        "Reed or Spitz": "reed or spitz nevus",
    },
    "lentigo": {
        "solar": "solar lentigo|lentigo solar|senile lentigo|lentigo senilis|일광흑자|노인흑자",
        "simplex": "lentigo simplex|simple lentigo|단순흑자",
        "Ink-spot": "ink spot lentigo",
    },
    "hemangioma": {
        "cherry": "cherry hemangioma|hemangioma cherry|cherry angioma|senile hemangioma|버찌혈관종|체리혈관종",
        "infantile": "infantile hemangioma|hemangioma infantile|영아혈관종",
        "capillary": "capillary hemangioma",
    },
    "wart": {
        "common": "verruca vulgaris|common wart|common warts|심상성사마귀|보통사마귀",
        "plantar": "verruca plantaris|plantar wart|plantar warts|발바닥사마귀",
        "flat": "verruca plana|flat wart|flat warts|plane wart|편평사마귀",
        "genital": "condyloma acuminatum|genital wart|genital warts|condylomata acuminata|첨규콘딜롬",
    },
}  # fmt: skip
_SUBTYPES = {
    word: (disease, subtype)
    for disease, subtypes in _OF_DISEASES.items()
    for word, subtype in table(subtypes).items()
}


def known(word: str) -> tuple[str, str] | None:
    """(disease, subtype or '') that a word means beyond doubt; None: nobody has said."""
    outer, inner = fold(without_brackets(word)), fold(" ".join(re.findall(r"\(([^()]*)\)", word)))
    if found := _meant(fold(word)) or (_meant(f"{outer} {inner}") if inner else None):
        return found
    # What stands in brackets must be another name of the same: "melanoma (suspected)" is none.
    named, again = _meant(outer), _meant(inner)
    if named and again and named[0] == again[0]:
        return named if named[1] else again
    return None


def _meant(folded: str) -> tuple[str, str] | None:
    return _SUBTYPES.get(folded) or ((_NAMES[folded], "") if folded in _NAMES else None)
