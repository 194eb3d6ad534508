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
    # Asked of those who give another label; see clean.
    reason = forms.CharField(
        label=_("Why another label"), max_length=400, required=False,
        help_text=_("Needed for another label, such as: pathology report, error in the source."),
    )  # fmt: skip
    proof = forms.ChoiceField(
        label=_("Proof of the new label"),
        required=False,
        choices=[("", _("Not proven")), *Diagnosis.ConfirmedBy.choices],
        help_text=_("The proof of the old label does not count for another one."),
    )
    text = forms.CharField(
        label=_("Pathology text"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data=None, *, entry: Entry):
        initial = {name: getattr(entry, name, "") for name in self.base_fields}
        self.entry = entry
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

    def clean(self) -> dict:
        """With another label only what was typed anew is kept of what the old one had."""
        values = super().clean() or self.cleaned_data
        label = labels.tidy(values.get("label", ""))
        if not label or label == self.entry.label:
            return {name: value for name, value in values.items() if name not in ("reason", "proof")}
        if not values.get("reason", "").strip():
            self.add_error("reason", _("Say why the photo gets another label."))
        for name in ("icd10", "subtype"):
            if name not in self.changed_data:
                values.pop(name, None)
        # Who ticks or chooses the proof anew states it, too.
        stated = {"is_proven", "confirmed_by"} & set(self.changed_data)
        if stated and not values.get("proof"):
            found = values.get("confirmed_by", "")
            is_proven = "is_proven" in stated and values.get("is_proven")
            values["proof"] = found or (str(Diagnosis.ConfirmedBy.HISTOPATHOLOGY) if is_proven else "")
        return values

    def clean_icd10(self) -> str:
        text = self.cleaned_data["icd10"]
        if text and not terms.icd10_code(text):
            raise forms.ValidationError(_("This is not an ICD-10 code, such as C44.9."))
        return terms.icd10_code(text)
