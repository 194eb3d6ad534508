"""For how long a clinic keeps what it need not keep for ever."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Retention

FIELDS = ("patients_years", "exports_days", "imports_days", "readers_months")


class RetentionForm(forms.ModelForm):
    class Meta:
        model = Retention
        fields = FIELDS
        widgets = {name: forms.NumberInput(attrs={"inputmode": "numeric"}) for name in FIELDS}
        help_texts = {
            "patients_years": _(
                "They are erased, as an admin erases one, unless a follow-up or a biopsy is under way. Empty: kept."
            ),
            "exports_days": _("Made again when an export is asked for. Empty: kept."),
            "imports_days": _("Files that were sent and never written into the archive. Empty: kept."),
            "readers_months": _("In figures and files a code stands for each reader. Empty: kept."),
        }
