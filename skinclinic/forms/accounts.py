"""Forms of one's own account that change how one gets in."""

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField
from skinclinic.forms.people import limit_passwords


class EmailForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        help_text=_("For mails on follow-ups and links to choose a new password."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class ForgottenForm(forms.Form):
    name = OneLineField(
        label=_("User name or e-mail"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )


class ChosenPasswordForm(SetPasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        limit_passwords(self, "new_password1", "new_password2")
        self.fields["new_password1"].widget.attrs["autofocus"] = True
