"""A lesion from visit to visit, as one person may see it: what reports and letters are written from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from classifier.models import Analysis, Assessment
from skinclinic.models import (
    Biopsy,
    Diagnosis,
    FollowUp,
    Lesion,
    Member,
    Note,
    Photo,
    PhotoDecision,
    Symptoms,
    User,
)
from skinclinic.services import photo_answers, visit_records, visits, worklist
from skinclinic.services.photo_answers import PhotoTold


@dataclass(frozen=True)
class Visit:
    """One day: photos in the order they were taken, what people decided at them (the own first), what was recorded."""

    day: date
    photos: list[Photo] = field(default_factory=list)
    decisions: list[PhotoDecision] = field(default_factory=list)
    # The own impressions of photos that nothing was decided at.
    impressions: list[Diagnosis] = field(default_factory=list)
    symptoms: Symptoms | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """As ``user`` may see it. ``told``: the model's answer by photo, ``models``: whose it is. ``hides``: colleagues'
    diagnoses or notes wait for the own impression."""

    user: User
    lesion: Lesion
    visits: list[Visit]
    told: dict[int, PhotoTold]
    models: dict[int, str]
    proof: Diagnosis | None
    follow_up: FollowUp | None
    biopsy: Biopsy | None
    hides: bool

    @property
    def last_photo_on(self) -> date | None:
        return next((visit.day for visit in reversed(self.visits) if visit.photos), None)

    @property
    def own(self) -> Diagnosis | None:
        """What the person has said last of the lesion."""
        for visit in reversed(self.visits):
            decided = (one.diagnosis for one in visit.decisions if one.user_id == self.user.pk)
            if said := next((one for one in (*decided, *visit.impressions) if one), None):
                return said
        return None


def story_of(user: User, member: Member, lesion: Lesion) -> Story:
    """Oldest visit first."""
    photos = sorted(lesion.photos.all(), key=lambda photo: (photo.captured_at or photo.created_at, photo.pk))
    rows = PhotoDecision.objects.filter(photo__lesion=lesion).select_related("user", "diagnosis", "photo")
    decisions = sorted(rows, key=lambda row: (row.user_id != user.pk, -row.decided_at.timestamp()))
    may_see = worklist.answers_are_open(member) or any(row.user_id == user.pk for row in decisions)
    notes = list(lesion.notes.filter(is_taken_back=False).select_related("created_by").order_by("created_at"))
    waits = visit_records.keeps_notes_back(user, member, [lesion.told_by_id])
    shown = [note for note in notes if not waits or note.created_by_id == user.pk]
    found: dict[date, Visit] = {}
    of_photo = {photo.pk: visits.day_of(photo.captured_at, photo.created_at) for photo in photos}

    def at(day: date) -> Visit:
        return found.setdefault(day, Visit(day))

    for photo in photos:
        at(of_photo[photo.pk]).photos.append(photo)
    for row in decisions:
        if may_see or row.user_id == user.pk:
            at(of_photo[row.photo_id]).decisions.append(row)
    for photo_id, impression in _undecided(user, photos, decisions):
        at(of_photo[photo_id]).impressions.append(impression)
    for symptoms in lesion.symptoms.all():
        found[symptoms.visit_on] = _with_symptoms(at(symptoms.visit_on), symptoms)
    for note in shown:
        if note.visit_on:
            at(note.visit_on).notes.append(note)
    return Story(
        user=user,
        lesion=lesion,
        visits=[found[day] for day in sorted(found)],
        told=photo_answers.told(user, member, photos) if photos else {},
        models=_models(photos),
        proof=lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first(),
        follow_up=lesion.follow_ups.filter(ended_at=None).first(),
        biopsy=lesion.biopsies.filter(ended_at=None).select_related("taken_by").first(),
        hides=(bool(decisions) and not may_see) or len(shown) < len(notes),
    )


def _with_symptoms(visit: Visit, symptoms: Symptoms) -> Visit:
    return Visit(visit.day, visit.photos, visit.decisions, visit.impressions, symptoms, visit.notes)


def _undecided(
    user: User, photos: Sequence[Photo], decisions: Sequence[PhotoDecision]
) -> list[tuple[int, Diagnosis]]:
    decided = {row.photo_id for row in decisions if row.user_id == user.pk}
    rows = Assessment.objects.filter(user=user, analysis__photo__in=photos, impression__isnull=False)
    rows = rows.exclude(analysis__photo__in=decided).select_related("impression", "analysis")
    found = {row.analysis.photo_id: row.impression for row in rows.order_by("pk") if row.impression}
    return [(pk, said) for pk, said in found.items() if said.withdrawn_at is None]


def _models(photos: Sequence[Photo]) -> dict[int, str]:
    """Which model gave the answer that stands, by photo."""
    boxes = {photo.pk: photo.box for photo in photos}
    rows = Analysis.objects.filter(photo__in=photos, job__isnull=False, scores__isnull=False)
    found = {}
    for row in rows.select_related("model_version").order_by("pk"):
        if row.box == boxes[row.photo_id]:
            found[row.photo_id] = row.model_version.name
    return found
