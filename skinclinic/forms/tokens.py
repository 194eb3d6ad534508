"""Forms of tokens and of service accounts."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField
from skinclinic.models import ApiToken, Clinic, Member, Role
from skinclinic.services.tokens import BY_PASSWORD, DEFAULT_DAYS, LONGEST_DAYS, Wanted
from skinclinic.web.counts import ngettext

# No short name of a clinic.
ALL = "*"
DAYS = (7, 30, DEFAULT_DAYS, 180, LONGEST_DAYS)


def lasting() -> list[tuple[int, str]]:
    """In the language of who asks."""
    return [(days, ngettext("%(days)d day", "%(days)d days", days) % {"days": days}) for days in DAYS]


class TokenForm(forms.Form):
    """A token of a service account: name, what it may do, how long it works."""

    name = OneLineField(
        label=_("Name"), max_length=80, help_text=_("What it is for, such as the program and the computer.")
    )
    scope = forms.ChoiceField(
        label=_("It may"), choices=ApiToken.Scope.choices, initial=ApiToken.Scope.READ, required=True
    )
    days = forms.TypedChoiceField(
        label=_("It works for"),
        choices=lasting,
        coerce=int,
        initial=DEFAULT_DAYS,
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name == BY_PASSWORD:
            raise forms.ValidationError(_("Choose another name."))
        return name

    def wanted(self, clinic: Clinic | None) -> Wanted:
        values = self.cleaned_data
        return Wanted(values["name"], values["scope"], clinic, timedelta(days=values["days"]))


class OwnTokenForm(TokenForm):
    """One's own: also which of one's clinics it opens."""

    clinic = forms.ChoiceField(label=_("It opens"))

    field_order = ["name", "scope", "clinic", "days"]

    def __init__(self, *args, memberships: list[Member], **kwargs):
        super().__init__(*args, **kwargs)
        self.clinics = {member.clinic.slug: member.clinic for member in memberships}
        names = [(slug, clinic.name) for slug, clinic in self.clinics.items()]
        self.fields["clinic"].choices = [*names, (ALL, _("All my clinics, also later ones"))]  # type: ignore[attr-defined]  # of a ChoiceField

    def own_wanted(self) -> Wanted:
        return self.wanted(self.clinics.get(self.cleaned_data["clinic"]))


class ServiceAccountForm(forms.Form):
    """Admins are people: whoever changes members, models and settings signs in."""

    name = OneLineField(label=_("Name"), max_length=80, help_text=_("As colleagues see it, such as “PACS”."))
    role = forms.ChoiceField(
        label=_("Role"), choices=[choice for choice in Role.choices if choice[0] != Role.ADMIN]
    )
