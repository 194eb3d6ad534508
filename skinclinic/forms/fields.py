"""Form fields that several pages use."""

from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def choices_of(form: forms.BaseForm, name: str) -> forms.ChoiceField:
    """A form's field by name, of which it is known that it offers a choice."""
    return cast(forms.ChoiceField, form.fields[name])


def rows_of(form: forms.BaseForm, name: str) -> forms.ModelChoiceField:
    """The same for a choice among rows."""
    return cast(forms.ModelChoiceField, form.fields[name])


def one_line(value: str) -> None:
    """Refuse line breaks and other characters that cannot be seen; names end up in headers and lists."""
    if any(not character.isprintable() for character in value):
        raise ValidationError(_("Use one line without control characters."), code="one_line")


class OneLineField(forms.CharField):
    """A short text on one line."""

    default_validators = [one_line]
