"""The list of other diagnoses: its form, and that each is found, understood and shown by all it is called."""

import re
from collections import Counter

import pytest
from django.conf import settings

from skinclinic.vocabulary import listed, terms
from skinclinic.vocabulary.diseases import DISEASE_KEYS, DISEASES
from skinclinic.vocabulary.matching import EXACT, plain, rank
from tests.cases import each

# With what the codes of each part of the file may begin, one or several chapters of ICD-10.
CHAPTERS = {
    "Eczema and dermatitis": ("L", "I83.1"),
    "Psoriasis, lichen and other papules and scales": ("L",),
    "Urticaria, erythema and drug reactions": ("L", "T78.3", "D84.1", "B09"),
    "Blistering diseases": ("L10", "L11", "L12", "L13", "O26.4", "Q81", "Q82"),
    "Acne, follicles and sweat": ("L", "R61"),
    "Hair": ("L6", "F63.3"),
    "Nails": ("L60", "L03.0"),
    "Infections and infestations": ("A", "B", "L0", "L90.4", "M72.6", "T14.0"),
    "Benign tumors and cysts": ("D1", "D2", "D3", "L72", "L85", "L91", "M67", "M72", "Q"),
    "Melanocytic nevi and pigment": ("D22", "L8", "L57.3", "E70.3", "Q85.8"),
    "Malignant tumors and lymphomas": ("C", "D0", "L56.8"),
    "Vascular": ("D18", "D23", "D69", "D89", "E75.2", "I", "L89", "L95", "L97", "L98.4", "M30", "M31", "Q8"),
    "Connective tissue and inflammation": ("L", "M", "D86.3"),
    "Metabolic, nutritional and deposits": ("E", "H02.6", "L98.5", "M10.9"),
    "Genetic and keratinization": ("Q", "L84", "L85"),
    "Light, heat, cold and injury": ("L5", "T", "L98.1", "F22.0"),
    "Mouth and genitals": ("K", "N"),
    "Newborns": ("P",),
}


def found(query, language="en"):
    return [term.value for term in terms.find(query, language, with_others=True)]


def test_every_line_is_whole_and_no_name_stands_for_two_diagnoses():
    assert len(listed.every()) > 400 and [entry.key for entry in listed.of_the_12().values()] == list(
        DISEASE_KEYS
    )
    for entry in listed.every():
        assert {"en", "ko"} <= set(entry.names) <= {code for code, _name in settings.LANGUAGES}, entry
        assert entry.form_of in ("", *DISEASE_KEYS), entry
        assert not entry.icd10 or re.fullmatch(r"[A-Z]\d\d(\.\d)?", entry.icd10), entry
        assert entry.icd10.startswith(CHAPTERS[entry.part]) or not entry.icd10, entry
        assert not entry.icd11 or re.fullmatch(r"[0-9A-N][A-Z][0-9A-Z]\d(\.\d{1,2})?", entry.icd11), entry
        assert len(terms.LISTED + entry.key) <= 120 and not re.search(r"[;|]", "".join(entry.names.values()))
        assert re.search("[가-힣]", entry.names["ko"]), entry
        # Two languages may call it the same.
        called = [*{plain(name) for name in entry.names.values()}, *map(plain, entry.also)]
        assert len(called) == len(set(called)), entry
    of_whom = Counter(
        name
        for key in (*DISEASE_KEYS, *(entry.key for entry in listed.every()))
        for name in listed.findable_of(key).names
    )
    assert [name for name, count in of_whom.items() if count > 1] == []
    assert {entry.part for entry in listed.every()} == set(CHAPTERS)


def test_each_is_found_by_all_it_is_called_and_understood_as_itself():
    for entry in listed.every():
        value = terms.LISTED + entry.key
        assert terms.understand(value, "whatever") == ("", entry.icd10, entry.key)
        # Nothing else has a name of its own, so what answers exactly stands first.
        for name in (*entry.all_names, *filter(None, (entry.icd10, entry.icd11))):
            assert rank(listed.findable_of(entry.key), plain(name))[0] == EXACT, name
        for name in entry.names.values():
            assert terms.understand("", name.upper()) == ("", entry.icd10, entry.key), name
        assert not any(terms.understand("", name) for name in entry.also), entry
    for entry in listed.every()[::20]:
        assert [found(name)[0] for name in entry.names.values()] == [terms.LISTED + entry.key] * len(
            entry.names
        )
    for key, entry in listed.of_the_12().items():
        for name in entry.also:
            assert (found(name)[0], terms.understand("", name)) == (key, None), name


