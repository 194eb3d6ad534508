"""What a label may be: one of the 12 disease keys, or a background disease under its own name."""

from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from skinclinic.web.inputs import one_spelling

OTHERS = "others"


def tidy(name: str) -> str:
    """A background disease's name in one spelling."""
    return one_spelling(name)


def name(label: str, language: str = "en") -> str:
    """The label in words; a background disease has only the name it came with."""
    return BY_KEY[label].name(language) if label in BY_KEY else label


def is_disease(label: str) -> bool:
    """Whether it is one of the 12."""
    return label in BY_KEY


def group(label: str) -> str:
    """The disease key, or "others" for every background disease: what summaries count by."""
    return label if label in BY_KEY else OTHERS


def order(label: str) -> tuple[int, str]:
    """Sort key: the 12 in their fixed order, then background diseases by name."""
    return (DISEASE_KEYS.index(label), "") if label in BY_KEY else (len(DISEASE_KEYS), label.casefold())
