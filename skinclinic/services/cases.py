"""Where a case stands: what is decided, what is awaited, what is due. The lesion carries the sum for the worklist.

A case is to be decided until somebody decides it at a photo of its last visit or its pathology is recorded, and again
from every new photo on, so that no suspicion is lost between visits.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from skinclinic.kept_queries import kept
from skinclinic.models import (
    Biopsy,
    Call,
    Clinic,
    Diagnosis,
    FollowUp,
    Lesion,
    Member,
    Photo,
    PhotoDecision,
    RecordChange,
    User,
)
from skinclinic.models.plan import Step
from skinclinic.services import visits
from skinclinic.vocabulary import listed
from skinclinic.vocabulary.diseases import MALIGNANT_KEYS

# ICD-10: malignant neoplasms (C00–C97) and those in situ (D00–D09).
_MALIGNANT_CODES = ("C", "D0")
Ended = FollowUp.Ended


class NotAMember(ValueError):
    """A case can be given to an active member of its clinic only."""


def is_malignant(diagnosis: Diagnosis | None) -> bool:
    """Whether it names something malignant: one of the 12, or by its ICD-10 code, or what the list says of
    one without. Own words alone do not say."""
    if diagnosis is None:
        return False
    if diagnosis.disease:
        return diagnosis.disease in MALIGNANT_KEYS
    if not diagnosis.icd10 and (entry := listed.recorded("", diagnosis.text)):
        return entry.form_of in MALIGNANT_KEYS
    return diagnosis.icd10.startswith(_MALIGNANT_CODES)


def hold(lesions: QuerySet[Lesion], *, to_remove: bool = False) -> QuerySet[Lesion]:
    """Lock them until the end of the transaction, against whoever else changes something of them.

    The order that keeps people from waiting for one another in a circle: lesions by key, before anything is written of
    their photos, analyses, decisions and plans. ``to_remove``: against photos that are being stored, too.
    """
    return lesions.select_for_update(of=("self",), no_key=not to_remove)


def hold_one(lesion: Lesion) -> None:
    """Lock one lesion until the end of the transaction."""
    list(hold(Lesion.objects.filter(pk=lesion.pk)).values_list("pk"))


def hold_lesion_of(photo: Photo, *, to_remove: bool = False, also: Iterable[int] = ()) -> Lesion | None:
    """Lock the lesion in which the photo lies now, whatever was read before, and let the photo know it; None where the
    photo is gone. ``also``: other lesions that are written to."""
    rows, others = Photo.objects.filter(pk=photo.pk), set(also)
    while (key := rows.values_list("lesion", flat=True).first()) is not None:
        before = transaction.savepoint()
        found = hold(Lesion.objects.filter(pk__in={key, *others}).order_by("pk"), to_remove=to_remove)
        held = {one.pk: one for one in found}.get(key)
        if held and rows.filter(lesion=key).exists():
            transaction.savepoint_commit(before)
            photo.lesion = held
            return held
        # It was filed elsewhere while this waited: the lock is given back before the next is taken.
        transaction.savepoint_rollback(before)
    return None


def hold_lesions_of(photos: Iterable[Photo]) -> None:
    """The same for several photos, which then know the lesions they lie in now; those that are gone are passed over."""
    by_key = {photo.pk: photo for photo in photos}
    rows = Photo.objects.filter(pk__in=by_key)
    while True:
        now = dict(rows.values_list("pk", "lesion"))
        before = transaction.savepoint()
        held = {row.pk: row for row in hold(Lesion.objects.filter(pk__in=now.values()).order_by("pk"))}
        if dict(rows.values_list("pk", "lesion")) == now:
            break
        transaction.savepoint_rollback(before)
    transaction.savepoint_commit(before)
    for pk, lesion in now.items():
        by_key[pk].lesion = held[lesion]


@transaction.atomic
def refresh(lesion: Lesion) -> None:
    """Bring the sum up to date, and end or take up the wait for a biopsy with the pathology."""
    # Two people may decide the same case at once: the later sum must see both decisions.
    held = hold(Lesion.objects.select_related("cover").filter(pk=lesion.pk)).first()
    if held is None or held.is_archived:
        return
    proof = held.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
    _settle_biopsy(held, proof)
    decisions = _decisions([held.pk])
    latest = _last_of_each(decisions)
    biopsy = held.biopsies.filter(ended_at=None).first()
    follow_up = held.follow_ups.filter(ended_at=None).first()
    settled_at = _settled_at(held, decisions, proof)
    malignant = max((row.decided_at for row in latest if row.is_malignant), default=None)
    values = {
        "to_decide": settled_at is None,
        "settled_at": settled_at,
        "disagrees": any(row.disagrees for row in latest),
        "is_unplanned": bool(malignant and not (proof or biopsy or follow_up or _closed(held, malignant))),
        "biopsy_on": biopsy.taken_on if biopsy else None,
        "follow_up_on": follow_up.due_on if follow_up else None,
    }
    # Only what is computed here: a worker may be writing the other fields at this moment.
    Lesion.objects.filter(pk=held.pk).update(**values)
    for name, value in values.items():
        setattr(lesion, name, value)


def latest_decisions(lesions: Iterable[int]) -> dict[int, list[PhotoDecision]]:
    """What each person has decided last at each of the lesions, newest first. One query for any number."""
    by_lesion: dict[int, list[PhotoDecision]] = {}
    for row in _decisions(list(lesions)):
        by_lesion.setdefault(row.photo.lesion_id, []).append(row)
    return {lesion: _last_of_each(rows) for lesion, rows in by_lesion.items()}


@transaction.atomic
def note_decision(
    photo: Photo, user: User, *, diagnosis: Diagnosis | None, decided_at: datetime, disagrees: bool
) -> None:
    """Keep what the person has decided at the photo, in place of what they said before."""
    hold_lesion_of(photo)
    PhotoDecision.objects.update_or_create(
        photo=photo,
        user=user,
        defaults={
            "clinic_id": photo.clinic_id,
            "diagnosis": diagnosis,
            "decided_at": decided_at,
            "is_malignant": is_malignant(diagnosis),
            "disagrees": disagrees,
        },
    )
    # Who was asked for an opinion has given it.
    Call.objects.filter(lesion=photo.lesion_id, user=user, why=Call.Why.OPINION, done_at=None).update(
        done_at=timezone.now()
    )
    refresh(photo.lesion)


@transaction.atomic
def forget_decision(photo: Photo, user: User) -> None:
    """The person has taken the decision back, and no earlier one stands."""
    hold_lesion_of(photo)
    PhotoDecision.objects.filter(photo=photo, user=user).delete()
    refresh(photo.lesion)


def deciders(clinic_id: int) -> QuerySet[Member]:
    """The members of a clinic who may decide its cases, and so be given one; by user name."""
    members = Member.objects.filter(
        clinic=clinic_id, is_active=True, role__in=Member.EDITING_ROLES, user__service_of=None
    )
    return members.select_related("user").order_by("user__username")


_deciders = kept(deciders)


def members_of(clinic: Clinic) -> list[User]:
    """Who may be given a case."""
    return [member.user for member in _deciders(clinic.pk)]


@transaction.atomic
def assign(lesion: Lesion, person: User | None, by: User | None = None) -> None:
    """Give the case to a member of its clinic, or to nobody, and keep who had it. Raises NotAMember."""
    if person is not None and not deciders(lesion.clinic_id).filter(user=person).exists():
        raise NotAMember
    before = hold(Lesion.objects.filter(pk=lesion.pk)).values_list("assignee", flat=True).get()
    key = person.pk if person else None
    if before != key:
        Lesion.objects.filter(pk=lesion.pk).update(assignee=person)
        RecordChange.objects.create(
            clinic_id=lesion.clinic_id, lesion=lesion, by=by, fields={"assignee": [before, key]}
        )
    lesion.assignee = person


@kept
def _decisions(lesions: list[int]) -> QuerySet[PhotoDecision]:
    rows = PhotoDecision.objects.filter(photo__lesion__in=lesions)
    return rows.select_related("photo", "user", "diagnosis").order_by("-decided_at", "-id")


def _last_of_each(rows: Iterable[PhotoDecision]) -> list[PhotoDecision]:
    """The newest of each person; the rows come newest first."""
    by_person: dict[int, PhotoDecision] = {}
    for row in rows:
        by_person.setdefault(row.user_id, row)
    return list(by_person.values())


def _settled_at(lesion: Lesion, decisions: list[PhotoDecision], proof: Diagnosis | None) -> datetime | None:
    """When a decision at the last visit, or the pathology, has settled the case; None while neither has.

    Only a decision made after the newest photo was stored can have known it, and only one at a photo of the last visit
    (or of the newest photo's, whose clock may be behind) is about it. A photo of an earlier visit that is filed here
    later leaves the decision at the last one. What the pathology proved on the day a photo was stored, it proved of it.
    """
    cover = lesion.cover
    if cover is None:
        return proof.created_at if proof else None
    days = [visits.day_of(*taken) for taken in lesion.photos.values_list("captured_at", "created_at")]
    asked = {max(days), _day_of(cover)}
    moments = [
        row.decided_at
        for row in decisions
        if row.decided_at >= cover.created_at and _day_of(row.photo) in asked
    ]
    if proof and timezone.localdate(proof.created_at) >= timezone.localdate(cover.created_at):
        moments.append(proof.created_at)
    return max(moments, default=None)


def _day_of(photo: Photo) -> date:
    return visits.day_of(photo.captured_at, photo.created_at)


def _closed(lesion: Lesion, malignant: datetime) -> bool:
    """Whether somebody has said by hand, after the decision, that what was planned is done."""
    by_hand = Q(ended_how=Ended.BY_HAND, ended_at__gt=malignant)
    return lesion.follow_ups.filter(by_hand).exists() or lesion.biopsies.filter(by_hand).exists()


def _settle_biopsy(lesion: Lesion, proof: Diagnosis | None) -> None:
    """The pathology ends the wait for a biopsy's result; where it is withdrawn, the wait goes on."""
    if proof:
        lesion.biopsies.filter(ended_at=None, created_at__lt=proof.created_at).update(
            ended_at=timezone.now(), ended_by=proof.created_by, ended_how=Ended.BY_PATHOLOGY
        )
    elif not lesion.biopsies.filter(ended_at=None).exists():
        last: Biopsy | None = lesion.biopsies.exclude(ended_how=Ended.UNDONE).first()
        if last and last.ended_how == Ended.BY_PATHOLOGY:
            reopen(last, None)


def reopen(step: Step, user: User | None) -> None:
    """Let an ended step stand again; how it had been ended is kept."""
    ended = {
        "how": step.ended_how,
        "at": step.ended_at.isoformat() if step.ended_at else "",
        "by": step.ended_by_id,
        "back_at": timezone.now().isoformat(),
        "back_by": user.pk if user else None,
    }
    step.taken_back = [*step.taken_back, ended]
    step.ended_at, step.ended_by, step.ended_how = None, None, ""
    step.save(update_fields=["taken_back", "ended_at", "ended_by", "ended_how"])
