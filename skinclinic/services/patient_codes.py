"""Whether a patient code gives the patient away. Pure; a code stands for a person without naming one."""

import re
import unicodedata

EMAIL, RESIDENT_NUMBER = "email", "resident_number"
NAME, PHONE = "name", "phone"

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Six digits of a date of birth, a digit 1-8 for century and sex, six more.
_RESIDENT_NUMBER = re.compile(r"\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])[-\s]?[1-8]\d{6}")
_PHONE = re.compile(r"(\+82[-\s]?1|01)[016789][-\s]?\d{3,4}[-\s]?\d{4}")
_HANGUL_NAME = re.compile(r"[가-힣]{2,4}")
_LATIN_NAME = re.compile(r"[^\W\d_]{2,}(['’-][^\W\d_]+)*,?(\s+[^\W\d_]+(['’-][^\W\d_]+)*\.?){1,3}")


def tidy(code: str) -> str:
    """The code in one spelling: composed characters, single spaces, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", code).split())


def refused(code: str) -> str:
    """Why the code must not be used: EMAIL, RESIDENT_NUMBER, or '' for a usable one."""
    if _EMAIL.search(code):
        return EMAIL
    if _RESIDENT_NUMBER.search(code):
        return RESIDENT_NUMBER
    return ""


def doubtful(code: str) -> str:
    """What the code looks like, for a person to judge: NAME, PHONE or ''."""
    if _HANGUL_NAME.fullmatch(code) or _LATIN_NAME.fullmatch(code):
        return NAME
    if _PHONE.fullmatch(code):
        return PHONE
    return ""
