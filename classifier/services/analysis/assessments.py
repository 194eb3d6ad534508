"""A clinician's own impression, the moment the model's answer was shown, and the decision after it.

Where the clinic asks for the own impression first, everything that shows scores, heatmaps or a top disease
must ask ``may_see_answer`` (one analysis) or ``hidden_photo_ids`` (a page of photos).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from classifier.metrics import agreement
from classifier.models import Analysis, Assessment, ThresholdSet
from classifier.models.assessment import meant
from classifier.services.analysis.case_decisions import tell_worklist
from skinclinic.kept_queries import kept
from skinclinic.models import Diagnosis, Member, Photo, User
from skinclinic.services import cases, diagnoses
from skinclinic.vocabulary import spoken
from skinclinic.vocabulary.ranked import Differential

# The impression was recorded or skipped, or (where none is asked for) the answer has been seen.
_OPENED = Q(impression__isnull=False) | Q(skipped_impression=True) | Q(shown_at__isnull=False)


@dataclass(frozen=True)
class Named:
    """What a clinician calls a lesion: one of the 12, or another diagnosis by ICD-10 code or in words."""

    disease: str = ""
    icd10: str = ""
    text: str = ""
    differential: Differential = diagnoses.NOTHING_ELSE

    @property
    def also_said(self) -> str:
        """As ``Diagnosis.also_said``."""
        return self.differential.said

    @property
    def said(self) -> str:
        """As ``Diagnosis.said``."""
        return spoken.text(self)

    def same_as(self, diagnosis: Diagnosis | None) -> bool:
        """Whether it says the same: the diagnosis and what else it may be."""
        return self.names(diagnosis) and diagnosis is not None and self.differential == diagnosis.ranked

    def names(self, diagnosis: Diagnosis | None) -> bool:
        """Whether it is the same diagnosis."""
        if diagnosis is None:
            return False
        if self.disease or diagnosis.disease:
            return self.disease == diagnosis.disease and self.text == diagnosis.text
        return (self.icd10, self.text) == (diagnosis.icd10, diagnosis.text)


class Conflict(Exception):
    """Something else is already recorded (in another tab, say). Nothing was changed."""

    def __init__(self, assessment: Assessment):
        super().__init__("already recorded")
        self.assessment = assessment


class NotAChange(ValueError):
    """A changed diagnosis must differ from the impression."""


class NotPossible(ValueError):
    """The decision says what is not so: to agree with a model that lists something else, to keep an impression
    that was never given, or to take an answer where there is none."""


def wants_impression(member: Member) -> bool:
    """Whether this member is asked for an impression before the model's answer."""
    return member.clinic.impression_first and member.can_edit


def may_see_answer(user: User, member: Member, analysis: Analysis) -> bool:
    """Whether the model's answer to this analysis may be sent to this member of its clinic.

    The impression is of the photo: once given or skipped, analyses of other crops are open as well.
    """
    return not hidden_photo_ids(user, member, [analysis.photo_id])


def hidden_photo_ids(user: User, member: Member, photos: Iterable[Photo | int]) -> set[int]:
    """Those of ``photos`` (rows or ids, of the member's clinic) whose answer must still be kept back.

    One query for any number of photos, none where no impression is asked for.
    """
    if not wants_impression(member):
        return set()
    wanted = {photo.pk if isinstance(photo, Photo) else photo for photo in photos}
    opened = Assessment.objects.filter(_OPENED, user=user, analysis__photo__in=wanted)
    return wanted - set(opened.values_list("analysis__photo", flat=True))


def of_photo(user: User, photo: Photo) -> list[Assessment]:
    """The person's assessments of every analysis of a photo, the latest decision first."""
    return _of_photo(user.pk, photo.pk)


@kept
def _of_photo(user: int, photo: int) -> QuerySet[Assessment]:
    rows = Assessment.objects.filter(user=user, analysis__photo=photo).select_related(
        "impression", "conclusion", "threshold_set", "user", "analysis__model_version"
    )
    return rows.order_by(F("decided_at").desc(nulls_last=True), "-id")


