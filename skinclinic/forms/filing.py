"""Filing photos that came first: whose they are, which lesion they show, where, what kind, when taken."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import choices_of
from skinclinic.forms.pathology import date_input, not_in_the_future
from skinclinic.forms.places import PlaceFields
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.web.inputs import LARGEST_KEY

ONE_NEW, ONE_EACH = "new", "each"


class FilingForm(PlaceFields):
    """Everything but the patient, whose code has a form of its own.

    ``lesion`` is "new" (one lesion for all photos), "each" (a lesion for each photo) or the key of one of
    the patient's lesions; ``chosen`` is that lesion or None. ``several``: more than one photo is filed, so
    an empty kind or date leaves what each photo has.
    """

    lesion = forms.CharField(required=False, max_length=20)
    kind = forms.ChoiceField(label=_("Kind of photo"), choices=Photo.Kind.choices)
    captured_on = forms.DateField(label=_("Taken on"), required=False, widget=date_input())

    def __init__(self, *args, patient: Patient | None = None, several: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.chosen: Lesion | None = None
        if several:
            self.fields["kind"].required = False
            choices_of(self, "kind").choices = [("", _("As they are")), *Photo.Kind.choices]

    def clean_captured_on(self) -> date | None:
        return not_in_the_future(self.cleaned_data["captured_on"])

    def clean_lesion(self) -> str:
        asked = self.cleaned_data["lesion"] or ONE_NEW
        if asked in (ONE_NEW, ONE_EACH):
            return asked
        if self.patient and asked.isascii() and asked.isdigit() and int(asked) <= LARGEST_KEY:
            self.chosen = self.patient.lesions.filter(pk=int(asked)).first()
        if self.chosen is None:
            raise forms.ValidationError(
                _("This lesion does not belong to the patient. Choose again."), code="lesion"
            )
        return asked
