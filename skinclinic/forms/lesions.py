"""The lesion form: where it lies, and a note."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.places import PlaceFields
from skinclinic.services.identifying import nobody_named


class LesionForm(PlaceFields):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=400,
        validators=[nobody_named],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For example: growing since spring. No names."),
    )
