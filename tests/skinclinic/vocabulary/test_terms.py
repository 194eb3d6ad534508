"""Finding a diagnosis by a name in two languages, an abbreviation or a code."""

import pytest

from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each


def found(query, **kwargs):
    return [term.value for term in terms.find(query, "en", **kwargs)]


def test_nothing_typed_offers_all_twelve_in_their_order():
    assert found("") == list(DISEASE_KEYS)


@each(
    "query, first",
    [
        ("basal", "bcc"),
        ("BCC", "bcc"),
        ("cell squamous", "scc"),
        ("bowen", "iec"),
        ("기저세포", "bcc"),
        ("기젓", "bcc"),  # half of 기저세 while it is being typed
        ("ㅅㅏ마", "wart"),
        ("보웬", "iec"),
        ("흑색종", "mm"),
        ("D22", "nevus"),
        ("l57.0", "ak"),
        ("Ｌ９８．０", "pg"),  # full-width, as Korean input methods can write it
        ("L82.1", "sk"),
    ],
)
def test_typed_text_finds_the_disease(query, first):
    assert found(query)[0] == first


def test_one_code_of_two_diseases_offers_both():
    assert found("C44.9") == ["bcc", "scc"]


def test_an_abbreviation_comes_before_a_name_that_contains_it():
    assert found("sk")[0] == "sk"


@pytest.mark.parametrize("query", ["glioblastoma", "\0", "%", "'", "-", "' OR 1=1", "𝕏" * 500])
def test_other_text_finds_nothing(query):
    assert found(query, with_others=True) == []


def test_another_code_is_offered_only_where_it_may_be_used():
    assert found("l400", with_others=True) == ["listed:Psoriasis vulgaris", "icd10:L40.0"]
    assert found("L40.0") == []
    assert found("L57.0", with_others=True) == ["ak"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("L40", "L40"), ("l40.0", "L40.0"), ("C44.1121", "C44.1121"), (" B07 ", "B07")],
)
def test_a_code_gets_its_usual_spelling(text, code):
    assert terms.icd10_code(text) == code


@each("text", ["L40.", "LL0", "L4", "L40.01234", "", "Ⅼ40", "L40\0", "L40 0"])
def test_a_malformed_code_is_none(text):
    assert terms.icd10_code(text) == ""


def test_names_come_in_the_reader_s_language():
    english, korean = (terms.find("bcc", language)[0] for language in ("en", "ko-kr"))
    assert (english.label, english.detail) == ("Basal cell carcinoma", "기저세포암종 · C44.9")
    assert (korean.label, korean.detail) == ("기저세포암종", "Basal cell carcinoma · C44.9")


@each(
    "value, typed, meant",
    [
        ("bcc", "", ("bcc", "")),
        ("icd10:L40.0", "L40.0", ("", "L40.0")),
        ("", "melanocytic nevus", ("nevus", "")),
        ("", "MM", ("mm", "")),
        ("", "사마귀", ("wart", "")),
        ("", "L40.0", ("", "L40.0")),
        ("", "C44.9", None),
        ("", "carcinoma", None),
        ("", "", None),
        ("nonsense", "bcc", None),
        ("icd10:<b>", "bcc", None),
    ],
)
def test_what_is_sent_is_understood_or_refused(value, typed, meant):
    assert terms.resolve(value, typed) == meant


@pytest.mark.django_db
class TestEndpoint:
    def test_members_get_choices(self, client, django_user_model):
        client.force_login(django_user_model.objects.create_user("kim", password="x"))
        answer = client.get("/diagnosis-terms/", {"q": "basal"}).json()
        assert answer["terms"][0]["value"] == "bcc"
        assert answer["terms"][0]["tier_label"] == "malignant"

    def test_odd_queries_answer(self, client, django_user_model):
        client.force_login(django_user_model.objects.create_user("kim", password="x"))
        for query in ("\0", "a" * 10_000, "%00", "𝕏"):
            assert client.get("/diagnosis-terms/", {"q": query, "icd10": "1"}).status_code == 200

    def test_strangers_sign_in_first_and_post_is_refused(self, client, django_user_model):
        assert client.get("/diagnosis-terms/").status_code == 302
        client.force_login(django_user_model.objects.create_user("kim", password="x"))
        assert client.post("/diagnosis-terms/").status_code == 405
