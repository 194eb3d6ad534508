"""Settings of the protocol: the thresholds and the operating point of the model, and who answers for the study."""

from itertools import groupby

from django import forms
from django.utils.translation import gettext_lazy as _

from classifier.models import ModelVersion, ThresholdSet
from classifier.services.models import registry
from reader_study.models import Study
from reader_study.services.making.studies import LATER_AMENDABLE
from skinclinic.forms.fields import OneLineField
from skinclinic.forms.merging import KeepsOthersWork

CONDUCT_LABELS = {
    "registration": _("Registration number"),
    "ethics": _("Ethics approval"),
    "funding": _("Funding"),
    "contact": _("Contact"),
}


class ProtocolForm(KeepsOthersWork):
    """Thresholds are offered of every model, by model: those of another than the chosen one are refused."""

    seen_name = "seen_protocol"

    threshold_set = forms.ModelChoiceField(
        label=_("Thresholds readers are shown"), required=False, queryset=ThresholdSet.objects.none(),
        empty_label=_("None: the scores alone"),
        help_text=_(
            "Shown in a session with the model's answer. Their values are copied when the study opens; sets that are "
            "made later change nothing in it."
        ),
    )  # fmt: skip
    operating_point = forms.ChoiceField(
        label=_("The model is compared with readers at"), choices=Study.OperatingPoint.choices, required=False,
        widget=forms.RadioSelect,
        help_text=_(
            "Conclusions rest on it alone. Thresholds must come from photos that are not in the sample."
        ),
    )  # fmt: skip
    registration = OneLineField(label=CONDUCT_LABELS["registration"], max_length=120, required=False)
    ethics = OneLineField(label=CONDUCT_LABELS["ethics"], max_length=300, required=False)
    funding = OneLineField(label=CONDUCT_LABELS["funding"], max_length=400, required=False)
    contact = OneLineField(label=CONDUCT_LABELS["contact"], max_length=200, required=False)

    class Meta:
        model = Study
        fields = ["threshold_set", "operating_point", *LATER_AMENDABLE]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        models = list(registry.available(self.instance.clinic).prefetch_related("threshold_sets"))
        sets = [row for model in models for row in model.thresholds_for(self.instance.clinic_id)]
        field = self.fields["threshold_set"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = ThresholdSet.objects.filter(pk__in=[row.pk for row in sets])
        field.choices = _grouped(models, sets, str(field.empty_label or ""))

    def clean_operating_point(self) -> str:
        return self.cleaned_data["operating_point"] or Study.OperatingPoint.FIRST_CHOICE


def _grouped(models: list[ModelVersion], sets: list[ThresholdSet], empty: str) -> list:
    names = {model.pk: str(model) for model in models}
    groups = groupby(sets, key=lambda row: row.model_version_id)
    return [("", empty), *((names[pk], [(row.pk, row.name) for row in rows]) for pk, rows in groups)]
