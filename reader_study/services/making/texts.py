"""What readers are told, in each language: the coordinator's own texts, or the product's in the reader's language."""

import hashlib
import json

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from reader_study.models import Study


def default_question() -> str:
    return _("Which of these diagnoses is the most likely for this photo?")


def default_instructions() -> str:
    """What readers are told unless the coordinator writes something else."""
    return "\n\n".join(
        [
            _(
                "You will see one photo of a skin lesion at a time. Choose the diagnosis that you think most likely "
                "and confirm it; then the next photo appears."
            ),
            _(
                "The photos were drawn at random from the collections of several groups of patients and are mixed: "
                "skin types, ages and cameras differ from photo to photo. How often a disease occurs here is not how "
                "often it occurs in a clinic."
            ),
            _(
                "Work alone, without books, colleagues or other programs. Take the time you need; you may stop at any "
                "photo and go on later, also on another device. Your answers are stored as you give them."
            ),
            _("Where there are photos for practice, they come first and do not count."),
        ]
    )


def default_consent() -> str:
    """A text of consent to begin with; an ethics committee may want another."""
    return "\n\n".join(
        [
            _(
                "Taking part is voluntary. You answer questions about photos of skin lesions; your answers, the time "
                "each took and what you tell of yourself are stored under a code and analysed together with those of "
                "other readers."
            ),
            _(
                "Those who run the study know which code is yours. Results are published without names. Reading here "
                "is no examination, and nothing of it is told to your employer."
            ),
            _(
                "You may stop at any time without giving a reason and withdraw your consent as long as the study is "
                "open; your answers then no longer count."
            ),
        ]
    )


QUESTION, INSTRUCTIONS, CONSENT = "question", "instructions", "consent_text"
# Where the other languages of a text lie, and what it is unless somebody writes something else.
IN = {QUESTION: "question_in", INSTRUCTIONS: "instructions_in", CONSENT: "consent_in"}
LONGEST = {"question_in": 300, "instructions_in": 4000, "consent_in": 6000}
_DEFAULTS = {QUESTION: default_question, INSTRUCTIONS: default_instructions, CONSENT: default_consent}


def in_language(study: Study, name: str, language: str) -> str:
    """A text of the study in a language, or as it stands where it has none of that language."""
    text = getattr(study, name)
    return getattr(study, IN[name]).get(language) or _default_in(name, text, language) or text


def is_own(study: Study, name: str) -> bool:
    """Whether a text is still the product's own, in any language."""
    return bool(_default_in(name, getattr(study, name), settings.LANGUAGE_CODE))


def _default_in(name: str, text: str, language: str) -> str:
    """The product's own text in a language, if ``text`` is the product's own in any."""
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            is_default = _DEFAULTS[name]() == text
        if is_default:
            with translation.override(language):
                return _DEFAULTS[name]()
    return ""


def fill(study: Study) -> tuple[str, ...]:
    """Write the product's own texts out in every language, so that opening fixes what readers will see; returns the
    fields that may have changed. The caller saves."""
    for name, others in IN.items():
        text = getattr(study, name)
        found = dict(getattr(study, others))
        for code, _name in settings.LANGUAGES:
            other = _default_in(name, text, code)
            if other and other != text:
                found.setdefault(code, other)
        setattr(study, others, found)
    return tuple(IN.values())


def consent_version(study: Study) -> str:
    """Changes with any word of the consent in any language."""
    texts = [study.consent_text, study.consent_in]
    content = json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:12]
