"""Making a study and changing its settings."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from classifier.services.models import registry
from reader_study.forms.for_readers import TextsIn
from reader_study.models import Study
from reader_study.services.making.studies import (
    FACTS,
    LATER_AMENDABLE,
    LONGEST_WASHOUT,
    MOST_GROUPS,
    Sessions,
)
from reader_study.services.results.questions_text import endpoint_choices
from skinclinic.forms.fields import OneLineField, choices_of, rows_of
from skinclinic.forms.merging import KeepsOthersWork
from skinclinic.vocabulary.diseases import DISEASES

FACT_NAMES = {"age": _("age"), "sex": _("sex"), "site": _("anatomic site")}


def disease_choices() -> list[tuple[str, str]]:
    """The 12 diseases in their order, in the current language."""
    language = get_language() or "en"
    return [(disease.key, disease.name(language)) for disease in DISEASES]


class NewStudyForm(forms.ModelForm):
    name = OneLineField(label=_("Name"), max_length=120)

    class Meta:
        model = Study
        fields = ["name", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class SettingsForm(KeepsOthersWork):
    """Everything that opening fixes, the groups apart: those are read by ``group_names``."""

    name = OneLineField(label=_("Name"), max_length=120)
    question = OneLineField(label=_("Question above each photo"), max_length=300)
    choices = forms.MultipleChoiceField(
        label=_("Diagnoses readers choose from"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least two diagnoses.")},
    )  # fmt: skip
    shown_facts = forms.MultipleChoiceField(
        label=_("What readers are told of the patient"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(fact, FACT_NAMES[fact]) for fact in FACTS],
        help_text=_("Nothing chosen: the photo alone, as in the paper."),
    )  # fmt: skip
    endpoints = forms.MultipleChoiceField(
        label=_("Primary endpoints"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "The comparisons that are primary: the model with the readers on a question or a disease, or a later "
            "session with an earlier one. All others are secondary."
        ),
    )  # fmt: skip
    margin = forms.FloatField(
        label=_("Non-inferiority margin"), required=False, min_value=0.001, max_value=1,
        help_text=_("Of the balanced accuracy: 0.05 means five percentage points. It can never be changed later."),
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip
    has_aided = forms.BooleanField(
        label=_("A second session, in which the model's answer is shown after the reader's own"),
        required=False,
    )
    washout_days = forms.IntegerField(
        label=_("Days between the sessions"), required=False, min_value=0, max_value=LONGEST_WASHOUT,
        help_text=_("Counted for each reader from the end of the first session."),
    )  # fmt: skip

    class Meta:
        model = Study
        fields = [
            "name", "description", "question", "instructions", "choices", "asks_confidence", "asks_second",
            "may_go_back", "shown_facts", "model_version", "premalignant_as", "margin", "endpoints", "analysis_plan",
            "ends_on",
        ]  # fmt: skip
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "instructions": forms.Textarea(attrs={"rows": 12}),
            "analysis_plan": forms.Textarea(attrs={"rows": 4}),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        labels = {"model_version": _("Model to compare with")}
        help_texts = {
            "instructions": _("Shown before the first photo. An empty line begins a new paragraph."),
            "ends_on": _("Readers are told this day; the study stays open until you close it."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        study = self.instance
        choices_of(self, "choices").choices = disease_choices()
        choices_of(self, "endpoints").choices = endpoint_choices()
        rows_of(self, "model_version").queryset = registry.available(study.clinic)
        rows_of(self, "model_version").empty_label = _("No model")
        self.fields["instructions"].required = True
        sessions = Sessions.of(study)
        self.initial.setdefault("has_aided", sessions.has_aided)
        self.initial.setdefault("washout_days", sessions.washout_days)

    def stored(self) -> dict[str, Any]:
        sessions = Sessions.of(self.instance)
        return super().stored() | {"has_aided": sessions.has_aided, "washout_days": sessions.washout_days}

    def clean_choices(self) -> list[str]:
        if len(self.cleaned_data["choices"]) < 2:
            raise forms.ValidationError(_("Choose at least two diagnoses."))
        return self.cleaned_data["choices"]

    def clean_washout_days(self) -> int:
        return self.cleaned_data["washout_days"] or 0

    def sessions(self) -> Sessions:
        return Sessions(self.cleaned_data["has_aided"], self.cleaned_data["washout_days"])


class AmendmentForm(TextsIn):
    """What may still change in an open study, and why."""

    translated: tuple[str, ...] = ("instructions_in",)
    reason = OneLineField(label=_("Reason"), max_length=400)

    class Meta:
        model = Study
        fields = ["description", "instructions", "consent_text", "ends_on", *LATER_AMENDABLE]
        widgets = SettingsForm.Meta.widgets | {"consent_text": forms.Textarea(attrs={"rows": 8})}
        help_texts = {
            "instructions": _("Readers who have begun see the new text, too."),
            "consent_text": _("Readers are asked anew before they go on."),
        }

    def __init__(self, *args, **kwargs):
        if kwargs["instance"].asks_consent:
            self.translated = ("instructions_in", "consent_in")
        super().__init__(*args, **kwargs)
        if not self.instance.asks_consent:
            del self.fields["consent_text"]

    def sent_in(self, sent) -> dict[str, dict[str, str]]:
        """The further languages of the texts that were sent."""
        found = self.texts_in()
        return {name: text for name, text in found.items() if any(key.startswith(f"{name}-") for key in sent)}


def group_names(study: Study, sent) -> tuple[dict[int, str], list[str]]:
    """The names of the study's groups and of new ones, as fields ``group-KEY`` and ``group-new`` say them."""
    names = {
        group.pk: _tidy(sent[f"group-{group.pk}"])
        for group in study.groups.all()
        if f"group-{group.pk}" in sent
    }
    return names, [_tidy(name) for name in sent.getlist("group-new")[:MOST_GROUPS]]


def _tidy(name: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())[:60]
