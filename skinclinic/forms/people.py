"""Forms of accounts, members, invitations and clinic settings."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UserCreationForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField
from skinclinic.forms.merging import KeepsOthersWork
from skinclinic.models import Clinic, Role, User
from skinclinic.services import passwords
from skinclinic.services.signing_in import is_own_password

NEW = ("password1", "new_password1")


def _what_new_passwords_must_be() -> str:
    """A list, as Django makes it, of those validators that ask for something."""
    texts = filter(None, password_validators_help_texts())
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((text,) for text in texts)))


what_new_passwords_must_be = lazy(_what_new_passwords_must_be, str)


def limit_passwords(form: forms.BaseForm, *names: str) -> None:
    """Refuse passwords that are too long before anything hashes them, and say of a new one what it must be."""
    for name in names:
        if form.fields[name].help_text and name in NEW:
            form.fields[name].help_text = what_new_passwords_must_be()
        field = cast(forms.CharField, form.fields[name])
        field.max_length = passwords.LONGEST
        field.widget.attrs["maxlength"] = passwords.LONGEST
        field.validators = [*field.validators, forms.CharField(max_length=passwords.LONGEST).validators[0]]


class SignInForm(AuthenticationForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        limit_passwords(self, "password")


class NewPasswordForm(PasswordChangeForm):
    def __init__(self, *args, request: HttpRequest, **kwargs):
        self.request = request
        super().__init__(*args, **kwargs)
        limit_passwords(self, "old_password", "new_password1", "new_password2")

    def clean_old_password(self) -> str:
        password = self.cleaned_data["old_password"]
        if not is_own_password(self.request, self.user, password):
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


class JoinForm(UserCreationForm):
    """A new person: user name, the name colleagues see, password twice."""

    display_name = OneLineField(
        label=_("Your name"),
        max_length=120,
        help_text=_("As your colleagues shall see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "display_name")

    field_order = ["display_name", "username", "password1", "password2"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        limit_passwords(self, "password1", "password2")
        self.fields["username"].label = _("User name")
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["username"].widget.attrs.pop("autofocus", None)


class AccountForm(forms.ModelForm):
    display_name = OneLineField(
        label=_("Your name"),
        max_length=120,
        required=False,
        help_text=_("As your colleagues shall see it. Empty: your user name."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ("display_name",)


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class MemberForm(forms.Form):
    """One change of a member: another role, or active or not."""

    role = forms.ChoiceField(choices=Role.choices, required=False)
    is_active = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")],
        coerce=lambda value: value == "yes",
        empty_value=None,
        required=False,
    )


class ClinicForm(KeepsOthersWork):
    name = OneLineField(label=_("Name of the clinic"), max_length=120)
    second_factor_roles = forms.MultipleChoiceField(
        label=_("Second factor at sign-in"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Members with these roles set one up when they next open a page."),
    )

    class Meta:
        model = Clinic
        fields = ("name", "impression_first", "try_page_open", "second_factor_roles")
        # The page says at length what becomes public.
        help_texts = {"try_page_open": ""}
