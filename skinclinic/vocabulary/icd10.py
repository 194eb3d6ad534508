"""Which ICD-10 codes a disease may have. WHO's codes and the US ones agree in what stands before the point."""

from skinclinic.vocabulary.diseases import BY_KEY

# Beside the disease's own: by site (lip, vulva, penis, scrotum), in situ, congenital, or of a subtype.
_ALSO = {
    "bcc": ("C51", "C60", "C63"),
    "scc": ("C00", "C51", "C60", "C63", "L85.8"),
    "iec": ("D07",),
    "mm": ("D03", "C51", "C60", "C63"),
    "nevus": ("Q82.5",),
    "lentigo": ("L81",),
    "hemangioma": ("Q82.5",),
    "wart": ("A63.0",),
}


def beginnings(disease: str) -> tuple[str, ...]:
    """With what a code of one of the 12 begins."""
    return (BY_KEY[disease].icd10.partition(".")[0], *_ALSO.get(disease, ()))


def fits(disease: str, code: str) -> bool:
    """Whether the code may stand beside the disease; of no code, and of any other disease, nothing is said."""
    return not code or disease not in BY_KEY or code.startswith(beginnings(disease))
