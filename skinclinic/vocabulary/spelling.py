"""British spellings of the field's words, from the American ones that names are written in. Pure."""

import re

# What a word holds, and how it is spelt in Britain; a name may hold several.
_WORDS = (
    (r"tumor", "tumour"), (r"color", "colour"), (r"\bgray", "grey"), (r"fiber", "fibre"), (r"center", "centre"),
    (r"\bhem(?=[aio])", "haem"), (r"angiohem", "angiohaem"), (r"(?<=[a-z])hemangio", "haemangio"),
    (r"nev(?=us|i|o)", "naev"), (r"edema", "oedema"), (r"leukemi", "leukaemi"), (r"(?<=[a-z])emia\b", "aemia"),
    (r"anemi", "anaemi"), (r"ischemi", "ischaemi"), (r"uremi", "uraemi"), (r"seborrhe", "seborrhoe"),
    (r"pediatric", "paediatric"), (r"fetal|fetus", "foetus"), (r"esthesi", "aesthesi"), (r"cerule", "caerule"),
    (r"sulfa", "sulpha"), (r"morphea", "morphoea"), (r"frambesi", "framboesi"), (r"estrogen", "oestrogen"),
    (r"diarrhea", "diarrhoea"), (r"gonorrhea", "gonorrhoea"), (r"ameb", "amoeb"), (r"celiac", "coeliac"),
)  # fmt: skip
# Both are usual in Britain, so that a name with them has one spelling more.
_MAYBE = ((r"leuko", "leuco"), (r"iz(?=ed|ing|ation)", "is"))


def spellings(name: str) -> list[str]:
    """The name and, where they differ, its British spellings; names without capitals."""
    british = _put(name, _WORDS)
    return list(dict.fromkeys((name, british, _put(british, _MAYBE))))


def _put(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for american, other in rules:
        name = re.sub(american, other, name)
    return name
