"""Asking for a second opinion, and what somebody outside answers."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import OneLineField, choices_of
from skinclinic.forms.naming import NamesDiagnosis
from skinclinic.models import Lesion, OpinionGiven, Photo, SecondOpinion, User
from skinclinic.services import cases
from skinclinic.services.second_opinions import DAYS, USUAL_DAYS
from skinclinic.web.counts import ngettext

LONGEST_WORDS = 400


def _question() -> forms.CharField:
    return forms.CharField(
        label=_("Question"),
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It is read before they say what they think: leave your own diagnosis out."),
    )


class AskMemberForm(forms.Form):
    prefix = "member"
    colleague = forms.TypedChoiceField(label=_("Colleague"), coerce=int)
    question = _question()

    def __init__(self, *args: Any, lesion: Lesion, user: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        people = [person for person in cases.members_of(lesion.clinic) if person != user]
        self.people = {person.pk: person for person in people}
        choices = [("", _("Choose")), *((key, str(person)) for key, person in self.people.items())]
        choices_of(self, "colleague").choices = choices

    def clean_colleague(self) -> User:
        return self.people[self.cleaned_data["colleague"]]


class AskOutsideForm(forms.Form):
    """``photos``: keys of the lesion's; ``shows``: of ``SecondOpinion.Show``."""

    prefix = "outside"
    name = OneLineField(label=_("Name of the colleague"), max_length=120)
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("With it the link is mailed, where a mail server is set up."),
    )
    photos = forms.MultipleChoiceField(
        error_messages={"required": _("Choose at least one photo of this lesion.")}
    )
    shows = forms.MultipleChoiceField(choices=SecondOpinion.Show.choices, required=False)
    days = forms.TypedChoiceField(label=_("The link works for"), coerce=int, initial=USUAL_DAYS)
    question = _question()

    def __init__(self, *args: Any, photos: Sequence[Photo], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.offered = {str(photo.pk): photo for photo in photos}
        choices_of(self, "photos").choices = [(key, str(photo)) for key, photo in self.offered.items()]
        choices_of(self, "days").choices = [
            (days, ngettext("%(count)s day", "%(count)s days", days) % {"count": days}) for days in DAYS
        ]

    def clean_photos(self) -> list[Photo]:
        return [self.offered[key] for key in self.cleaned_data["photos"]]


class AnswerForm(NamesDiagnosis):
    """What a colleague outside thinks."""

    nature = forms.ChoiceField(
        choices=OpinionGiven.Nature.choices, error_messages={"required": _("Choose one of the three.")}
    )
    biopsy = forms.ChoiceField(
        choices=OpinionGiven.Biopsy.choices, error_messages={"required": _("Choose one of the three.")}
    )
    comment = forms.CharField(
        label=_("Comment"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    @property
    def said(self) -> dict[str, Any]:
        """What ``second_opinions.answer`` takes, from the cleaned form."""
        disease, icd10, words = self.named or ("", "", "")
        return {"disease": disease, "icd10": icd10, "text": words[:LONGEST_WORDS]} | {
            name: self.cleaned_data[name] for name in ("nature", "biopsy", "comment")
        }
