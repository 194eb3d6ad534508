"""What readers are asked and given beside the photos: consent, languages, practice, reminders, their own result."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from reader_study.models import Study
from reader_study.services.making import texts
from skinclinic.forms.fields import OneLineField
from skinclinic.forms.merging import KeepsOthersWork

# Texts in further languages are fields of their own: instructions_in-ko.
LABELS = {
    "question_in": _("Question in %(language)s"),
    "instructions_in": _("Instructions in %(language)s"),
    "consent_in": _("Consent in %(language)s"),
}


class TextsIn(KeepsOthersWork):
    """Adds to a form a field for each text and language; ``texts_in`` gives them back by the study's fields."""

    translated: tuple[str, ...] = ()
    seen_name = "seen_for_readers"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in self.translated:
            stored = getattr(self.instance, name)
            for code, language in settings.LANGUAGES:
                label = LABELS[name] % {"language": language}
                if name == "question_in":
                    made: forms.CharField = OneLineField(
                        label=label, max_length=texts.LONGEST[name], required=False
                    )
                else:
                    made = forms.CharField(
                        label=label, max_length=texts.LONGEST[name], required=False,
                        widget=forms.Textarea(attrs={"rows": 6}),
                    )  # fmt: skip
                made.widget.attrs["lang"] = code
                made.initial = stored.get(code, "")
                self.fields[f"{name}-{code}"] = made

    def stored(self) -> dict[str, Any]:
        texts_in = {
            f"{name}-{code}": getattr(self.instance, name).get(code, "")
            for name in self.translated
            for code, _language in settings.LANGUAGES
        }
        return super().stored() | texts_in

    def texts_in(self) -> dict[str, dict[str, str]]:
        return {
            name: {
                code: "\n".join(text.splitlines())
                for code, _language in settings.LANGUAGES
                if (text := self.cleaned_data[f"{name}-{code}"].strip())
            }
            for name in self.translated
        }

    def of(self, name: str) -> Iterator[BoundField]:
        """The fields of one text."""
        return (self[f"{name}-{code}"] for code, _language in settings.LANGUAGES)

    def questions_in(self) -> Iterator[BoundField]:
        return self.of("question_in")

    def instructions_in(self) -> Iterator[BoundField]:
        return self.of("instructions_in")

    def consents_in(self) -> Iterator[BoundField]:
        return self.of("consent_in")


class ForReadersForm(TextsIn):
    translated = ("question_in", "instructions_in", "consent_in")

    class Meta:
        model = Study
        fields = [
            "asks_consent", "consent_text", "asks_about_reader", "practice_feedback", "practice_pass", "practice_tries",
            "reminds_every", "shows_own_result",
        ]  # fmt: skip
        widgets = {"consent_text": forms.Textarea(attrs={"rows": 8})}
        help_texts = {
            "asks_consent": _("Who refuses cannot read; every decision is kept with its time and the text."),
            "asks_about_reader": _(
                "Specialty, years of practice, dermoscopy, device: all optional, told to nobody but as counts."
            ),
            "practice_feedback": _("Right or wrong, and the diagnosis."),
            "practice_pass": _("Empty: whoever has seen the practice photos may begin."),
            "practice_tries": _(
                "After the last one readers are told to write to you; you may allow one more."
            ),
            "reminds_every": _(
                "Empty: nobody is reminded unless you do it. Sent by e-mail to those who have not finished."
            ),
            "shows_own_result": _(
                "At their own link: what was right, by disease, beside their group and the model."
            ),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["practice_tries"].required = False
        if not self.instance.consent_text:
            self.initial["consent_text"] = texts.default_consent()

    def clean_practice_tries(self) -> int:
        return self.cleaned_data["practice_tries"] or 3

    def clean(self) -> dict:
        found = super().clean() or {}
        if found.get("asks_consent") and not (found.get("consent_text") or "").strip():
            self.add_error("consent_text", _("Write what readers consent to."))
        return found

    def values(self) -> dict:
        """The study's fields as the form says them; a consent that is not asked for is not kept."""
        found = {name: self.cleaned_data[name] for name in self.Meta.fields} | self.texts_in()
        return found if found["asks_consent"] else found | {"consent_text": "", "consent_in": {}}
