"""The head of a clinic's letters, and the language they are written in."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField
from skinclinic.forms.merging import KeepsOthersWork
from skinclinic.models import Clinic

MOST_LINES = 8


class LetterheadForm(KeepsOthersWork):
    letter_phone = OneLineField(label=_("Telephone"), max_length=60, required=False)
    letter_language = forms.ChoiceField(
        label=_("Language of letters and reports"),
        required=False,
        help_text=_("Whatever language the pages have for the person who writes."),
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("A picture on white, as JPEG, PNG or WebP; it is made as small as letters need it."),
    )
    without_logo = forms.BooleanField(label=_("No logo any more"), required=False)

    class Meta:
        model = Clinic
        fields = ("letter_address", "letter_phone", "letter_language")
        labels = {"letter_address": _("Postal address")}
        widgets = {"letter_address": forms.Textarea(attrs={"rows": 4})}
        help_texts = {"letter_address": _("As it stands on letters; the clinic's name stands above it.")}

    def clean_letter_address(self) -> str:
        lines = [line.strip() for line in self.cleaned_data["letter_address"].splitlines()]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(
                _("Use at most %(most)s lines."), code="lines", params={"most": MOST_LINES}
            )
        return "\n".join(lines)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [("", _("That of the person who writes")), *settings.LANGUAGES]
        self.fields["letter_language"].choices = choices  # type: ignore[attr-defined]  # it is a ChoiceField
