"""What the pathologist found: one of the 12 or another (of the list, by code, in own words), how proven, when."""

from datetime import date

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.naming import NamesDiagnosis
from skinclinic.models import Diagnosis
from skinclinic.services.identifying import nobody_named

EARLIEST = date(1900, 1, 1)
LONGEST_TEXT = 2000


def not_in_the_future(day: date | None) -> date | None:
    """Return the day. Raises ValidationError for tomorrow or before 1900."""
    if day and day > timezone.localdate():
        raise forms.ValidationError(_("This date is in the future."), code="future")
    if day and day < EARLIEST:
        raise forms.ValidationError(_("This date is too long ago."), code="past")
    return day


def date_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": EARLIEST.isoformat()})


class PathologyForm(NamesDiagnosis):
    """What the pathologist found. With a name of the list or own words and a text, both are kept: the name or words
    first."""

    confirmed_by = forms.ChoiceField(
        label=_("Confirmed by"), choices=[("", _("Choose")), *Diagnosis.ConfirmedBy.choices]
    )
    diagnosed_on = forms.DateField(label=_("Date of the result"), required=False, widget=date_input())
    text = forms.CharField(
        label=_("In words"),
        required=False,
        max_length=LONGEST_TEXT,
        validators=[nobody_named],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Subtype, depth, margins. A diagnosis given by its code alone is named here. No names of people."
        ),
    )

    def clean_diagnosed_on(self) -> date | None:
        return not_in_the_future(self.cleaned_data["diagnosed_on"])

    def clean(self) -> dict:
        cleaned = super().clean()
        named = self.named
        if named and named[1] and not named[2] and "text" in cleaned and not cleaned["text"]:
            self.add_error(
                "text", forms.ValidationError(_("Name the diagnosis of this code in words."), code="required")
            )
        # The name or words stand before the text, in one field.
        if named and "text" in cleaned and (over := len(self._text()) - LONGEST_TEXT) > 0:
            count = len(cleaned["text"])
            message = _("Shorten this to %(longest)s characters; it has %(count)s.")
            params = {"longest": count - over, "count": count}
            self.add_error("text", forms.ValidationError(message, code="long", params=params))
        return cleaned

    def _text(self) -> str:
        words = self.named[2] if self.named else ""
        return "; ".join(part for part in (words, self.cleaned_data["text"]) if part)

    @property
    def fields_of_diagnosis(self) -> dict:
        """What ``services.diagnoses.record`` takes, from the cleaned form."""
        disease, icd10, _words = self.named or ("", "", "")
        return {"disease": disease, "icd10": icd10, "text": self._text()} | {
            name: self.cleaned_data[name] for name in ("confirmed_by", "diagnosed_on")
        }
