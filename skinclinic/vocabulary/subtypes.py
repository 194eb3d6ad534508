"""Subtypes pathologists name, by disease; a clinic adds its own to these."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

BUILT_IN = {
    "bcc": {
        "nodular": _("Nodular"),
        "superficial": _("Superficial"),
        "infiltrative": _("Infiltrative"),
        "morpheaform": _("Morpheaform"),
        "micronodular": _("Micronodular"),
        "basosquamous": _("Basosquamous"),
        "pigmented": _("Pigmented"),
    },
    "scc": {
        "well differentiated": _("Well differentiated"),
        "moderately differentiated": _("Moderately differentiated"),
        "poorly differentiated": _("Poorly differentiated"),
        "keratoacanthoma": _("Keratoacanthoma"),
    },
    "iec": {"pigmented": _("Pigmented")},
    "ak": {"hyperkeratotic": _("Hyperkeratotic"), "pigmented": _("Pigmented"), "atrophic": _("Atrophic")},
    "sk": {
        "acanthotic": _("Acanthotic"),
        "hyperkeratotic": _("Hyperkeratotic"),
        "clonal": _("Clonal"),
        "irritated": _("Irritated"),
    },
    "mm": {
        "superficial spreading": _("Superficial spreading"),
        "nodular": _("Nodular"),
        "lentigo maligna": _("Lentigo maligna"),
        "acral lentiginous": _("Acral lentiginous"),
        "in situ": _("In situ"),
        "amelanotic": _("Amelanotic"),
        "desmoplastic": _("Desmoplastic"),
    },
    "nevus": {
        "junctional": _("Junctional"),
        "compound": _("Compound"),
        "intradermal": _("Intradermal"),
        "congenital": _("Congenital"),
        "blue": _("Blue nevus"),
        "spitz": _("Spitz nevus"),
        "dysplastic": _("Dysplastic"),
        "acral": _("Acral"),
    },
    "lentigo": {"solar": _("Solar"), "simplex": _("Simplex")},
    "hemangioma": {"cherry": _("Cherry"), "infantile": _("Infantile"), "capillary": _("Capillary")},
    "wart": {"common": _("Common"), "plantar": _("Plantar"), "flat": _("Flat"), "genital": _("Genital")},
}


def name(label: str, subtype: str) -> str:
    """A subtype of ``label`` in the reader's language; a clinic's own as the clinic wrote it."""
    return str(BUILT_IN.get(label, {}).get(subtype, subtype))


def spellings(label: str) -> dict[str, str]:
    """{text without case: built-in subtype} of ``label``, by its names in every language of the product."""
    known = BUILT_IN.get(label, {})
    found: dict[str, str] = {}
    for language, _title in settings.LANGUAGES:
        with override(language):
            found |= {str(shown).casefold(): key for key, shown in known.items()}
    return found | {key: key for key in known}


def like(text: str) -> list[str]:
    """Built-in subtypes one of whose names has ``text`` in it."""
    text = text.casefold()
    return sorted({key for label in BUILT_IN for said, key in spellings(label).items() if text in said})
