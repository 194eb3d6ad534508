"""Why something is deleted: one of the reasons, and more in own words."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField
from skinclinic.models import BinItem


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=BinItem.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say why.")},
    )
    words = OneLineField(
        label=_("In your own words"),
        max_length=400,
        required=False,
        help_text=_("Forgotten when the bin is emptied; the reason above stays in the log."),
    )

    def clean(self) -> dict:
        super().clean()
        if self.cleaned_data.get("reason") == BinItem.Reason.OTHER and not self.cleaned_data.get("words"):
            self.add_error("words", forms.ValidationError(_("Say the reason in words."), code="required"))
        return self.cleaned_data
