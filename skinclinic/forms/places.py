"""Where on the body: a site of the list and, if wanted, the exact place on the body picture."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.vocabulary.sites import ANATOMIC_SITES


def _share() -> forms.FloatField:
    return forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.HiddenInput)


class PlaceFields(forms.Form):
    """``site``, and ``site_x`` and ``site_y`` as shares of the body picture's width and height."""

    site = forms.ChoiceField(
        label=_("Anatomic site"), required=False, choices=[("", _("Not given")), *ANATOMIC_SITES]
    )
    site_x = _share()
    site_y = _share()

    def clean(self) -> dict:
        super().clean()
        cleaned = self.cleaned_data
        misplaced = any(name in self.errors for name in ("site_x", "site_y"))
        if misplaced:
            self.add_error(
                "site",
                _("The place on the body picture was not understood. Choose it again, or leave it out."),
            )
        if misplaced or not cleaned.get("site") or None in (cleaned.get("site_x"), cleaned.get("site_y")):
            cleaned["site_x"] = cleaned["site_y"] = None
        return cleaned

    @property
    def place(self) -> dict:
        """The cleaned site, site_x and site_y."""
        return {name: self.cleaned_data[name] for name in ("site", "site_x", "site_y")}
