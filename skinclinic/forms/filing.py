"""Filing photos that came first: whose they are, which lesion they show, where, what kind, when taken."""

from collections.abc import Mapping, Sequence
from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import choices_of
from skinclinic.forms.pathology import date_input, not_in_the_future
from skinclinic.forms.places import PlaceFields
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services.filing import Place
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


class PlacesOfPhotos:
    """The place of each photo, where each becomes a lesion of its own: a form a photo, in their order."""

    def __init__(self, photos: Sequence[Photo], data: Mapping | None = None):
        self.rows = [(photo, self._form(photo, data)) for photo in photos]

    @staticmethod
    def _form(photo: Photo, data: Mapping | None) -> PlaceFields:
        lesion, prefix = photo.lesion, f"photo-{photo.pk}"
        initial = {"site": lesion.site, "site_x": lesion.site_x, "site_y": lesion.site_y}
        # A form that does not speak of this photo says nothing of its place.
        is_said = data is not None and f"{prefix}-site" in data
        return PlaceFields(data if is_said else None, prefix=prefix, initial=initial)

    def is_valid(self) -> bool:
        return all([form.is_valid() for _photo, form in self.rows if form.is_bound])

    @property
    def said(self) -> dict[int, Place]:
        """The valid places, by photo."""
        return {photo.pk: Place(**form.place) for photo, form in self.rows if form.is_bound}
