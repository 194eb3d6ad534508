"""Where a photo of a known patient goes, as it is sent with the photo."""

from django import forms
from django.core.validators import RegexValidator

from skinclinic.forms.places import PlaceFields
from skinclinic.models import Patient
from skinclinic.services.capture import Place
from skinclinic.web.inputs import LARGEST_KEY


class CaptureForm(PlaceFields):
    """``lesion``: the key of a lesion of the patient; else ``place_key`` (a UUID made where the photo was taken), and
    the site."""

    lesion = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_KEY)
    place_key = forms.CharField(required=False, validators=[RegexValidator(r"\A[0-9a-f-]{36}\Z")])

    def place_of(self, patient: Patient) -> Place:
        """What the valid form says."""
        cleaned = self.cleaned_data
        return Place(patient, lesion=cleaned["lesion"], key=cleaned["place_key"], **self.place)
