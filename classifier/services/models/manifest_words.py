"""What a manifest says, in the reader's language where the words are the product's own; a foreign model's stay as they
are."""

import re

from django.utils.translation import get_language, gettext

from classifier.networks.manifest_words import KNOWN, MAPS_IN_CLOSED_FORM

_CLOSED_FORM = re.compile(re.escape(MAPS_IN_CLOSED_FORM).replace(re.escape("%(kinds)s"), "(.+)"))


def in_words(text: object) -> str:
    """The text for people; "" for what is none."""
    if not isinstance(text, str):
        return ""
    if found := _CLOSED_FORM.fullmatch(text):
        return gettext(MAPS_IN_CLOSED_FORM) % {"kinds": found[1]}
    return gettext(text) if text in KNOWN else text


def language_of(text: str) -> str | None:
    """The language ``in_words`` tells a text in, as HTML names it: "" where nobody knows; None for the reader's."""
    if text not in KNOWN and not _CLOSED_FORM.fullmatch(text):
        return ""
    is_english = (get_language() or "en").startswith("en")
    return None if is_english or in_words(text) != text else "en"
