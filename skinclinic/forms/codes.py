"""The form of one code."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import choices_of
from skinclinic.models import ClinicCode
from skinclinic.vocabulary import codes


class CodeForm(forms.ModelForm):
    """``of``: the kind and the concept, as "site:nose"."""

    of = forms.ChoiceField(label=_("What it stands for"))

    class Meta:
        model = ClinicCode
        fields = ("of", "system", "code", "display", "version", "source")
        help_texts = {
            "system": _("One of the list, or the URI of another one, such as the hospital's own."),
            "version": _("Such as 2019 of ICD-10; empty where it is not known."),
            "source": _("The list or the release it was found in, so that others can look it up again."),
        }
        widgets = {"system": forms.TextInput(attrs={"list": "code-systems", "autocapitalize": "off"})}

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        grouped: dict[str, list[tuple[str, str]]] = {}
        for kind, concept in codes.concepts():
            group = grouped.setdefault(str(codes.KINDS[kind]), [])
            group.append((f"{kind}:{concept}", codes.name(kind, concept)))
        choices_of(self, "of").choices = list(grouped.items())
        self.fields["code"].required = True

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip()

    def as_code(self) -> codes.Code:
        """What was sent; nothing is held against the system's form yet."""
        values = self.cleaned_data
        kind, _colon, concept = values["of"].partition(":")
        return codes.Code(
            kind,
            concept,
            values["system"],
            values["code"],
            values["display"],
            values["version"],
            values["source"],
        )
