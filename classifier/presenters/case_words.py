"""A lesion's story in words, in the language that is active: for reports and letters."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifier.services.analysis.case_story import Story, Visit
from skinclinic.models import Diagnosis, Patient, Photo
from skinclinic.presenters import visit as visit_words
from skinclinic.vocabulary import asked, spoken

SET_ASIDE = {
    "overview": gettext_lazy("Overview: does not count"),
    "dermoscopic": gettext_lazy("Dermoscopic: does not count"),
    "unfit": gettext_lazy("Unfit: does not count"),
}


def day(when: date | None) -> str:
    """A day without any doubt which month it is."""
    return date_format(when, "DATE_FORMAT") if when else "–"


def moment(when: datetime) -> str:
    return date_format(timezone.localtime(when), "DATETIME_FORMAT")


def diagnosis(said: Diagnosis) -> str:
    """Name, code and own words: "Basal cell carcinoma, nodular (ICD-10 C44)"."""
    name = spoken.disease(said.disease) if said.disease else ""
    words = "; ".join(part for part in (name, said.said) if part)
    code = f"ICD-10 {said.icd10}" if said.icd10 else ""
    return f"{words} ({code})" if words and code else words or code


def with_others(said: Diagnosis) -> str:
    return "; ".join(part for part in (diagnosis(said), said.also_said) if part)


def pathology(story: Story) -> str:
    if story.proof is None:
        return _("none recorded")
    parts = [diagnosis(story.proof), story.proof.get_confirmed_by_display()]
    if story.proof.diagnosed_on:
        parts.append(day(story.proof.diagnosed_on))
    return ", ".join(part for part in parts if part)


def plan(story: Story) -> str:
    """Every step that stands, a line each."""
    lines = []
    if step := story.follow_up:
        lines.append(
            _("See again by %(day)s") % {"day": day(step.due_on)} + (f": {step.note}" if step.note else "")
        )
    if biopsy := story.biopsy:
        said = {"day": day(biopsy.taken_on), "who": biopsy.taken_by or "–"}
        words = _("Biopsy taken on %(day)s by %(who)s, result awaited") % said
        lines.append(words + (f": {biopsy.note}" if biopsy.note else ""))
    return "\n".join(lines) or _("Nothing is planned.")


def symptoms(visit: Visit, *, names_unasked: bool = True) -> str:
    if visit.symptoms is None:
        return _("Nothing was asked.")
    found = visit_words.questions(visit.symptoms, asked.SYMPTOMS)
    return visit_words.in_words(found, visit.symptoms.since, names_unasked=names_unasked)


def history(patient: Patient, *, names_unasked: bool = True) -> str:
    return visit_words.in_words(visit_words.questions(patient, asked.HISTORY), names_unasked=names_unasked)


def answer(story: Story, photo: Photo) -> str:
    """What the model says of one photo, by which model."""
    told = story.told.get(photo.pk)
    if told is None:
        return _("not analysed")
    if told.is_hidden:
        return _("not shown: the own impression comes first")
    if told.set_aside:
        return str(SET_ASIDE[told.set_aside])
    if not told.top_disease or told.top_score is None:
        return _("not analysed yet")
    words = {
        "name": spoken.disease(told.top_disease),
        "score": f"{told.top_score:.3f}",
        "malignant": f"{told.malignant_sum or 0:.3f}",
        "model": story.models.get(photo.pk, "–"),
    }
    line = _("%(name)s %(score)s, all malignant together %(malignant)s (%(model)s)") % words
    against = [
        *([_("the photo is not like the model’s training photos")] if told.is_unlike else []),
        *([_("the photo may be unfit")] if told.is_doubtful else []),
    ]
    return ", ".join([line, *against])


def place(story: Story) -> str:
    return str(story.lesion.get_site_display()) or _("site not given")


def photo_caption(photo: Photo) -> str:
    words = str(photo.get_kind_display())
    return " · ".join([words, *([_("Synthetic")] if photo.is_synthetic else [])])
