"""Planning what comes next with a lesion: when to see it again, a biopsy that was taken, who sees to it."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from skinclinic.forms.fields import OneLineField
from skinclinic.forms.pathology import date_input, not_in_the_future
from skinclinic.models import Clinic, User
from skinclinic.services import cases
from skinclinic.services.identifying import nobody_named
from skinclinic.vocabulary.days import months_later

# What is pressed, and how it is said.
AFTER = (
    ("6w", _("6 weeks")),
    ("3m", _("3 months")),
    ("6m", _("6 months")),
    ("12m", _("12 months")),
)


def due_after(today: date, after: str) -> date:
    """The day that lies "6w" or "3m" after today."""
    number = int(after[:-1])
    return today + timedelta(weeks=number) if after.endswith("w") else months_later(today, number)


class FollowUpForm(forms.Form):
    """``after`` is the button that was pressed; the one for a date sends none."""

    after = forms.ChoiceField(choices=AFTER, required=False)
    due_on = forms.DateField(label=_("On a date"), required=False, widget=date_input())
    note = OneLineField(label=_("Note"), required=False, max_length=200, validators=[nobody_named])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("after"):
            cleaned["due_on"] = due_after(timezone.localdate(), cleaned["after"])
        elif not cleaned.get("due_on") and not self.errors:
            self.add_error("due_on", forms.ValidationError(_("Choose a date."), code="required"))
        return cleaned


class BiopsyForm(forms.Form):
    taken_on = forms.DateField(label=pgettext_lazy("a biopsy", "Taken on"), widget=date_input())
    taken_by = forms.TypedChoiceField(
        label=pgettext_lazy("a biopsy", "Taken by"), coerce=int, required=False, empty_value=None
    )
    note = OneLineField(label=_("Note"), required=False, max_length=200, validators=[nobody_named])

    def __init__(self, *args: Any, clinic: Clinic, user: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.people = {person.pk: person for person in cases.members_of(clinic)}
        choices = [(key, str(person)) for key, person in self.people.items()]
        self.fields["taken_by"].choices = choices  # type: ignore[attr-defined]  # it is a ChoiceField
        self.initial = {"taken_on": timezone.localdate(), "taken_by": user.pk, **self.initial}

    def clean_taken_on(self) -> date | None:
        return not_in_the_future(self.cleaned_data["taken_on"])

    def clean_taken_by(self) -> User | None:
        return self.people.get(self.cleaned_data["taken_by"])
