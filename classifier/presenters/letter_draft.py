"""The first draft of a letter to the referrer, for a person to edit. In the language that is active."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from classifier.presenters import case_words as words
from classifier.services.analysis.case_story import Story
from skinclinic.models import Patient


def subject(patient: Patient) -> str:
    parts = [_("Patient %(code)s") % {"code": patient.code}]
    if patient.birth_year:
        parts.append(_("born %(year)s") % {"year": patient.birth_year})
    if patient.sex:
        parts.append(str(patient.get_sex_display()))
    return ", ".join(parts)


def body(patient: Patient, stories: Sequence[Story], *, tells_model: bool) -> str:
    """Paragraphs with an empty line between them; what nobody recorded is said so, or left out."""
    parts = [_("Dear colleague,"), _opening(patient, stories)]
    history = words.history(patient, names_unasked=False)
    parts.append(_("History: %(said)s") % {"said": history})
    parts += [_lesion(number, story, tells_model=tells_model) for number, story in enumerate(stories, 1)]
    parts.append(_("With kind regards"))
    return "\n\n".join(parts)


def _opening(patient: Patient, stories: Sequence[Story]) -> str:
    last = max((story.last_photo_on for story in stories if story.last_photo_on), default=None)
    if last is None:
        return _("Thank you for referring patient %(code)s.") % {"code": patient.code}
    return _("Thank you for referring patient %(code)s, whom we saw last on %(day)s.") % {
        "code": patient.code, "day": words.day(last),
    }  # fmt: skip


def _lesion(number: int, story: Story, *, tells_model: bool) -> str:
    lines = [f"{number}. {words.place(story)}"]
    dated = [words.day(visit.day) for visit in story.visits if visit.photos]
    lines.append(_("Photos: %(days)s") % {"days": ", ".join(dated) or _("none")})
    asked = next((visit for visit in reversed(story.visits) if visit.symptoms), None)
    lines.append(
        _("Symptoms: %(said)s")
        % {"said": words.symptoms(asked, names_unasked=False) if asked else _("Nothing was asked.")}
    )
    if story.lesion.note:
        lines.append(_("Findings: %(said)s") % {"said": story.lesion.note})
    lines.append(_("My diagnosis: %(said)s") % {"said": _own(story)})
    if story.own and story.own.ranked.others:
        others = ", ".join(one.said for one in story.own.ranked.others)
        lines.append(_("Differential diagnosis: %(said)s") % {"said": others})
    lines.append(_("Pathology: %(said)s") % {"said": words.pathology(story)})
    lines.append(_("What comes next: %(said)s") % {"said": words.plan(story).replace("\n", "; ")})
    if tells_model:
        photos = [photo for visit in story.visits for photo in visit.photos]
        carried = next((photo for photo in photos if photo.pk == story.lesion.told_by_id), None)
        said = words.answer(story, carried) if carried else _("not analysed")
        lines.append(_("Answer of a model, which does not diagnose: %(said)s") % {"said": said})
    return "\n".join(lines)


def _own(story: Story) -> str:
    return words.diagnosis(story.own) if story.own else _("none recorded")
