import re

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from skinclinic.archive import labels
from skinclinic.archive.models import Dataset, DatasetVersion
from skinclinic.archive.presenters.label_names import known_label

METHODS = (
    ("stratified", _("By patient, each disease in the same share")),
    ("time", _("By time: the oldest patients train")),
    ("patient", _("By patient, at random")),
    ("random", _("Photos at random, a patient on one side")),
)


class DatasetForm(forms.ModelForm):
    class Meta:
        model = Dataset
        fields = ["name", "role", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}


class TextsForm(forms.Form):
    """Why pathology texts shall leave with an export."""

    reason = forms.CharField(
        label=_("What they are for"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the audit with your name. No patient's name here."),
    )


class SplitForm(forms.Form):
    method = forms.ChoiceField(label=_("Method"), choices=METHODS)
    percent = forms.IntegerField(label=_("Training share, %"), min_value=1, max_value=99, initial=90)
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=0)


class StatedForm(forms.Form):
    """What is said of a version elsewhere (an article, a protocol), to be held against what is counted."""

    minimum = forms.IntegerField(label=_("Least photos of each class"), min_value=1, max_value=999_999)
    counts = forms.CharField(
        label=_("Stated photos of each class"), required=False, max_length=20_000,
        help_text=_("A class and its number on each line, such as: melanoma 599"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, data=None, *, version: DatasetVersion):
        language = get_language() or "en"
        stated = version.stated.get("counts", {})
        lines = [f"{labels.name(label, language)} {n}" for label, n in stated.items()]
        super().__init__(
            data, initial={"minimum": version.stated.get("minimum", 1), "counts": "\n".join(lines)}
        )

    def clean_counts(self) -> dict[str, int]:
        """{label: number}, in the lines' order."""
        found = {}
        for number, line in enumerate(self.cleaned_data["counts"].splitlines(), start=1):
            if not line.strip():
                continue
            match = re.fullmatch(r"(.*[^\s:=,;])[\s:=,;]+(\d{1,9})", line.strip())
            if not match or not match[2].isascii():
                raise forms.ValidationError(
                    _("Line %(line)d: write a class and its number, such as: melanoma 599"),
                    params={"line": number},
                )
            label = labels.tidy(known_label(match[1]))
            if label in found:
                raise forms.ValidationError(
                    _("Line %(line)d: %(name)s stands there twice."),
                    params={"line": number, "name": match[1]},
                )
            found[label] = int(match[2])
        return found
