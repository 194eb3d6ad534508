"""How well a name or code answers to what somebody types. Pure.

Names are compared without case, accents and punctuation, in American and British spelling; Korean also by half a
syllable and by first consonants (ㄱㅅ for 건선), several words also by first letters (lp for lichen planus).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from skinclinic.vocabulary.spelling import spellings

EXACT, BEGINS, WORD_BEGINS, WITHIN = 1, 2, 3, 4

# While a Korean syllable is being typed, its last consonant may belong to the next one (젓 → 저세).
_FINALS = dict(enumerate((
    "ᄀ", "ᄁ", "ᄀᄉ", "ᄂ", "ᄂᄌ", "ᄂᄒ", "ᄃ", "ᄅ", "ᄅᄀ", "ᄅᄆ", "ᄅᄇ", "ᄅᄉ", "ᄅᄐ", "ᄅᄑ",
    "ᄅᄒ", "ᄆ", "ᄇ", "ᄇᄉ", "ᄉ", "ᄊ", "ᄋ", "ᄌ", "ᄎ", "ᄏ", "ᄐ", "ᄑ", "ᄒ",
), start=0x11A8))  # fmt: skip
_ACCENTS = re.compile(r"[\u0300-\u036f]|['’]")
_BETWEEN = re.compile(r"[-–/(),;\s]+")
_CONSONANTS = re.compile(r"[\u1100-\u1112]{2,}")
_SYLLABLES, _A_CONSONANT, _G = 0xAC00, 588, 0x1100


@dataclass(frozen=True)
class Findable:
    """What one diagnosis is found by, as ``rank`` compares it: its names, its own standard ones first and by
    themselves, its codes, and the first letters of its names."""

    names: tuple[str, ...]
    own: tuple[str, ...]
    codes: tuple[str, ...]
    initials: tuple[str, ...]
    # All of it in one text: most diagnoses are passed over by a look at this.
    whole: str


def fold(text: str) -> str:
    """Text as it is compared: no case, no width, Hangul in its letters so that half a syllable matches."""
    return unicodedata.normalize("NFKD", text).casefold().translate(_FINALS)


def plain(text: str) -> str:
    """Folded text without accents and apostrophes, one blank between words."""
    return _BETWEEN.sub(" ", _ACCENTS.sub("", fold(text))).strip()


def findable(own: Collection[str], also: Collection[str], codes: Iterable[str]) -> Findable:
    standard, names = _spelt(own), [*own, *also]
    initials = dict.fromkeys(letters for name in names if (letters := _initials(name)))
    said = tuple(dict.fromkeys((*standard, *_spelt(also))))
    folded = tuple(fold(code) for code in codes if code)
    return Findable(said, standard, folded, tuple(initials), "\n".join((*said, *folded, *initials)))


def rank(one: Findable, typed: str) -> tuple[int, bool]:
    """How well it answers, 0 not at all, and whether another name than its own does better. The best is the lowest.

    ``typed`` is plain and not empty.
    """
    if not all(word in one.whole for word in typed.split()):
        return 0, False
    place = _rank(one, one.names, typed)
    return place, bool(place) and _rank(one, one.own, typed) != place


def _rank(one: Findable, names: tuple[str, ...], typed: str) -> int:
    if typed in names or typed in one.codes:
        return EXACT
    if any(name.startswith(typed) for name in (*names, *one.codes)):
        return BEGINS
    if typed in one.initials:
        return BEGINS
    if _CONSONANTS.fullmatch(typed) and any(text.startswith(typed) for text in one.initials):
        return WORD_BEGINS
    wanted = typed.split()
    if not all(any(word in name for name in names) for word in wanted):
        return 0
    if all(any(name.startswith(word) or f" {word}" in name for name in names) for word in wanted):
        return WORD_BEGINS
    return WITHIN


def _spelt(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelling for name in names for spelling in spellings(plain(name))))


def _initials(name: str) -> str:
    """The first consonants of a Korean name, the first letters of several words of another."""
    composed = unicodedata.normalize("NFC", name).replace(" ", "")
    places = [ord(char) - _SYLLABLES for char in composed]
    if all(0 <= place < 19 * _A_CONSONANT for place in places):
        return "".join(chr(_G + place // _A_CONSONANT) for place in places)
    words = plain(name).split()
    return "".join(word[0] for word in words) if len(words) > 1 else ""
