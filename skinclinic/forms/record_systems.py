"""The form of a record system."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.models import RecordSystem
from skinclinic.services import record_systems, webhooks
from skinclinic.web import outgoing

_NO_ADDRESS = _("Give an address such as https://records.example.org/fhir.")
_NOT_ALLOWED = _(
    "A record system is asked at public addresses by https alone, and this one is in a private network or begins with "
    "http. Give a public https address, or have the server's operator allow the network first (WEBHOOK_NETWORKS)."
)


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
            outgoing.require_possible(issuer, webhooks.allowed_networks())
        except outgoing.NotSent as error:
            raise forms.ValidationError(
                _NOT_ALLOWED if error.code == "not_allowed" else _NO_ADDRESS
            ) from None
        return issuer
