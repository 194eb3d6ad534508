"""One spelling for words that mean the same: case, hyphens, underscores, British letters, apostrophes."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

_BRITISH = (
    ("haem", "hem"), ("naev", "nev"), ("oedema", "edema"), ("rrhoe", "rrhe"), ("oesoph", "esoph"),
    ("tumour", "tumor"), ("nevi", "nevus"),
)  # fmt: skip
_GAPS = re.compile(r"[\s_\-\u2010-\u2015,;:/\u00b7]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_NOTHING = re.compile(r"['\u2018\u2019`\".]")
_POINT_ZERO = re.compile(r"(?<=[0-9])\.0+$")
_POINT_IN_NUMBER = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_GAP_IN_NUMBER = re.compile(r"(?<=[0-9]) (?=[0-9])")


def fold(text: str) -> str:
    """'Seborrhoeic-Keratosis' and 'seborrheic_keratosis' are one; parentheses stay."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _GAPS.sub(" ", _NOTHING.sub("", text)).strip()
    for british, american in _BRITISH:
        text = text.replace(british, american)
    return text


def bare(name: str) -> str:
    """What is left of a name without case, blanks, marks, what cannot be seen, leading zeros and a spreadsheet's .0:
    names that are the same then may have been meant to be the same. Two numbers stay two: 1-12 is not 11-2."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    text = fold(_POINT_IN_NUMBER.sub(" ", _POINT_ZERO.sub("", seen.strip())))
    return _LEADING_ZEROS.sub("", _GAP_IN_NUMBER.sub("_", text).replace(" ", ""))


def without_brackets(text: str) -> str:
    """'melanocytic nevus (mole)' says no more than 'melanocytic nevus'."""
    return " ".join(re.sub(r"\([^()]*\)", " ", text).split())


def table(words: Mapping[str, Iterable[str] | str]) -> dict[str, str]:
    """{ours: their words, in a list or parted by |} as {their word folded: ours}."""
    found: dict[str, str] = {}
    for ours, theirs in words.items():
        for word in theirs.split("|") if isinstance(theirs, str) else theirs:
            found[fold(word)] = ours
    return found
