"""Form fields that several pages use."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def one_line(value: str) -> None:
    """Refuse line breaks and other characters that cannot be seen; names end up in headers and lists."""
    if any(not character.isprintable() for character in value):
        raise ValidationError(_("Use one line without control characters."), code="one_line")


class OneLineField(forms.CharField):
    """A short text on one line."""

    default_validators = [one_line]
