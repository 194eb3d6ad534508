"""Why a patient is erased, and the code typed to say that it is this one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Erasure
from skinclinic.services import patient_codes


class ErasureForm(forms.Form):
    """``code``: the patient's, which has to be typed."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(reason.value, reason.label) for reason in Erasure.CHOSEN],
        widget=forms.RadioSelect,
        error_messages={"required": _("Say why.")},
    )
    typed = forms.CharField(
        label=_("The patient's code, to confirm"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
        error_messages={"required": _("Type the code of the patient.")},
    )

    def __init__(self, *args: Any, code: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._code = code

    def clean_typed(self) -> str:
        typed = patient_codes.tidy(self.cleaned_data["typed"])
        if typed != patient_codes.tidy(self._code):
            raise forms.ValidationError(
                _("This is not the code of this patient. Type it as it stands above."), code="other"
            )
        return typed
