"""The form of a record system."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.models import RecordSystem
from skinclinic.services import record_systems
from skinclinic.web import outgoing


class RecordSystemForm(forms.ModelForm):
    secret = forms.CharField(
        label=_("Client secret"),
        required=False,
        max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Empty for a public client."),
    )

    class Meta:
        model = RecordSystem
        fields = ("name", "issuer", "client_id", "secret", "identifier_system")
        help_texts = {
            "issuer": _("Where the record system is read by FHIR, such as https://records.example.org/fhir."),
            "client_id": _("As the record system has registered this product."),
            "identifier_system": _(
                "The system of its patients' identifiers whose value is the patient code here, such as "
                "urn:oid:1.2.3. Empty: any identifier."
            ),
        }

    def clean_issuer(self) -> str:
        issuer = record_systems.tidy(self.cleaned_data["issuer"])
        try:
            outgoing.require_address(issuer)
        except outgoing.NotSent:
            raise forms.ValidationError(
                _("Give an address such as https://records.example.org/fhir.")
            ) from None
        return issuer
