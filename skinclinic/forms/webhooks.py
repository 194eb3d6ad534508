"""The form of a webhook."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Webhook
from skinclinic.services import webhooks
from skinclinic.services.refused import Refused


class WebhookForm(forms.Form):
    """Where to tell what."""

    url = forms.URLField(
        label=_("Address"), max_length=300, assume_scheme="https",
        help_text=_("Of the system that is told, such as https://records.example.org/skinclinic."),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=_("It is told when"), choices=Webhook.Event.choices, widget=forms.CheckboxSelectMultiple
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            webhooks.require_address(url)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from None
        return url
