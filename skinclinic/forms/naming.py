"""A diagnosis that somebody names: one of the 12, another of the list, by code, or in own words."""

from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from skinclinic.services.identifying import nobody_named
from skinclinic.vocabulary import terms

LONGEST_TYPED = 200
LONGEST_VALUE = 120


class NamesDiagnosis(forms.Form):
    """``diagnosis`` and ``diagnosis_typed`` come from the type-ahead; ``named`` is what they mean, None where that is
    not clear."""

    diagnosis = forms.CharField(required=False, max_length=LONGEST_VALUE, widget=forms.HiddenInput)
    diagnosis_typed = forms.CharField(
        label=_("Diagnosis"), required=False, max_length=LONGEST_TYPED, validators=[nobody_named]
    )

    named: tuple[str, str, str] | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"diagnosis", "diagnosis_typed"} & self.errors.keys():
            return cleaned
        typed = cleaned["diagnosis_typed"]
        self.named = terms.understand(cleaned["diagnosis"], typed)
        if self.named is None and not typed:
            self.add_error("diagnosis", forms.ValidationError(_("Choose a diagnosis."), code="required"))
        elif self.named is None:
            message = _(
                "“%(typed)s” may mean several diagnoses. Choose one from the list, or save again to use it as typed."
            )
            self.add_error(
                "diagnosis", forms.ValidationError(message, code="unknown", params={"typed": typed})
            )
            sent = cast(QueryDict, self.data).copy()
            sent["diagnosis"] = terms.AS_TYPED
            self.data = sent
        return cleaned
