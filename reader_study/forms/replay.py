from typing import TYPE_CHECKING

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reader_study.models import Study
from reader_study.services.results import replay
from reader_study.services.results.questions_text import endpoint_choices
from reader_study.services.results.replay_drafts import Said
from reader_study.services.results.study_tables import ANSWERS, IMAGES, SCORES, WHOLE_IMAGES, WHOLE_SCORES
from skinclinic.forms.fields import choices_of
from skinclinic.models import Clinic
from skinclinic.web.inputs import storable

# The field of the form for each file.
FILE_FIELDS = {
    "images": IMAGES,
    "scores": SCORES,
    "answers": ANSWERS,
    "whole_images": WHOLE_IMAGES,
    "whole_scores": WHOLE_SCORES,
}

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _csv(label: "StrOrPromise", help_text: "StrOrPromise", *, required: bool = False) -> forms.FileField:
    widget = forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"})
    return forms.FileField(label=label, help_text=help_text, required=required, widget=widget)


class ReplayForm(forms.Form):
    """What a replay is called and how it is to be analysed."""

    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(
        label=_("Where it comes from"), max_length=2000, required=False,
        help_text=_("The article or the collection; shown with the results."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    margin = forms.FloatField(
        label=_("Non-inferiority margin"), required=False,
        help_text=_("Of the balanced accuracy, 0 to 1. As the answers are known already, the results will say so."),
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        widget=forms.NumberInput(attrs={"step": "0.01"}),
    )  # fmt: skip
    premalignant_as = forms.ChoiceField(
        label=_("Actinic keratosis counts as"), choices=Study.PremalignantAs.choices,
        initial=Study.PremalignantAs.BENIGN,
    )  # fmt: skip
    endpoints = forms.MultipleChoiceField(
        label=_("Primary endpoints"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("What is primary; every other comparison is secondary."),
    )  # fmt: skip
    is_synthetic = forms.BooleanField(
        label=_("Drawn photos or simulated readers"), required=False,
        help_text=_("Said on every page, figure and file."),
    )  # fmt: skip

    def __init__(self, *args, clinic: Clinic, **kwargs):
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        choices_of(self, "endpoints").choices = endpoint_choices()

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if not name or not storable(name):
            raise forms.ValidationError(_("Give it a name of at most 120 characters."))
        if replay.name_is_taken(self.clinic, name):
            raise forms.ValidationError(_("This clinic already has a study with this name."))
        return name

    def clean_description(self) -> str:
        text = self.cleaned_data["description"]
        if not storable(text):
            raise forms.ValidationError(_("The text holds characters that cannot be stored."))
        return text

    def wishes(self, said: Said) -> replay.Wishes:
        """Of a valid form, with what was said of the files."""
        values = self.cleaned_data
        return replay.Wishes(
            name=values["name"], description=values["description"], margin=values["margin"],
            endpoints=values["endpoints"], premalignant_as=values["premalignant_as"],
            is_synthetic=values["is_synthetic"], said=said,
        )  # fmt: skip


class ReplayFilesForm(ReplayForm):
    """With the files themselves."""

    images = _csv(
        pgettext_lazy("pictures", "Photos"),
        _("Columns: image, dataset, truth; and sex, age, skin_type, patient if known."),
        required=True,
    )
    scores = _csv(_("Scores of the model"), _("Columns: image and the 12 diseases, by key or name."))
    answers = _csv(
        _("Answers"),
        _(
            "Columns: session, reader, group, image, answer; and second, confidence, seconds, first_answer if known."
        ),
        required=True,
    )
    whole_images = _csv(
        _("Whole test set: photos"), _("The set from which the photos were drawn; columns as for photos.")
    )
    whole_scores = _csv(_("Whole test set: scores"), _("Columns as for scores."))
