"""What the pages of a lesion and of a result show of its plan: what stands, what can be undone, what was."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from skinclinic.kept_queries import kept
from skinclinic.models import Biopsy, FollowUp, Lesion, Member, RecordChange, User
from skinclinic.services import cases

Step = FollowUp | Biopsy
_UNDOABLE = (FollowUp.Ended.BY_HAND, FollowUp.Ended.BY_PHOTO)


@dataclass(frozen=True)
class Past:
    """A step of the history, with the endings that were taken back, oldest first."""

    step: Step
    is_biopsy: bool
    taken_back: list[dict]


def plan_of(lesion: Lesion, member: Member) -> dict:
    """``follow_up`` and ``biopsy`` stand; ``ended`` are the last that ended, which may be taken up again."""
    steps = _steps(lesion)
    people = User.objects.in_bulk(
        {by for step in steps for back in step.taken_back for by in (back["by"], back["back_by"]) if by}
    )
    standing = [step for step in steps if step.ended_at is None]
    follow_up = next((step for step in standing if isinstance(step, FollowUp)), None)
    today = timezone.localdate()
    return {
        "lesion": lesion,
        "can_edit": member.can_edit,
        "follow_up": follow_up,
        "is_overdue": follow_up is not None and follow_up.due_on < today,
        "is_due": follow_up is not None and follow_up.due_on == today,
        "biopsy": next((step for step in standing if isinstance(step, Biopsy)), None),
        "ended": [step for kind in (FollowUp, Biopsy) if (step := _last_ended(steps, kind))],
        "history": [_past(step, people) for step in steps],
        "assigned": _assigned(lesion),
        "people": cases.members_of(member.clinic) if member.can_edit else [],
        "today": today,
    }


def _assigned(lesion: Lesion) -> list[dict]:
    """Who was given the case by whom and when, the last first; what has been since the first change."""
    rows = _given(lesion.pk)
    people = User.objects.in_bulk({key for row in rows for key in row.fields["assignee"] if key})
    return [
        {"at": row.at, "by": row.by, "before": people.get(before), "now": people.get(now)}
        for row in rows
        for before, now in [row.fields["assignee"]]
    ]


def _steps(lesion: Lesion) -> list[Step]:
    steps: list[Step] = [*_follow_ups(lesion.pk), *_biopsies(lesion.pk)]
    for step in steps:
        step.lesion = lesion
    return sorted(steps, key=lambda step: step.created_at, reverse=True)


@kept
def _follow_ups(lesion: int) -> QuerySet[FollowUp]:
    return FollowUp.objects.filter(lesion=lesion).select_related("created_by", "ended_by")


@kept
def _biopsies(lesion: int) -> QuerySet[Biopsy]:
    return Biopsy.objects.filter(lesion=lesion).select_related("created_by", "ended_by", "taken_by")


@kept
def _given(lesion: int) -> QuerySet[RecordChange]:
    return RecordChange.objects.filter(lesion=lesion, fields__has_key="assignee").select_related("by")


def _last_ended(steps: list[Step], kind: type[Step]) -> Step | None:
    """The newest of its kind, if it ended in a way that can be taken back."""
    kept = (step for step in steps if isinstance(step, kind) and step.ended_how != FollowUp.Ended.UNDONE)
    newest = next(kept, None)
    return newest if newest and newest.ended_how in _UNDOABLE else None


def _past(step: Step, people: dict[int, User]) -> Past:
    labels = dict(FollowUp.Ended.choices)
    back = [
        {
            "label": labels.get(entry["how"], entry["how"]),
            "at": parse_datetime(entry["at"]) if entry["at"] else None,
            "by": people.get(entry["by"]),
            "back_at": parse_datetime(entry["back_at"]),
            "back_by": people.get(entry["back_by"]),
        }
        for entry in step.taken_back
    ]
    return Past(step, isinstance(step, Biopsy), back)
