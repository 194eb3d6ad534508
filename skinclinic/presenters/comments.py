"""The comments of a case as its pages show them."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from skinclinic.kept_queries import kept
from skinclinic.models import Call, Comment, Lesion, Member, User
from skinclinic.services import calls, comments
from skinclinic.services.worklist import answers_are_open


@dataclass(frozen=True)
class Said:
    comment: Comment
    is_own: bool
    earlier: list[dict]


def panel_of(lesion: Lesion, member: Member, user: User, **extra) -> dict:
    """What was said of the case, oldest first, and what calls this person to it."""
    rows = _comments(lesion.pk)
    hidden: set[int] = set()
    if rows and not answers_are_open(member):
        kept_back = lesion.comments.filter(comments.kept_back(user, [member]))
        hidden = set(kept_back.values_list("pk", flat=True))
    is_called = lesion.is_archived or calls.waiting(member)
    return {
        "lesion": lesion,
        "said": [_said(row, user) for row in rows if row.pk not in hidden],
        "hidden_count": len(hidden),
        "can_edit": member.can_edit,
        "calls": list(calls.open_at(lesion, user).select_related("called_by", "opinion"))
        if is_called
        else [],
        "longest": comments.LONGEST,
        "opinion_why": Call.Why.OPINION,
    } | extra


@kept
def _comments(lesion: int) -> QuerySet[Comment]:
    return Comment.objects.filter(lesion=lesion).select_related("created_by").prefetch_related("mentioned")


def _said(row: Comment, user: User) -> Said:
    earlier = [] if row.deleted_at else row.earlier
    past = [{"text": one["text"], "until": parse_datetime(one["until"])} for one in earlier]
    return Said(row, row.created_by_id == user.pk and row.deleted_at is None, past)
