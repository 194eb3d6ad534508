"""What a plan of readers and photos is asked by."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reader_study.forms.study import disease_choices
from reader_study.models import Study
from reader_study.services.making import sizes
from reader_study.statistics import pilot, sizing
from reader_study.statistics.pilot import Question
from skinclinic.forms.fields import choices_of, rows_of
from skinclinic.models import User
from skinclinic.services.refused import Refused

MOST_ERROR_CASES = 1_000_000
STATED = ("var_error", "rho1", "rho2", "rho3", "var_readers", "error_cases")
MEASURE_NAMES = {
    pilot.ACCURACY: _("Accuracy"), pilot.BALANCED: _("Balanced accuracy of a disease"),
    pilot.SENSITIVITY: _("Sensitivity of a disease"), pilot.SPECIFICITY: _("Specificity of a disease"),
}  # fmt: skip


def _number(label: Any, *, help_text: Any = "", required: bool = False) -> forms.FloatField:
    """What it may be is for ``sizing`` to say."""
    return forms.FloatField(
        label=label, required=required, help_text=help_text,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip


class _Pilots(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} · {obj.clinic}"


class PlanForm(forms.Form):
    """Where the variances come from, what is compared, what is to be shown."""

    pilot = _Pilots(
        queryset=Study.objects.none(), required=False, empty_label=_("Values stated below"),
        label=_("Variances from"),
        help_text=_("A finished study like the one you plan; all its datasets together and its first sessions."),
    )  # fmt: skip
    compare = forms.ChoiceField(
        label=_("Compared"),
        choices=[
            (sizing.SESSIONS, _("Two sessions of the same readers")), (sizing.MODEL, _("The model with the readers")),
        ],
    )  # fmt: skip
    measure = forms.ChoiceField(
        label=_("Measured by"), choices=list(MEASURE_NAMES.items()),
        help_text=_("Of a finished study; stated values are of the measure that they were found with."),
    )  # fmt: skip
    disease = forms.ChoiceField(label=_("Disease"), required=False)
    difference = _number(
        _("True difference"),
        help_text=_("0.05: five percentage points. Empty: as in the finished study; 0 with a margin."),
    )
    margin = _number(_("Non-inferiority margin"), help_text=_("Empty: a difference is to be shown."))
    alpha = _number(_("Alpha, two-sided"), required=True)
    power = _number(_("Power wanted"), required=True)
    readers = forms.CharField(label=_("Readers"), max_length=100, help_text=_("5, or 3,5,8, or 3-12"))
    cases = forms.IntegerField(
        label=_("Photos for which to give the power"), required=False, min_value=sizing.LEAST_CASES,
        max_value=sizing.MOST_CASES,
    )  # fmt: skip
    var_error = _number(_("Error variance of one reader"))
    rho1 = _number(_("Correlation: same reader, other test"))
    rho2 = _number(_("Correlation: other reader, same test"))
    rho3 = _number(_("Correlation: other reader, other test"))
    var_readers = _number(
        _("Variance of readers"),
        help_text=_("Of tests within readers (TR); for the model with its readers, of readers (R)."),
    )
    error_cases = forms.IntegerField(
        label=_("Photos that the error variance is for"), required=False, min_value=1, max_value=MOST_ERROR_CASES
    )  # fmt: skip

    def __init__(
        self, user: User, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, auto_id="plan-%s")
        rows_of(self, "pilot").queryset = sizes.pilots_for(user)
        choices_of(self, "disease").choices = [("", _("All")), *disease_choices()]

    def clean_readers(self) -> tuple[int, ...]:
        try:
            return sizes.reader_numbers(self.cleaned_data["readers"])
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from None

    def clean(self) -> None:
        if "pilot" not in self.cleaned_data:
            return
        if self.cleaned_data["pilot"] is None:
            for name in STATED:
                if name not in self.errors and self.cleaned_data.get(name) is None:
                    self.add_error(name, _("Give it, or choose a finished study."))
            if all(self.cleaned_data.get(name, 0) is None for name in ("difference", "margin")):
                self.add_error("difference", _("Give the difference, or a margin."))
        elif self.cleaned_data.get("measure") != pilot.ACCURACY and not self.cleaned_data.get("disease"):
            self.add_error("disease", _("Choose the disease."))

    def question(self) -> Question:
        found = self.cleaned_data
        is_of_all = found["measure"] == pilot.ACCURACY
        return Question(found["compare"], found["measure"], "" if is_of_all else found["disease"])

    def wanted(self) -> sizes.Wanted:
        names = ("difference", "margin", "alpha", "power", "readers", "cases")
        return sizes.Wanted(*(self.cleaned_data[name] for name in names))

    def stated(self) -> sizing.Spread:
        """Raises sizing.CannotSize."""
        found = {name: self.cleaned_data[name] for name in STATED}
        return sizing.stated(self.cleaned_data["compare"], cases=found.pop("error_cases"), **found)
