"""Planning what comes next with a lesion: seen again by a day, a biopsy whose result is awaited; and taking it back.

A lesion has one open follow-up and one awaited biopsy at most; a new one replaces it. Nothing is removed.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.models import Biopsy, FollowUp, Lesion, Photo, User
from skinclinic.services import cases, visits
from skinclinic.services.lesions import on_photos_changed
from skinclinic.services.refused import Refused

Step = FollowUp | Biopsy
S = TypeVar("S", FollowUp, Biopsy)
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
    return _plan(FollowUp, lesion, user, due_on=due_on, note=note)


@transaction.atomic
def await_biopsy(
    lesion: Lesion, user: User, taken_on: date, *, taken_by: User | None = None, note: str = ""
) -> Biopsy:
    """Mark that a biopsy was taken and its result is awaited. The same again changes nothing. Raises Refused."""
    if taken_on > timezone.localdate():
        raise Refused("taken_on", _("This date is in the future."))
    return _plan(Biopsy, lesion, user, taken_on=taken_on, taken_by=taken_by or user, note=note)


def _plan(kind: type[S], lesion: Lesion, user: User, **said: Any) -> S:
    """Let this stand in place of what was planned; the same again changes nothing."""
    _lock(lesion)
    standing = kind._default_manager.filter(lesion=lesion, ended_at=None).first()
    if standing and all(getattr(standing, name) == value for name, value in said.items()):
        return standing
    _replace(standing, user)
    made = kind._default_manager.create(
        clinic_id=lesion.clinic_id, lesion=lesion, created_by=user, replaces=standing, **said
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
    """A new photo of the lesion is what a follow-up waits for: one of a later visit than it was planned at. Where that
    photo is gone (deleted, filed elsewhere, of another day), the follow-up stands again."""
    last: dict[int, FollowUp] = {}
    rows = FollowUp.objects.filter(lesion__in=set(lesion_ids)).exclude(ended_how=Ended.UNDONE)
    for step in rows.select_related("lesion").order_by("ended_at", "-created_at", "-id"):
        known = last.setdefault(step.lesion_id, step)
        if step.ended_at is None or (known.ended_at and step.ended_at > known.ended_at):
            last[step.lesion_id] = step
    for step in last.values():
        if step.ended_how not in ("", Ended.BY_PHOTO):
            continue
        photo = _seen_again_on(step)
        if photo and step.ended_at is None:
            _end(step, photo.uploaded_by, Ended.BY_PHOTO)
        elif photo is None and step.ended_at:
            cases.reopen(step, None)
        else:
            continue
        cases.refresh(step.lesion)


def _seen_again_on(step: FollowUp) -> Photo | None:
    """The newest photo for which the follow-up need not wait any more."""
    photos = Photo.objects.filter(lesion=step.lesion_id, created_at__gt=step.created_at)
    for photo in photos.select_related("uploaded_by").order_by("-created_at", "-id"):
        if visits.day_of(photo.captured_at, photo.created_at) > _planned_on(step) and not _goes_on_after(
            step, photo
        ):
            return photo
    return None


def _goes_on_after(step: FollowUp, photo: Photo) -> bool:
    """Whether somebody has said since the photo came that the wait goes on."""
    taken_back = (one for one in step.taken_back if one["how"] == Ended.BY_PHOTO and one["back_by"])
    return any(datetime.fromisoformat(one["back_at"]) > photo.created_at for one in taken_back)


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


def places(lesions: Iterable[int]) -> dict[str, Any]:
    """Which lesion each step belongs to and which stand, for ``put_back``: {"followup": {key: lesion}, "standing":
    {"followup": [keys]}}, plain JSON."""
    wanted = list(lesions)
    found: dict[str, Any] = {"standing": {}}
    for kind in (FollowUp, Biopsy):
        rows = list(kind._default_manager.filter(lesion__in=wanted).values_list("pk", "lesion", "ended_at"))
        name = kind._meta.model_name or ""
        found[name] = {str(pk): lesion for pk, lesion, _ended in rows}
        found["standing"][name] = [pk for pk, _lesion, ended in rows if ended is None]
    return found


def put_back(before: dict[str, Any], lesions: dict[int, Lesion]) -> None:
    """Give each step back to its lesion, by the key it had; one that had to give way to another there stands again."""
    for kind in (FollowUp, Biopsy):
        name = kind._meta.model_name or ""
        for pk, lesion in before.get(name, {}).items():
            kind._default_manager.filter(pk=pk).update(lesion=lesions[lesion])
        gave_way = kind._default_manager.filter(
            pk__in=before.get("standing", {}).get(name, []), ended_how=Ended.REPLACED, ended_by=None
        )
        for step in gave_way.select_related("lesion"):
            if not kind._default_manager.filter(lesion=step.lesion_id, ended_at=None).exists():
                cases.reopen(step, None)


def _lock(lesion: Lesion) -> None:
    cases.hold(Lesion.objects.filter(pk=lesion.pk)).get()


def _replace(standing: Step | None, user: User) -> None:
    if standing:
        _end(standing, user, Ended.REPLACED)


def _end(step: Step, user: User | None, how: str) -> None:
    step.ended_at, step.ended_by, step.ended_how = timezone.now(), user, how
    step.save(update_fields=["ended_at", "ended_by", "ended_how"])


def _planned_on(step: FollowUp) -> date:
    return timezone.localtime(step.created_at).date()
