"""What a reader says of himself or herself; every question may be left open."""

from django import forms
from django.utils.translation import gettext_lazy as _

from reader_study.about_reader import CHOICES, QUESTIONS
from reader_study.models import ReaderAbout
from reader_study.services.making.reader_lines import MOST_YEARS


class AboutReaderForm(forms.ModelForm):
    years = forms.IntegerField(required=False, min_value=0, max_value=MOST_YEARS)

    class Meta:
        model = ReaderAbout
        fields = list(QUESTIONS)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for question, choices in CHOICES.items():
            self.fields[question] = forms.ChoiceField(
                label=str(QUESTIONS[question]),
                required=False,
                choices=[("", _("not said")), *choices.items()],
                initial=getattr(self.instance, question),
            )
        self.fields["years"].label = str(QUESTIONS["years"])
        self.order_fields(list(QUESTIONS))
