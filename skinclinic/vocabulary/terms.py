"""Finding a diagnosis by what a clinician types: a name in any language of the product, an abbreviation or ICD-10.

Pure text matching over ``DISEASES``; a value is a disease key or ``icd10:CODE`` for any other diagnosis.
"""

import re
import unicodedata
from dataclasses import dataclass

from skinclinic.vocabulary import icd10
from skinclinic.vocabulary.diseases import BY_KEY, DISEASES, Disease

OTHER = "icd10:"
# The value of the choice that takes the text itself, as the person's own words.
AS_TYPED = "as-typed"
MAX_QUERY = 80
# WHO ICD-10: a letter, two characters, then up to four after the point (ICD-10-CM has as many).
_ICD10 = re.compile(r"([A-Z][0-9][0-9A-Z])(?:\.?([0-9A-Z]{1,4}))?")

# While a Korean syllable is being typed, its last consonant may belong to the next one (젓 → 저세).
_FINALS = dict(enumerate((
    "ᄀ", "ᄁ", "ᄀᄉ", "ᄂ", "ᄂᄌ", "ᄂᄒ", "ᄃ", "ᄅ", "ᄅᄀ", "ᄅᄆ", "ᄅᄇ", "ᄅᄉ", "ᄅᄐ", "ᄅᄑ",
    "ᄅᄒ", "ᄆ", "ᄇ", "ᄇᄉ", "ᄉ", "ᄊ", "ᄋ", "ᄌ", "ᄎ", "ᄏ", "ᄐ", "ᄑ", "ᄒ",
), start=0x11A8))  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One choice: ``value`` is stored, ``label`` is its name, ``detail`` the other name and the code."""

    value: str
    label: str
    detail: str
    tier: str = ""


def fold(text: str) -> str:
    """Text as it is compared: no case, no width, Hangul in its letters so that half a syllable matches."""
    return unicodedata.normalize("NFKD", text).casefold().translate(_FINALS)


def icd10_code(text: str) -> str:
    """Return a well-formed ICD-10 code in its usual spelling ('l400' → 'L40.0'), or '' for anything else."""
    match = _ICD10.fullmatch(text.strip().upper()) if text.isascii() else None
    if match is None:
        return ""
    category, rest = match.groups()
    return f"{category}.{rest}" if rest else category


def term(disease: Disease, language: str) -> Term:
    """A disease as a choice, named in ``language`` with English, or beside English the other languages."""
    own = disease.name(language)
    others = disease.names.values() if own == disease.name_en else [disease.name_en]
    beside = [*(name for name in others if name != own), disease.icd10]
    return Term(disease.key, own, " · ".join(beside), disease.tier)


def find(query: str, language: str, *, with_icd10: bool = False) -> list[Term]:
    """Return the choices for ``query``, best first; all 12 for an empty one.

    ``with_icd10`` adds "another diagnosis" when the query is itself a well-formed ICD-10 code.
    """
    wanted = fold(query[:MAX_QUERY]).split()
    ranked = sorted(
        ((rank, place, disease) for place, disease in enumerate(DISEASES) if (rank := _rank(disease, wanted)))
    )
    found = [term(disease, language) for _rank_, _place, disease in ranked]
    code = icd10_code(query) if with_icd10 else ""
    if code and code not in {d.icd10 for d in DISEASES} | {d.icd10_cm for d in DISEASES}:
        found.append(Term(OTHER + code, code, "", "other"))
    return found


def resolve(value: str, typed: str) -> tuple[str, str] | None:
    """Return (disease key, ICD-10) of a chosen value or, when nothing was chosen, of the text typed.

    One of the two is set. None when the text names no disease or more than one.
    """
    if value in BY_KEY:
        return value, ""
    if value.startswith(OTHER) and (code := icd10_code(value.removeprefix(OTHER))):
        return "", code
    if value:
        return None
    wanted = fold(typed).strip()
    exact = [disease for disease in DISEASES if wanted in {fold(name) for name in _names(disease)}]
    if len(exact) == 1:
        return exact[0].key, ""
    if not exact and (code := icd10_code(typed)):
        return "", code
    return None


def understand(value: str, typed: str) -> tuple[str, str, str] | None:
    """Return (disease key, ICD-10, own words), one of them set, of what was chosen and typed.

    A text that names none of the choices is taken as it is typed. None where it may mean several of them and the
    person has not chosen to have it taken so.
    """
    if value not in ("", AS_TYPED):
        return (*named, "") if (named := resolve(value, typed)) else None
    if named := resolve("", typed):
        return (*named, "")
    words = " ".join(typed.split())
    if value == AS_TYPED and (code := icd10_code(words)):
        return "", code, ""
    if words and (value == AS_TYPED or not find(words, "en")):
        return "", "", words
    return None


def may_be_one_of_the_12(code: str, text: str) -> bool:
    """Whether a diagnosis that names none of the 12 by itself may still be one, by its code or its words."""
    if code and any(icd10.fits(disease.key, code) for disease in DISEASES):
        return True
    padded = f" {_words(text)} "
    return any(
        f" {_words(name)} " in padded
        for disease in DISEASES
        for name in (disease.key, *disease.names.values())
    )


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


def _names(disease: Disease) -> tuple[str, ...]:
    return disease.key, *disease.names.values(), disease.icd10, disease.icd10_cm


def _rank(disease: Disease, wanted: list[str]) -> int:
    """0: no match; 1: a code or abbreviation or the name itself; 2: start of a name; 3: within."""
    names = [fold(name) for name in _names(disease)]
    phrase = " ".join(wanted)
    if not all(any(word in name for name in names) for word in wanted):
        return 0
    if phrase in names:
        return 1
    return 2 if any(name.startswith(phrase) for name in names) else 3
