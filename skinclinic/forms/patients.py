"""The patient form: a code that names nobody, and what the model's figures are later broken down by."""

from datetime import date

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField, choices_of
from skinclinic.forms.pathology import date_input, not_in_the_future
from skinclinic.models import Clinic, Patient
from skinclinic.services import consent, identifying, patient_codes
from skinclinic.services.binning.taken import why_code_is_taken

UNANSWERED = _("There is a date: say whether the consent was given or refused.")


class PatientForm(forms.ModelForm):
    """Make or change a patient of ``clinic``."""

    code = OneLineField(
        label=_("Patient code"),
        max_length=64,
        help_text=_("Pseudonymous: your study or chart code, no name, no resident number."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    names_nobody = forms.BooleanField(label=_("It is only a code and names nobody"), required=False)

    class Meta:
        model = Patient
        fields = [
            "code", "names_nobody", "birth_year", "sex", "skin_type", "ethnicity", "research_consent", "consent_on",
        ]  # fmt: skip
        widgets = {
            "birth_year": forms.NumberInput(attrs={"inputmode": "numeric", "placeholder": "1958"}),
            "consent_on": date_input(),
        }
        help_texts = {
            "research_consent": _(
                "Whether the photos may be used beyond the patient's own care: archive, datasets, training, studies."
            ),
            "consent_on": _("Left empty, a new answer counts as given today."),
        }

    def __init__(self, *args, clinic: Clinic, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.clinic = clinic
        self.asks_to_confirm = False
        choices_of(self, "sex").choices = [("", _("Not given")), *Patient.Sex.choices]
        choices_of(self, "skin_type").choices = [("", _("Not given")), *Patient.SkinType.choices]
        self.fields["ethnicity"].validators += [*OneLineField.default_validators, identifying.nobody_named]

    def clean_code(self) -> str:
        code = patient_codes.tidy(self.cleaned_data["code"])
        identifying.require_usable(code)
        others = Patient.objects.filter(clinic=self.instance.clinic, code__iexact=code).exclude(
            pk=self.instance.pk
        )
        if other := others.first():
            raise forms.ValidationError(
                _("This clinic already has a patient %(code)s."), code="taken", params={"code": other.code}
            )
        if why := why_code_is_taken(self.instance.clinic, code):
            raise forms.ValidationError(why, code="in_bin")
        return code

    def clean_birth_year(self) -> int | None:
        year = self.cleaned_data["birth_year"]
        if year is not None and year > timezone.localdate().year:
            raise forms.ValidationError(_("This year is in the future."), code="future")
        return year

    def clean_consent_on(self) -> date | None:
        return not_in_the_future(self.cleaned_data["consent_on"])

    @property
    def wanted(self) -> dict:
        """The cleaned values of the patient's fields that were sent."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "names_nobody" and self.add_prefix(name) in self.data
        }

    def save(self, commit: bool = True) -> Patient:
        self.instance.consent_on = consent.first_date(
            self.instance.research_consent, self.instance.consent_on
        )
        return super().save(commit)

    def clean(self) -> dict:
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("consent_on") and not (
            cleaned.get("research_consent") or self.initial.get("research_consent")
        ):
            self.add_error("research_consent", forms.ValidationError(UNANSWERED, code="unanswered"))
        code = cleaned.get("code", "")
        unchanged = bool(self.instance.pk) and "code" not in self.changed_data
        try:
            identifying.require_no_name(code, confirmed=unchanged or bool(cleaned.get("names_nobody")))
        except forms.ValidationError as doubt:
            self.asks_to_confirm = True
            self.add_error("code", doubt)
        return cleaned
