"""Codes of authenticator apps and lists of recovery codes."""

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.services import second_factor, sign_in_limits, used_codes
from skinclinic.web.requests import client_address

LONGEST = 20


class CodeField(forms.CharField):
    def to_python(self, value: object) -> str:
        """Without the spaces with which apps show it."""
        return second_factor.tidy_code(super().to_python(value) or "")


class _Code(forms.Form):
    code = CodeField(
        label=_("Code"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class CodeForm(_Code, AuthenticateForm):
    """The code that is asked for after the password; wrong ones count like wrong passwords."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Who has no app reaches for the passkey first.
        if second_factor.has_app(self.user):
            self.fields["code"].widget.attrs["autofocus"] = True
        else:
            self.fields["code"].label = _("Recovery code")

    def clean_code(self) -> str:
        made = sign_in_limits.take(f"second factor {self.user.pk}", client_address(context.request))
        typed = self.cleaned_data["code"]
        if used_codes.is_used(self.user, typed):
            raise get_adapter().validation_error("incorrect_code")
        code = super().clean_code()
        if not used_codes.take(self.user, typed):
            raise get_adapter().validation_error("incorrect_code")
        sign_in_limits.succeeded(made)
        return code


class FirstCodeForm(_Code, ActivateTOTPForm):
    """The first code of a new app, which shows that it was set up rightly."""

    def clean_code(self) -> str:
        code = super().clean_code()
        used_codes.take(self.user, self.cleaned_data["code"])
        return code


class RemoveForm(forms.Form):
    """Nothing to fill in; whether a passkey may be removed is seen here."""

    def __init__(self, *args, instance: Authenticator, **kwargs):
        self.instance = instance
        super().__init__(*args, **kwargs)

    def clean(self):
        if not get_adapter().can_delete_authenticator(self.instance):
            raise get_adapter().validation_error("cannot_delete_authenticator")
        return super().clean()
