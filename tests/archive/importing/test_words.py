"""Words of sources: known beyond doubt, or asked; nothing more exact than the source says."""

from datetime import date

import pytest

from skinclinic.archive.formats import values
from skinclinic.archive.formats.problems import CellError
from skinclinic.archive.formats.words import diseases, sites
from skinclinic.vocabulary import sites as vocabulary
from tests.cases import each

DISEASES = {
    "Seborrhoeic Keratosis": ("sk", ""), "seborrheic-keratosis": ("sk", ""), "basal_cell_carcinoma": ("bcc", ""),
    "Haemangioma": ("hemangioma", ""), "Melanocytic Naevus (mole)": ("nevus", ""), "Bowen\u2019s disease": ("iec", ""),
    "Intraepithelial carcinoma": ("iec", ""), "solar lentigo": ("lentigo", "solar"),
    "verruca vulgaris": ("wart", "common"), "nodular-melanoma-(nm)": ("mm", "nodular"), "기저세포암": ("bcc", ""),
    "Nevus, Atypical, Dysplastic, or Clark": ("nevus", "dysplastic"), "melanocytic-nevi": ("nevus", ""),
    "melanoma (0.76 to 1.5 mm)": ("mm", "0.76 to 1.5 mm"), "NV": ("nevus", ""), "granuloma pyogenic": ("pg", ""),
    "Melanoma (in situ)": ("mm", "in situ"), "BCC (nodular)": None, "AK (actinic keratosis)": ("ak", ""),
    "Basal cell carcinoma (nodular)": ("bcc", "nodular"), "melanoma (suspected)": None, "nevus (r/o melanoma)": None,
    "melanoma (metastatic)": None, "사마귀(심상성)": None,
    "bkl": None, "akiec": None, "vasc": None, "Epidermal nevus": None, "melanoma metastasis": None,
    "Pigmented benign keratosis": None, "keratoacanthoma": None, "becker nevus": None, "": None,
}  # fmt: skip


@each("word", DISEASES)
def test_a_disease_is_known_beyond_doubt_or_asked(word):
    assert diseases.known(word) == DISEASES[word]


SITES = {
    "lower extremity": "lower_limb", "Upper Extremity": "upper_limb", "ARM": "upper_limb",
    "palms/soles": "palm_or_sole",
    "lateral torso": "side_of_trunk", "head/neck": "head_neck", "head neck": "head_neck", "Face": "face",
    "Palm of hand": "palm", "Upper back": "back", "코": "nose", "발바닥": "sole", "genital areas": "genital",
    "left forearm": "forearm", "Lt. ear": "ear", "오른쪽 볼": "cheek", "cheek (right)": "cheek",
    "R. lower leg": "lower_leg",
    "left": None, "acral": "", "knee": "lower_limb", "moon": None,
}  # fmt: skip


@each("word", SITES)
def test_a_site_is_never_more_exact_than_its_word(word):
    assert sites.known(word) == SITES[word]


def test_every_site_has_its_own_names_and_no_word_leads_nowhere():
    for key, label in vocabulary.SITES:
        assert sites.known(key) == key and sites.known(str(label)) == key
    assert set(sites._WORDS.values()) <= set(dict(vocabulary.SITES))


AGES = {
    "71세": (71, None), "67y": (67, None), "85+": (85, 120), "30-35": (30, 35), "AGE_30_TO_39": (30, 39),
    "AGE_80_OR_ABOVE": (80, 120), "45,5": (45, None), "55.0": (55, None), "30대": (30, 39), "<18": (0, 17),
    "80세 이상": (80, 120), "unknown": (None, None), "18 months": (1, None), "40-40": (40, None),
}  # fmt: skip


@each("text", AGES)
def test_ages(text):
    assert values.age(text) == AGES[text]


SKIN_TYPES = {
    "I-II": 12, "12": 12, "56": 56, "type 2": 2, "Type III": 3, "FST5": 5, "-1": None, "1.0": 1, "IV": 4,
    "NONE_SELECTED": None, "iii–iv": 34, "": None,
}  # fmt: skip


@each("text", SKIN_TYPES)
def test_skin_types(text):
    assert values.skin_type(text) == SKIN_TYPES[text]


@each(
    "text, sex",
    [
        ("여", "female"),
        ("남성", "male"),
        ("w", "female"),
        ("weiblich", "female"),
        ("M", "male"),
        ("모름", ""),
    ],
)
def test_sexes(text, sex):
    assert values.sex(text) == sex


@each(
    "text",
    ["2024-5-3", "2024/05/03", "2024.5.3", "2024. 5. 3.", "2024년 5월 3일", "20240503", "2024-05-03T10:00"],
)
def test_dates_with_the_year_first(text):
    assert values.day(text) == date(2024, 5, 3)


def test_a_date_with_the_year_last_is_read_only_in_a_known_order():
    assert values.day("03.05.2024", values.DAY_FIRST) == date(2024, 5, 3)
    assert values.day("03/05/2024", values.MONTH_FIRST) == date(2024, 3, 5)
    with pytest.raises(CellError, match="not certain"):
        values.day("03.05.2024")
    assert values.orders("31.12.2024") == {values.DAY_FIRST}


WAYS = {
    "histo": "histopathology", "biopsy": "histopathology", "follow_up": "serial imaging showing no change",
    "consensus": "single image expert consensus", "confocal": "confocal microscopy with consensus dermoscopy",
}  # fmt: skip


@each("text", WAYS)
def test_ways_of_confirmation(text):
    assert values.confirmed_by(text) == WAYS[text]
