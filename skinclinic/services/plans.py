"""Planning what comes next with a lesion: seen again by a day, a biopsy whose result is awaited; and taking it back.

A lesion has one open follow-up and one awaited biopsy at most; a new one replaces it. Nothing is removed.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.models import Biopsy, FollowUp, Lesion, Photo, User
from skinclinic.services import cases
from skinclinic.services.lesions import on_photos_changed
from skinclinic.services.refused import Refused

Step = FollowUp | Biopsy
Ended = FollowUp.Ended
# A due day lies at most so far away.
FURTHEST = timedelta(days=3653)


@transaction.atomic
def see_again(lesion: Lesion, user: User, due_on: date, note: str = "") -> FollowUp:
    """Plan that the lesion is seen again by a day. The same again (a double click) changes nothing. Raises Refused."""
    today = timezone.localdate()
    if due_on <= today:
        raise Refused("due_on", _("A follow-up is due in the future. Choose a later day."))
    if due_on > today + FURTHEST:
        raise Refused("due_on", _("This day is more than ten years away. Choose an earlier one."))
    _lock(lesion)
    standing = lesion.follow_ups.filter(ended_at=None).first()
    if standing and (standing.due_on, standing.note) == (due_on, note):
        return standing
    _replace(standing, user)
    made = FollowUp.objects.create(
        clinic_id=lesion.clinic_id,
        lesion=lesion,
        created_by=user,
        replaces=standing,
        due_on=due_on,
        note=note,
    )
    cases.refresh(lesion)
    return made


@transaction.atomic
def await_biopsy(
    lesion: Lesion, user: User, taken_on: date, *, taken_by: User | None = None, note: str = ""
) -> Biopsy:
    """Mark that a biopsy was taken and its result is awaited. The same again changes nothing. Raises Refused."""
    if taken_on > timezone.localdate():
        raise Refused("taken_on", _("This date is in the future."))
    _lock(lesion)
    taker = taken_by or user
    standing = lesion.biopsies.filter(ended_at=None).first()
    if standing and (standing.taken_on, standing.taken_by_id, standing.note) == (taken_on, taker.pk, note):
        return standing
    _replace(standing, user)
    made = Biopsy.objects.create(
        clinic_id=lesion.clinic_id,
        lesion=lesion,
        created_by=user,
        replaces=standing,
        taken_on=taken_on,
        taken_by=taker,
        note=note,
    )
    cases.refresh(lesion)
    return made


@transaction.atomic
def finish(step: Step, user: User) -> None:
    """Mark the step as done by hand. Raises Refused for one that has ended already."""
    _lock(step.lesion)
    step.refresh_from_db()
    if step.ended_at:
        raise Refused("", _("This has ended already. Reload the page to see how."))
    _end(step, user, Ended.BY_HAND)
    cases.refresh(step.lesion)


@transaction.atomic
def undo(step: Step, user: User) -> None:
    """Take back the last thing that happened to the step: its planning, or its end. What it had replaced stands again.

    Raises Refused where something newer stands in its place.
    """
    _lock(step.lesion)
    step.refresh_from_db()
    others = type(step)._default_manager.filter(lesion=step.lesion).exclude(pk=step.pk)
    if step.ended_at is None:
        _end(step, user, Ended.UNDONE)
        if step.replaces and step.replaces.ended_how == Ended.REPLACED:
            cases.reopen(step.replaces, user)
    elif step.ended_how in (Ended.BY_HAND, Ended.BY_PHOTO) and not others.filter(ended_at=None).exists():
        cases.reopen(step, user)
    else:
        raise Refused("", _("Something newer stands in its place, so it was not undone."))
    cases.refresh(step.lesion)


@on_photos_changed
def end_by_photo(lesion_ids: Iterable[int]) -> None:
    """A new photo of the lesion is what a follow-up waits for: one taken on a later day than it was planned on."""
    waiting = FollowUp.objects.filter(lesion__in=set(lesion_ids), ended_at=None)
    for step in waiting.select_related("lesion__cover__uploaded_by"):
        photo = step.lesion.cover
        if photo is None or photo.created_at <= step.created_at or _day_of(photo) <= _planned_on(step):
            continue
        if not _goes_on_after(step, photo):
            _end(step, photo.uploaded_by, Ended.BY_PHOTO)
            cases.refresh(step.lesion)


def _goes_on_after(step: FollowUp, photo: Photo) -> bool:
    """Whether somebody has said since the photo came that the wait goes on."""
    taken_back = (one["back_at"] for one in step.taken_back if one["how"] == Ended.BY_PHOTO)
    return any(datetime.fromisoformat(moment) > photo.created_at for moment in taken_back)


def hand_over(source: Lesion, home: Lesion) -> None:
    """Let ``home``, into which the photos of ``source`` went, take over what was planned there."""
    for kind in (FollowUp, Biopsy):
        rows = kind._default_manager.filter(lesion=source)
        if kind._default_manager.filter(lesion=home, ended_at=None).exists():
            rows.filter(ended_at=None).update(ended_at=timezone.now(), ended_how=Ended.REPLACED)
        rows.update(lesion=home)
    if source.assignee_id and not home.assignee_id:
        Lesion.objects.filter(pk=home.pk).update(assignee=source.assignee_id)


def any_of(lesion: Lesion) -> bool:
    """Whether anything was ever planned with the lesion."""
    return lesion.follow_ups.exists() or lesion.biopsies.exists()


def places(lesions: Iterable[int]) -> dict[str, dict[str, int]]:
    """Which lesion each step belongs to, for ``put_back``: {"followup": {key: lesion}}, plain JSON."""
    wanted = list(lesions)
    return {
        kind._meta.model_name or "": {
            str(pk): lesion
            for pk, lesion in kind._default_manager.filter(lesion__in=wanted).values_list("pk", "lesion")
        }
        for kind in (FollowUp, Biopsy)
    }


def put_back(before: dict[str, dict[str, int]], lesions: dict[int, Lesion]) -> None:
    """Give each step back to its lesion, by the key it had."""
    for kind in (FollowUp, Biopsy):
        for pk, lesion in before.get(kind._meta.model_name or "", {}).items():
            kind._default_manager.filter(pk=pk).update(lesion=lesions[lesion])


def _lock(lesion: Lesion) -> None:
    Lesion.objects.select_for_update().get(pk=lesion.pk)


def _replace(standing: Step | None, user: User) -> None:
    if standing:
        _end(standing, user, Ended.REPLACED)


def _end(step: Step, user: User | None, how: str) -> None:
    step.ended_at, step.ended_by, step.ended_how = timezone.now(), user, how
    step.save(update_fields=["ended_at", "ended_by", "ended_how"])


def _day_of(photo: Photo) -> date:
    return timezone.localtime(photo.captured_at or photo.created_at).date()


def _planned_on(step: FollowUp) -> date:
    return timezone.localtime(step.created_at).date()
