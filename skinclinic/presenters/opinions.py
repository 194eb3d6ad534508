"""Second opinions as pages show them: to the clinic, and to whoever comes by a link."""

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.models import (
    Diagnosis,
    Lesion,
    Member,
    OpinionGiven,
    OpinionLook,
    PhotoDecision,
    SecondOpinion,
    User,
)
from skinclinic.services import cases, second_opinions
from skinclinic.services.patient_codes import without_codes
from skinclinic.services.patients import codes_of
from skinclinic.services.worklist import answers_are_open
from skinclinic.vocabulary import ages, listed, spoken
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.vocabulary.terms import AS_TYPED, LISTED, OTHER

Show = SecondOpinion.Show
# From this age on a range would name few people.
OLDEST = 90


@dataclass(frozen=True)
class Asked:
    """Somebody who was asked. ``decision``: of a member; ``answer`` and ``earlier``: of somebody outside."""

    opinion: SecondOpinion
    answer: OpinionGiven | None = None
    earlier: list[OpinionGiven] = field(default_factory=list)
    decision: PhotoDecision | None = None
    is_hidden: bool = False
    shows: list[str] = field(default_factory=list)
    looks: list[OpinionLook] = field(default_factory=list)
    photo_count: int = 0
    question: str = ""

    @property
    def has_answered(self) -> bool:
        return bool(self.answer or self.decision)


def panel_of(lesion: Lesion, member: Member, user: User) -> dict:
    """Everybody asked about the lesion. Where the own impression comes first, what they answered waits for this
    person's own decision, as colleagues' impressions do."""
    rows = list(second_opinions.of_lesion(lesion))
    decisions = {row.user_id: row for row in cases.latest_decisions([lesion.pk]).get(lesion.pk, [])}
    may_see = answers_are_open(member) or user.pk in decisions
    asked = [_asked(row, decisions, may_see, user) for row in rows]
    return {
        "lesion": lesion,
        "asked": asked,
        "can_edit": member.can_edit,
        "hides": any(one.is_hidden for one in asked),
        "outside_count": sum(1 for one in asked if one.answer),
    }


def _asked(row: SecondOpinion, decisions: dict[int, PhotoDecision], may_see: bool, user: User) -> Asked:
    given = list(row.given.all())
    decision = decisions.get(row.colleague_id) if row.colleague_id else None
    if decision and decision.decided_at < row.asked_at:
        decision = None
    labels = dict(Show.choices)
    # A question may tell what its author thinks.
    own = user.pk in (row.asked_by_id, row.colleague_id)
    return Asked(
        row,
        given[0] if given else None,
        given[1:],
        decision,
        bool(given or decision) and not may_see,
        [str(labels[key]) for key in row.shows if key in labels],
        [look for look in row.looks.all() if look.what != OpinionLook.What.PHOTO][:50],
        len(row.photos.all()),
        row.question if may_see or own else "",
    )


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


def facts_for(opinion: SecondOpinion) -> list[Fact]:
    """What the link tells from the beginning, without anything that names the patient."""
    lesion, patient = opinion.lesion, opinion.lesion.patient
    values: list[tuple[str, str, str]] = [
        (Show.AGE, _("Age"), _age_range(patient.birth_year) if patient else ""),
        (Show.SEX, _("Sex"), patient.get_sex_display() if patient else ""),
        (Show.SITE, _("Site"), lesion.get_site_display()),
        (Show.NOTE, _("Note"), without_codes(lesion.note, codes_of(patient))),
    ]
    return [Fact(label, str(value) or "–") for key, label, value in values if key in opinion.shows]


def more_for(opinion: SecondOpinion) -> list[Fact]:
    """What the link tells of people's diagnoses, once its own answer is given."""
    codes = codes_of(opinion.lesion.patient)
    found = []
    if Show.DIAGNOSIS in opinion.shows:
        said = _own_diagnosis(opinion)
        found.append(Fact(_("Diagnosis of %(name)s") % {"name": opinion.asked_by}, said or _("none yet")))
    if Show.PATHOLOGY in opinion.shows:
        proof = opinion.lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
        found.append(Fact(_("Pathology"), spoken.diagnosis(proof) if proof else _("none yet")))
    return [Fact(fact.label, without_codes(fact.value, codes)) for fact in found]


def filled_in(given: OpinionGiven | None) -> dict:
    """An answer as its form has it."""
    if given is None:
        return {}
    filled = {"nature": given.nature, "biopsy": given.biopsy, "comment": given.comment}
    language = get_language() or "en"
    if given.disease:
        name = BY_KEY[given.disease].name(language)
        return filled | {"diagnosis": given.disease, "diagnosis_typed": name}
    if entry := listed.recorded(given.icd10, given.text):
        return filled | {"diagnosis": LISTED + entry.key, "diagnosis_typed": entry.name(language)}
    if given.icd10:
        return filled | {"diagnosis": OTHER + given.icd10, "diagnosis_typed": given.icd10}
    return filled | {"diagnosis": AS_TYPED, "diagnosis_typed": given.text}


def question_of(opinion: SecondOpinion) -> str:
    """The question as it is sent out: the case may have been filed since, or its patient have another code."""
    return without_codes(opinion.question, codes_of(opinion.lesion.patient))


def _age_range(birth_year: int | None) -> str:
    if birth_year is None:
        return ""
    first = (timezone.localdate().year - birth_year) // 10 * 10
    return ages.name(OLDEST, ages.OLDEST) if first >= OLDEST else ages.name(max(first, 0), max(first, 0) + 9)


def _own_diagnosis(opinion: SecondOpinion) -> str:
    """What the person who asks has decided last, else their impression."""
    decisions = cases.latest_decisions([opinion.lesion_id]).get(opinion.lesion_id, [])
    own = next((row for row in decisions if row.user_id == opinion.asked_by_id), None)
    if own:
        return spoken.diagnosis(own.diagnosis) if own.diagnosis else _("the model set aside")
    rows = opinion.lesion.diagnoses.filter(
        kind=Diagnosis.Kind.IMPRESSION, withdrawn_at=None, created_by=opinion.asked_by
    )
    said = rows.first()
    return spoken.diagnosis(said) if said else ""
