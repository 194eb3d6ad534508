"""How a study's reading is shared out among the readers."""

from django import forms
from django.utils.translation import gettext_lazy as _

from reader_study.models import StudyDesign
from reader_study.services.making.designs import MOST_BLOCKS
from reader_study.services.making.studies import LONGEST_WASHOUT, Sessions


class DesignForm(forms.ModelForm):
    blocks = forms.IntegerField(
        label=_("Blocks of photos"), min_value=1, max_value=MOST_BLOCKS,
        help_text=_(
            "1: the sample is not split. Each block holds every disease alike, and all photos of a patient or lesion."
        ),
    )  # fmt: skip
    blocks_a_reader = forms.IntegerField(
        label=_("Blocks each reader reads"), min_value=1, max_value=MOST_BLOCKS,
    )  # fmt: skip
    repeats = forms.IntegerField(
        label=_("Photos of each block shown twice"), min_value=0, max_value=5000,
        help_text=_(
            "They come again in the same session, well after the first time, and are not marked. They tell how well "
            "readers agree with themselves, and count for nothing else."
        ),
    )  # fmt: skip
    washout_days = forms.IntegerField(
        label=_("Days between the two sessions"), required=False, min_value=0, max_value=LONGEST_WASHOUT,
        help_text=_("Where each reader reads twice, counted for each from the end of the first session."),
    )  # fmt: skip

    class Meta:
        model = StudyDesign
        fields = ["arms", "blocks", "blocks_a_reader", "repeats"]
        widgets = {"arms": forms.RadioSelect}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("washout_days", Sessions.of(self.instance.study).washout_days)

    def sessions(self) -> Sessions | None:
        """The sessions that arms need; None where the settings decide them."""
        if self.cleaned_data["arms"] == StudyDesign.Arms.ALL:
            return None
        return Sessions(True, self.cleaned_data["washout_days"] or 0)

    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}