def of(user: User, analysis: Analysis) -> Assessment | None:
    """The person's assessment of this analysis."""
    return _rows(user, analysis).first()


def _stored(user: User, analysis: Analysis) -> Assessment:
    """The same, where there is one."""
    return _rows(user, analysis).get()


def _rows(user: User, analysis: Analysis) -> QuerySet[Assessment]:
    rows = Assessment.objects.filter(analysis=analysis, user=user)
    return rows.select_related("impression", "conclusion", "threshold_set", "user")


def colleagues(user: User, analysis: Analysis) -> list[Assessment]:
    """Other people's decisions, oldest first; to be shown to those who have made their own (or need not)."""
    return _decided(user.pk, analysis.pk)


@kept
def _decided(user: int, analysis: int) -> QuerySet[Assessment]:
    rows = Assessment.objects.filter(analysis=analysis).exclude(user=user).exclude(decision="")
    return rows.select_related("impression", "conclusion", "user").order_by("decided_at")


@transaction.atomic
def record_impression(user: User, analysis: Analysis, named: Named | None) -> Assessment:
    """Record the own impression, or (None) that it was skipped. The same again changes nothing.

    Raises Conflict when something else is recorded already: a first impression cannot be had twice.
    """
    row = _open_row(user, analysis)
    if row.impression_id or row.skipped_impression:
        if named.same_as(row.impression) if named else row.skipped_impression:
            return row
        raise Conflict(row)
    diagnosis = _record(analysis, user, named) if named else None
    open_still = Assessment.objects.filter(pk=row.pk, impression=None, skipped_impression=False)
    if not open_still.update(impression=diagnosis, skipped_impression=named is None):
        raise Conflict(_stored(user, analysis))  # the diagnosis just made goes with the transaction
    return _stored(user, analysis)


def note_shown(
    user: User,
    analysis: Analysis,
    row: Assessment | None,
    threshold_set: ThresholdSet | None,
    listed: list[str],
) -> Assessment:
    """Store that the answer was shown, when, with which thresholds and what it listed; the first time counts.

    ``row`` is the person's assessment of the analysis as it stands.
    """
    if row and row.shown_at:
        return row
    with transaction.atomic():
        row = row or _open_row(user, analysis)
        Assessment.objects.filter(pk=row.pk, shown_at=None).update(
            shown_at=timezone.now(), threshold_set=threshold_set, listed=listed
        )
    return _stored(user, analysis)


@transaction.atomic
def decide(
    user: User,
    analysis: Analysis,
    decision: str,
    *,
    named: Named | None = None,
    differential: Differential | None = None,
    comment: str = "",
    seen: str = "",
    threshold_set: ThresholdSet | None = None,
    listed: Iterable[str] = (),
) -> Assessment:
    """Record agree, keep, take, change (to ``named``) or dismiss, with the thresholds the answer was shown by.

    ``differential``: what else it may be, None for what the impression says. The diagnosis that is the first now does
    not stand further down as well.
    ``listed`` is what the model lists, likeliest first; without a ``threshold_set`` it lists nothing that counts.
    ``seen`` is the ``stand`` the person saw; Conflict is raised when the row has moved on since, NotAChange
    when the changed diagnosis is the impression, NotPossible when the decision says what is not so. The same
    decision again changes nothing. An earlier decision goes to the history.
    """
    row, listed = _open_row(user, analysis), list(listed)
    named = _conclusion(row, decision, named, listed if threshold_set else None)
    if differential is not None:
        named = _with(named, row.impression, differential)
    if row.decision == decision and row.comment == comment and _concludes(row, named):
        return row
    if stand(row) != seen:
        raise Conflict(row)
    conclusion = row.impression
    if named and not named.same_as(row.impression):
        conclusion = _record(analysis, user, named)
    return _move_on(
        row,
        decision=decision,
        decided_at=timezone.now(),
        conclusion=conclusion,
        comment=comment,
        threshold_set=threshold_set,
        listed=listed,
    )