@each(
    "typed, expected",
    [
        ("psor", "Psoriasis"), ("ecz", "Eczema"), ("spitz", "Spitz nevus"), ("merk", "Merkel cell carcinoma"),
        ("lupus", "Lupus erythematosus"), ("kaposi", "Kaposi sarcoma"), ("dfsp", "Dermatofibrosarcoma protuberans"),
        ("blue naevus", "Blue nevus"), ("lichen p", "Lichen planus"), ("naevus of ota", "Nevus of Ota"),
        ("infantile haemangioma", "Infantile hemangioma"), ("glomus tumour", "Glomus tumor"),
        ("angiooedema", "Angioedema"), ("seborrhoeic derm", "Seborrheic dermatitis"),
        ("sezary", "Sézary syndrome"), ("bazin", "Erythema induratum"), ("hailey hailey", "Hailey-Hailey disease"),
        ("generalised pustular", "Generalized pustular psoriasis"), ("leuconychia", "Leukonychia"),
        ("무좀", "Tinea pedis"), ("건서", "Psoriasis"), ("ㄱㅅ", "Psoriasis"), ("ㅂㅌㄱㅅ", "Psoriasis vulgaris"),
        ("대상", "Herpes zoster"), ("ea80", "Atopic dermatitis"), ("l63", "Alopecia areata"),
    ],
)  # fmt: skip
def test_what_a_clinician_types_leads_to_it(typed, expected):
    assert f"listed:{expected}" in found(typed)[:6]


def test_the_order_is_exact_then_beginning_then_word_then_within_and_the_12_first_among_equals():
    assert found("wart")[0] == "wart" and found("haemangioma")[0] == "hemangioma"
    assert found("seborrhoeic keratosis")[0] == "sk" and found("acne")[0] == "listed:Acne vulgaris"
    melanoma = found("melanoma")
    assert melanoma[0] == "mm" and melanoma.index("listed:Melanoma in situ") < melanoma.index(
        "listed:Nodular melanoma"
    )
    carcinoma = found("carcinoma")
    assert carcinoma.index("bcc") < carcinoma.index("listed:Merkel cell carcinoma")
    assert found("keratoa")[0] == "listed:Keratoacanthoma"
    assert found("") == list(DISEASE_KEYS) and [one.value for one in terms.find("psoriasis", "en")] == []
    assert len(found("a")) <= len(DISEASES) + terms.MOST_LISTED


@each(
    "value, typed, meant",
    [
        ("", "psor", None),
        ("", "blue naevus", ("", "D22.9", "Blue nevus")),
        ("", "DFSP", None),
        ("as-typed", "psor", ("", "", "psor")),
        ("as-typed", "Keratoacanthoma", ("", "", "Keratoacanthoma")),
        ("listed:No such thing", "Psoriasis", None),
        ("", "Early keratoacanthoma of the hand", ("", "", "Early keratoacanthoma of the hand")),
        ("", "haemangioma", ("hemangioma", "", "")),
    ],
)
def test_what_is_typed_is_asked_about_or_kept_as_it_is(value, typed, meant):
    assert terms.understand(value, typed) == meant


def test_what_is_stored_shows_in_the_reader_s_language_and_own_words_as_they_are():
    assert listed.in_words("L40.0", "Psoriasis vulgaris; on the scalp", "ko-kr") == "보통건선; on the scalp"
    assert listed.in_words("L40.0", "Psoriasis vulgaris", "fr") == "Psoriasis vulgaris"
    for code, text in (("", "Psoriasis vulgaris"), ("L40.0", "psoriasis"), ("L40.0", ""), ("", "")):
        assert listed.in_words(code, text, "ko") == text
    assert terms.term(DISEASES[0], "ko").label == "기저세포암종"
    (term,) = [one for one in terms.find("dfsp", "ko", with_others=True) if one.value.startswith("listed:")]
    assert (term.label, term.detail) == ("융기피부섬유육종", "Dermatofibrosarcoma protuberans · C44.9")


@pytest.mark.parametrize(
    ("code", "text", "may_be"),
    [
        ("D22.9", "Blue nevus", True),
        ("C44.9", "Merkel cell carcinoma", False),
        ("L21.9", "Seborrheic dermatitis", False),
        ("C44.9", "something rare", True),
    ],
)
def test_the_list_says_which_may_be_counted_as_one_of_the_12(code, text, may_be):
    assert terms.may_be_one_of_the_12(code, text) is may_be
