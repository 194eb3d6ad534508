from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models import Dataset

METHODS = (
    ("time", _("By time: the oldest patients train")),
    ("patient", _("By patient, at random")),
    ("random", _("Photos at random, a patient on one side")),
)


class DatasetForm(forms.ModelForm):
    class Meta:
        model = Dataset
        fields = ["name", "role", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}


class SplitForm(forms.Form):
    method = forms.ChoiceField(label=_("Method"), choices=METHODS)
    percent = forms.IntegerField(label=_("Training share, %"), min_value=1, max_value=99, initial=90)
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=0)
