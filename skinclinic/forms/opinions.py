"""Asking for a second opinion, and what somebody outside answers."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from skinclinic.forms.fields import OneLineField, choices_of
from skinclinic.forms.pathology import LONGEST_TYPED, LONGEST_VALUE
from skinclinic.models import Lesion, OpinionGiven, Photo, SecondOpinion, User
from skinclinic.services import cases
from skinclinic.services.second_opinions import DAYS, USUAL_DAYS
from skinclinic.vocabulary import terms

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


class AnswerForm(forms.Form):
    """What a colleague outside thinks; ``diagnosis`` and ``diagnosis_typed`` come from the type-ahead."""

    diagnosis = forms.CharField(required=False, max_length=LONGEST_VALUE, widget=forms.HiddenInput)
    diagnosis_typed = forms.CharField(required=False, max_length=LONGEST_TYPED)
    nature = forms.ChoiceField(
        choices=OpinionGiven.Nature.choices, error_messages={"required": _("Choose one of the three.")}
    )
    biopsy = forms.ChoiceField(
        choices=OpinionGiven.Biopsy.choices, error_messages={"required": _("Choose one of the three.")}
    )
    comment = forms.CharField(
        label=_("Comment"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"diagnosis", "diagnosis_typed"} & self.errors.keys():
            return cleaned
        typed = cleaned["diagnosis_typed"]
        named = terms.understand(cleaned["diagnosis"], typed)
        if named is None and not typed:
            self.add_error("diagnosis", forms.ValidationError(_("Choose a diagnosis."), code="required"))
        elif named is None:
            message = _(
                "“%(typed)s” may mean several diagnoses. Choose one from the list, or save again to use it as typed."
            )
            self.add_error(
                "diagnosis", forms.ValidationError(message, code="unknown", params={"typed": typed})
            )
            sent = cast(QueryDict, self.data).copy()
            sent["diagnosis"] = terms.AS_TYPED
            self.data = sent
        self.named = named
        return cleaned

    @property
    def said(self) -> dict[str, Any]:
        """What ``second_opinions.answer`` takes, from the cleaned form."""
        disease, icd10, words = self.named or ("", "", "")
        return {"disease": disease, "icd10": icd10, "text": words[:LONGEST_WORDS]} | {
            name: self.cleaned_data[name] for name in ("nature", "biopsy", "comment")
        }
