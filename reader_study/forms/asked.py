"""What a study asks besides the diagnosis, and the time a photo may take."""

from django import forms
from django.utils.translation import gettext_lazy as _

from reader_study.models import Study
from reader_study.models.asked import ASKED_FIELDS, LONGEST_TIME, Management
from skinclinic.forms.merging import KeepsOthersWork


class AskedForm(KeepsOthersWork):
    seen_name = "seen_asked"
    management_choices = forms.MultipleChoiceField(
        label=_("What readers would do, to choose from"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=Management.choices,
        help_text=_("Nothing chosen: it is not asked. A biopsy counts as “malignant” where the two are compared."),
    )  # fmt: skip
    choices_after = forms.IntegerField(
        label=_("Readers can choose after so many seconds"), required=False, min_value=0, max_value=LONGEST_TIME,
        help_text=_("Counted while the photo is in sight. 0: at once."),
    )  # fmt: skip
    time_limit = forms.IntegerField(
        label=_("A photo is over after so many seconds"), required=False, min_value=0, max_value=LONGEST_TIME,
        help_text=_(
            "Counted down while the photo is in sight; then it counts as not answered in time. 0: no limit. With a "
            "limit readers cannot go back."
        ),
    )  # fmt: skip

    class Meta:
        model = Study
        fields = ASKED_FIELDS
        help_texts = {
            "offers_cannot_judge": _(
                "It counts like a photo that was passed over, and is counted by itself."
            ),
            "asks_known": _("The answer is kept and counts nowhere; how many there were is said."),
            "asks_comment": _("Remarks are seen by nobody before the study is closed."),
            "confidence_optional": _(
                "Only where the confidence is asked for. Else nothing is confirmed without it."
            ),
        }

    def clean_choices_after(self) -> int:
        return self.cleaned_data["choices_after"] or 0

    def clean_time_limit(self) -> int:
        return self.cleaned_data["time_limit"] or 0
