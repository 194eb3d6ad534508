from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from skinclinic.archive import labels
from skinclinic.archive.models import LABEL_LENGTH, Entry
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.models import Diagnosis
from skinclinic.vocabulary import subtypes, terms


class EntryForm(forms.Form):
    """What a curator may correct of an entry."""

    label = forms.CharField(label=_("Label"), max_length=LABEL_LENGTH)
    subtype = forms.CharField(label=_("Subtype"), max_length=80, required=False)
    icd10 = forms.CharField(label=_("ICD-10"), max_length=8, required=False)
    impression = forms.CharField(label=_("Clinical impression"), max_length=LABEL_LENGTH, required=False)
    is_proven = forms.BooleanField(label=_("Biopsy-proven"), required=False)
    confirmed_by = forms.ChoiceField(
        label=_("Confirmed by"), required=False, choices=[("", "–"), *Diagnosis.ConfirmedBy.choices]
    )
    text = forms.CharField(
        label=_("Pathology text"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data=None, *, entry: Entry):
        initial = {name: getattr(entry, name) for name in self.base_fields}
        for name in ("label", "impression"):
            initial[name] = labels.name(initial[name], get_language() or "en")
        initial["subtype"] = subtypes.name(entry.label, entry.subtype)
        super().__init__(data, initial=initial)
        self.fields["subtype"].widget.attrs["list"] = "subtype-names"

    def clean_label(self) -> str:
        """A disease's key for whatever of its names was typed; else the name as it is."""
        return known_label(self.cleaned_data["label"])

    def clean_impression(self) -> str:
        return known_label(self.cleaned_data["impression"])

    def clean_icd10(self) -> str:
        text = self.cleaned_data["icd10"]
        if text and not terms.icd10_code(text):
            raise forms.ValidationError(_("This is not an ICD-10 code, such as C44.9."))
        return terms.icd10_code(text)
