"""Diagnoses as they are called in the language that is active."""

from collections.abc import Iterable
from typing import Protocol

from django.utils.translation import get_language

from skinclinic.vocabulary import listed
from skinclinic.vocabulary.diseases import BY_KEY


class Stored(Protocol):
    """One of the 12, or another by code and text."""

    @property
    def disease(self) -> str: ...
    @property
    def icd10(self) -> str: ...
    @property
    def text(self) -> str: ...


def disease(key: str) -> str:
    """The name of one of the 12. KeyError for another key."""
    return BY_KEY[key].name(get_language() or "en")


def diseases(keys: Iterable[str]) -> str:
    """Their names, with commas between them."""
    return ", ".join(map(disease, keys))


def text(one: Stored) -> str:
    """Its text; of none of the 12, where it begins with a name of the list, with that name in this language."""
    return one.text if one.disease else listed.in_words(one.icd10, one.text, get_language() or "en")


def diagnosis(one: Stored) -> str:
    """By its name, or by its code and words."""
    if not one.disease:
        return " ".join(part for part in (one.icd10, text(one)) if part)
    return f"{disease(one.disease)} ({one.text})" if one.text else disease(one.disease)
