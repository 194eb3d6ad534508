from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models import BackgroundDisease
from skinclinic.forms.fields import choices_of
from skinclinic.models import Clinic
from skinclinic.vocabulary.diseases import DISEASES


class SubtypeForm(forms.Form):
    """A subtype the clinic adds to a disease."""

    label = forms.ChoiceField(label=_("Disease"))
    name = forms.CharField(label=_("Subtype"), max_length=80)

    def __init__(self, data=None, *, clinic: Clinic):
        super().__init__(data)
        language = get_language() or "en"
        others = BackgroundDisease.objects.filter(clinic=clinic).values_list("name", flat=True)
        choices_of(self, "label").choices = [
            (_("The 12 diseases"), [(disease.key, disease.name(language)) for disease in DISEASES]),
            (_("Others"), [(name, name) for name in others]),
        ]
