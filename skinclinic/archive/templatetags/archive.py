"""Tags of the archive's pages."""

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from skinclinic.archive import labels
from skinclinic.archive.models import Entry, Review
from skinclinic.templatetags.ui import badge, disease_badge
from skinclinic.vocabulary import subtypes, tags

register = template.Library()


@register.simple_tag
def label_name(label: str) -> str:
    """The label in the reader's language."""
    return labels.name(label, get_language() or "en")


@register.filter
def subtype_name(entry: Entry) -> str:
    """The subtype of an entry in the reader's language."""
    return subtypes.name(entry.label, entry.subtype)


@register.filter
def review_name(review: str) -> str:
    """A review state in words."""
    return str(Review(review).label) if review in Review.values else ""


@register.filter
def tag_names(text: str) -> str:
    """Stored tags in the reader's language."""
    return ", ".join(tags.names(text))


@register.filter
def has_tag(text: str, key: str) -> bool:
    """Whether a tag is among the stored ones."""
    return key in tags.split(text)


@register.simple_tag
def label_badge(label: str) -> SafeString:
    """A disease with the word and icon of its tier; a background disease with its name."""
    return disease_badge(label) if labels.is_disease(label) else badge(label, label)