@transaction.atomic
def undo(user: User, analysis: Analysis, *, seen: str) -> Assessment:
    """Take the decision back; it stays in the history. Raises Conflict when it has changed since."""
    row = _open_row(user, analysis)
    if not row.decision:
        return row
    if stand(row) != seen:
        raise Conflict(row)
    return _move_on(row, decision="", decided_at=None, conclusion=None, comment="")


def stand(row: Assessment | None) -> str:
    """What a form sends back to say which decision it was made against; "" for none."""
    return row.decided_at.isoformat() if row and row.decided_at else ""


def _open_row(user: User, analysis: Analysis) -> Assessment:
    """The person's row, made if needed; a new one takes over the impression of the same photo. Its lesion is held
    until the end of the transaction: the one the photo lies in now, which somebody may have filed meanwhile."""
    # A diagnosis that a decision replaces may have stayed at the lesion the photo was moved from.
    said = Diagnosis.objects.filter(pk__in=_rows(user, analysis).values("conclusion"))
    cases.hold_lesion_of(analysis.photo, also=said.values_list("lesion", flat=True))
    if row := of(user, analysis):
        return row
    before = Assessment.objects.filter(user=user, analysis__photo=analysis.photo_id).order_by("id").first()
    Assessment.objects.get_or_create(
        analysis=analysis,
        user=user,
        defaults={
            "clinic": analysis.clinic,
            "impression": before.impression if before else None,
            "skipped_impression": before.skipped_impression if before else False,
        },
    )
    return _stored(user, analysis)


def _record(analysis: Analysis, user: User, named: Named) -> Diagnosis:
    return diagnoses.record(
        lesion=analysis.photo.lesion,
        user=user,
        kind=Diagnosis.Kind.IMPRESSION,
        disease=named.disease,
        icd10=named.icd10,
        text=named.text,
        differential=named.differential,
    )


def _conclusion(
    row: Assessment, decision: str, named: Named | None, listed: list[str] | None
) -> Named | None:
    """What the decision calls the lesion, unless that is simply the impression."""
    choices = Assessment.Decision
    if decision == choices.CHANGE:
        if named is None or named.names(row.impression):
            raise NotAChange
        return named
    if (decision == choices.TAKE and not listed) or (decision == choices.KEEP and row.impression is None):
        raise NotPossible
    if decision == choices.AGREE and not agrees(row, listed):
        raise NotPossible
    if listed and (decision == choices.TAKE or (decision == choices.AGREE and row.impression is None)):
        return Named(disease=listed[0])
    return None


def _with(named: Named | None, impression: Diagnosis | None, differential: Differential) -> Named | None:
    """What is concluded, with what else it may be."""
    if named is None and impression:
        named = Named(impression.disease, impression.icd10, impression.text)
    if named is None:
        if differential:
            raise NotPossible
        return None
    return replace(named, differential=differential.beside(named))


def agrees(row: Assessment | None, listed: list[str] | None) -> bool:
    """Whether the person may say to agree: the impression is what the model lists first, or neither names one
    of the 12. Who gave no impression may agree with whatever the model says."""
    if row is None or row.impression is None:
        return listed is not None
    return agreement.standing(meant(row.impression), listed) in agreement.AGREES


def _concludes(row: Assessment, named: Named | None) -> bool:
    return named.same_as(row.conclusion) if named else row.conclusion_id == row.impression_id


def _move_on(row: Assessment, **values) -> Assessment:
    """Write a new stand if nobody else has meanwhile, keeping the old decision in the history."""
    held = Assessment.objects.filter(pk=row.pk, decided_at=row.decided_at)
    if row.decision:
        values["earlier_decisions"] = [*row.earlier_decisions, _remember(row)]
    changed = held.update(**values)
    if not changed:
        raise Conflict(_stored(row.user, row.analysis))
    if row.conclusion and row.conclusion_id != row.impression_id:
        diagnoses.withdraw(row.conclusion, row.user)
    stored = _stored(row.user, row.analysis)
    tell_worklist(stored)
    return stored


def _remember(row: Assessment) -> dict:
    return {
        "decision": row.decision,
        "conclusion": row.conclusion_id,
        "comment": row.comment,
        "decided_at": stand(row),
        "agreement": row.agreement,
        "until": timezone.now().isoformat(),
    }
