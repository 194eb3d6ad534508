"""Finding a diagnosis by what a clinician types: a name in any language of the product, an abbreviation or ICD-10.

Pure text matching over the 12 diseases and the list of others; a value is a disease key, ``listed:NAME`` (its English
name) or ``icd10:CODE`` for any other diagnosis.
"""

import re
from dataclasses import dataclass
from typing import TypeVar

from skinclinic.vocabulary import icd10, languages, listed
from skinclinic.vocabulary.diseases import BY_KEY, DISEASES, Disease
from skinclinic.vocabulary.matching import Findable, fold, plain, rank

OTHER = "icd10:"
LISTED = "listed:"
# The value of the choice that takes the text itself, as the person's own words.
AS_TYPED = "as-typed"
MAX_QUERY = 80
# Of the list no more are offered at once.
MOST_LISTED = 30
Kind = TypeVar("Kind", Disease, listed.Listed)
# WHO ICD-10: a letter, two characters, then up to four after the point (ICD-10-CM has as many).
_ICD10 = re.compile(r"([A-Z][0-9][0-9A-Z])(?:\.?([0-9A-Z]{1,4}))?")


@dataclass(frozen=True)
class Term:
    """One choice: ``value`` is stored, ``label`` is its name, ``detail`` the other name and the code."""

    value: str
    label: str
    detail: str
    tier: str = ""


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
    others = _read_names(disease.names) if own == disease.name_en else [disease.name_en]
    beside = [*(name for name in others if name != own), disease.icd10]
    return Term(disease.key, own, " · ".join(beside), disease.tier)


def _read_names(names: dict[str, str]) -> list[str]:
    """Those that may stand beside another language's: one is found by a machine's names, too, but not shown them."""
    return [name for language, name in names.items() if not languages.is_drafted(language)]


def find(query: str, language: str, *, with_others: bool = False) -> list[Term]:
    """Return the choices for ``query``, best first; all 12 for an empty one.

    ``with_others`` adds the list of other diagnoses, the 12 first among equals, and "another diagnosis" when the query
    is itself a well-formed ICD-10 code. Names that a machine drafted find, too, but move nothing forward on pages in
    other languages.
    """
    typed = query[:MAX_QUERY]
    if not typed.strip():
        return [term(disease, language) for disease in DISEASES]
    found = [(place, term(disease, language)) for place, disease in _ranked(DISEASES, typed, language)]
    if with_others:
        others = _ranked(listed.every(), typed, language)[:MOST_LISTED]
        found += [(place, _listed_term(entry, language)) for place, entry in others]
        found.sort(key=lambda one: one[0])
    terms = [one for _place, one in found]
    code = icd10_code(query) if with_others else ""
    if code and code not in {d.icd10 for d in DISEASES} | {d.icd10_cm for d in DISEASES}:
        terms.append(Term(OTHER + code, code, "", "other"))
    return terms


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
    name, code = plain(typed), fold(typed).strip()
    those = [(disease, listed.findable_of(disease.key)) for disease in DISEASES]
    exact = [disease for disease, found in those if name in found.own or code in found.codes]
    if len(exact) == 1:
        return exact[0].key, ""
    if not exact and (other := icd10_code(typed)):
        return "", other
    return None


def understand(value: str, typed: str) -> tuple[str, str, str] | None:
    """Return (disease key, ICD-10, words) of what was chosen and typed: a key, a code, own words, or for a diagnosis
    of the list its code and its standard name.

    A text that names none of the choices is taken as it is typed. None where it may mean several of them and the
    person has not chosen to have it taken so.
    """
    if value.startswith(LISTED):
        entry = listed.by_name().get(value.removeprefix(LISTED))
        return ("", entry.icd10, entry.key) if entry else None
    if value not in ("", AS_TYPED):
        return (*named, "") if (named := resolve(value, typed)) else None
    if named := resolve("", typed):
        return (*named, "")
    words = " ".join(typed.split())
    if value == "" and (entry := listed.called(words)):
        return "", entry.icd10, entry.key
    if value == AS_TYPED and (code := icd10_code(words)):
        return "", code, ""
    if words and (value == AS_TYPED or not find(words, "en", with_others=True)):
        return "", "", words
    return None


def filled_in(disease: str, icd10: str, text: str, language: str) -> tuple[str, str]:
    """What ``understand`` takes for this diagnosis: the chosen value and the text beside it."""
    if disease:
        return disease, BY_KEY[disease].name(language)
    if entry := listed.recorded(icd10, text):
        return LISTED + entry.key, entry.name(language)
    return (AS_TYPED, text) if text else (OTHER + icd10, icd10)


def may_be_one_of_the_12(code: str, text: str) -> bool:
    """Whether a diagnosis that names none of the 12 by itself may still be one, by its code or its words; the list
    says it of its own."""
    if entry := listed.recorded(code, text):
        return bool(entry.form_of)
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


def _listed_term(entry: listed.Listed, language: str) -> Term:
    own = entry.name(language)
    beside = [*(name for name in _read_names(entry.names) if name != own), entry.icd10]
    return Term(LISTED + entry.key, own, " · ".join(part for part in beside if part))


def _ranked(those: tuple[Kind, ...], typed: str, language: str) -> list[tuple[tuple[int, int], Kind]]:
    """Those that answer to what was typed with how well, best first, else in their order; among equals those that do so
    by names that people have read."""
    wanted = [text for text in dict.fromkeys((plain(typed), fold(icd10_code(typed)))) if text]
    unread = languages.drafted() - {language.lower()}
    found = []
    for one in those:
        if place := _place(listed.findable_of(one.key), wanted):
            by_read = _place(listed.findable_of(one.key, unread), wanted) if unread else place
            found.append(((place, by_read or len(those)), one))
    return sorted(found, key=lambda one: one[0])


def _place(one: Findable, wanted: list[str]) -> int:
    """How well it answers to the best of the texts; 0 not at all."""
    return min((place for text in wanted if (place := rank(one, text)[0])), default=0)
