"""What a clinician may decide having seen the model's answer, and a decision as it is told afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from classifier.metrics import agreement
from classifier.models import Assessment
from classifier.services.analysis.assessments import agrees
from skinclinic.models import Diagnosis
from skinclinic.vocabulary import spoken

Decision = Assessment.Decision
KEY_CAPS = {
    Decision.AGREE: "A",
    Decision.KEEP: "A",
    Decision.TAKE: "T",
    Decision.CHANGE: "C",
    Decision.DISMISS: "X",
}


@dataclass(frozen=True)
class Choice:
    """One thing to decide: what is sent, its key, and what it means here in one line and one beneath."""

    value: str
    title: str
    words: str = ""

    @property
    def cap(self) -> str:
        return KEY_CAPS[Decision(self.value)]


def choices(assessment: Assessment | None, listed: Sequence[str] | None) -> list[Choice]:
    """What may be decided of an answer that lists ``listed``, likeliest first (None: that counts for nothing)."""
    impression = assessment.impression if assessment else None
    return [*_about_the_impression(assessment, impression, listed), *_others(impression, listed)]


def _about_the_impression(
    assessment: Assessment | None, impression: Diagnosis | None, listed: Sequence[str] | None
) -> list[Choice]:
    if impression is None:
        if listed:
            return [
                Choice(Decision.TAKE, _("Take the model's: %(name)s") % {"name": spoken.disease(listed[0])})
            ]
        if listed is not None:
            return [Choice(Decision.AGREE, _("Agree: none of the 12"), _("as the model says"))]
        return []
    name = {"name": spoken.diagnosis(impression)}
    if agrees(assessment, None if listed is None else list(listed)):
        words = _("the model lists it first") if listed else _("none of the 12, as the model says")
        return [Choice(Decision.AGREE, _("Agree: %(name)s") % name, words)]
    mine = Choice(Decision.KEEP, _("Keep mine: %(name)s") % name, _of_the_model(impression, listed))
    if not listed or impression.disease == listed[0]:
        return [mine]
    return [
        mine,
        Choice(Decision.TAKE, _("Take the model's: %(name)s") % {"name": spoken.disease(listed[0])}),
    ]


def _others(impression: Diagnosis | None, listed: Sequence[str] | None) -> list[Choice]:
    other = Choice(Decision.CHANGE, _("Something else"), _("name the diagnosis"))
    if impression is not None:
        return [other]
    return [other, Choice(Decision.DISMISS, _("Set the model aside"), _("without naming a diagnosis"))]


def _of_the_model(diagnosis: Diagnosis, listed: Sequence[str] | None) -> str:
    if listed is None:
        return _("the model gives no answer that counts here")
    if diagnosis.disease in listed:
        return _("the model lists it, but %(first)s first") % {"first": spoken.disease(listed[0])}
    if not listed:
        return _("the model lists none of the 12")
    return _("the model lists %(names)s") % {"names": spoken.diseases(listed)}


def told(row: Assessment) -> str:
    """A decision in one line: what was decided, the diagnosis kept, and what the model had listed."""
    has_taken = row.decision == Decision.CHANGE and row.agreement == agreement.FIRST
    words = str(Decision.TAKE.label if has_taken else row.get_decision_display())
    if row.conclusion:
        words += f": {spoken.diagnosis(row.conclusion)}"
        if row.conclusion_id != row.impression_id and (also := row.conclusion.also_said):
            words += f"; {also}"
    if beside := beside_the_model(row):
        words += f" ({beside})"
    return words


def beside_the_model(row: Assessment) -> str:
    """How the diagnosis kept stands to what the model listed then; "" where nothing is compared."""
    listed = row.model_listed
    if row.agreement == agreement.NOT_COMPARED or listed is None:
        return ""
    if row.agreement == agreement.FIRST:
        return _("the model lists it first")
    if row.agreement == agreement.NONE_OF_THEM:
        return _("the model lists none of the 12")
    return _of_the_model(row.conclusion, listed) if row.conclusion else ""
