"""What a photo shows beside the lesion. Marks around a lesion can give the answer away, to people and to networks.

A photo's tags are one text, ``,hair,ruler,``, in the fixed order of the list: what a database can look into by itself.
"""

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

TAGS = (
    ("pen_marks", _("Pen marks")),
    ("ruler", _("Ruler or scale")),
    ("dressing", _("Dressing")),
    ("hair", _("Hair")),
    ("jewellery", _("Jewellery")),
    ("reflection", _("Flash reflection")),
    ("out_of_focus", _("Out of focus")),
    ("dark_corners", _("Dark corners")),
    ("gel_bubbles", _("Gel or air bubbles")),
)
TAG_KEYS = tuple(key for key, _name in TAGS)
_NAMES = dict(TAGS)
LENGTH = 200


def join(tags: Iterable[str]) -> str:
    """The tags as they are stored; '' for none. What is no tag is left out."""
    chosen = set(tags)
    held = [key for key in TAG_KEYS if key in chosen]
    return f",{','.join(held)}," if held else ""


def split(text: str) -> list[str]:
    """The tags of a stored text."""
    return [key for key in text.split(",") if key]


def parts(text: str) -> list[str]:
    """The words of a text in which a table names tags: with blanks, commas or semicolons between them."""
    return text.casefold().replace(",", " ").replace(";", " ").split()


def name(key: str) -> str:
    """A tag in the reader's language."""
    return str(_NAMES.get(key, key))


def names(text: str) -> list[str]:
    """The tags of a stored text in the reader's language."""
    return [name(key) for key in split(text)]


def like(text: str) -> list[str]:
    """Tags one of whose names, in any language of the product, has ``text`` in it."""
    wanted, found = text.casefold().replace("_", " "), set()
    for language, _title in settings.LANGUAGES:
        with override(language):
            found |= {
                key for key, name in TAGS if wanted in str(name).casefold() or wanted == key.replace("_", " ")
            }
    return [key for key in TAG_KEYS if key in found]
