"""The comments of a case as its pages show them."""

from dataclasses import dataclass

from django.utils.dateparse import parse_datetime

from skinclinic.models import Call, Comment, Lesion, Member, User
from skinclinic.services import calls, comments


@dataclass(frozen=True)
class Said:
    comment: Comment
    is_own: bool
    earlier: list[dict]


def panel_of(lesion: Lesion, member: Member, user: User, **extra) -> dict:
    """What was said of the case, oldest first, and what calls this person to it."""
    rows = lesion.comments.select_related("created_by").prefetch_related("mentioned")
    hidden = set(rows.filter(comments.kept_back(user, [member])).values_list("pk", flat=True))
    open_calls = calls.open_at(lesion, user).select_related("called_by", "opinion")
    is_called = lesion.is_archived or calls.waiting(member)
    return {
        "lesion": lesion,
        "said": [_said(row, user) for row in rows if row.pk not in hidden],
        "hidden_count": len(hidden),
        "can_edit": member.can_edit,
        "calls": list(open_calls) if is_called else [],
        "longest": comments.LONGEST,
        "opinion_why": Call.Why.OPINION,
    } | extra


def _said(row: Comment, user: User) -> Said:
    earlier = [] if row.deleted_at else row.earlier
    past = [{"text": one["text"], "until": parse_datetime(one["until"])} for one in earlier]
    return Said(row, row.created_by_id == user.pk and row.deleted_at is None, past)
