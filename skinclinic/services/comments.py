"""Comments of members on a case. What was said before stays; who is named is called to the case.

Where the own impression comes first, others' comments wait for the own decision: they may hold a diagnosis.
"""

import re
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from skinclinic.models import Call, Comment, Lesion, Member, PhotoDecision, User
from skinclinic.services import calls, cases
from skinclinic.services.identifying import require_nobody_named
from skinclinic.services.refused import Refused
from skinclinic.services.worklist import answers_are_open
from skinclinic.web.counts import gettext as _

LONGEST = 2000


@transaction.atomic
def write(lesion: Lesion, user: User, text: str, chosen: Collection[int] = ()) -> Comment:
    """Say something of the case. ``chosen``: keys of people taken from the list of names; see ``_named``. Whoever
    writes has seen to what named them. Raises Refused."""
    text = _checked(text)
    comment = Comment.objects.create(clinic_id=lesion.clinic_id, lesion=lesion, text=text, created_by=user)
    _call(comment, _named(lesion.clinic_id, text, chosen))
    calls.finish(lesion, user, Call.Why.MENTION)
    return comment


@transaction.atomic
def change(comment: Comment, user: User, text: str, chosen: Collection[int] = ()) -> None:
    """Say it otherwise; the same again changes nothing. Raises Refused."""
    text, held = _checked(text), _own(comment, user)
    if held.text == text:
        return
    now = timezone.now()
    held.earlier = [*held.earlier, {"text": held.text, "until": now.isoformat()}]
    held.text, held.changed_at = text, now
    held.save(update_fields=["text", "earlier", "changed_at"])
    _call(held, _named(held.clinic_id, text, {*chosen, *held.mentioned.values_list("pk", flat=True)}))


@transaction.atomic
def delete(comment: Comment, user: User) -> None:
    """Take it back: that there was one stays, and nobody is called by it any more. Raises Refused."""
    held, now = _own(comment, user), timezone.now()
    held.earlier = [*held.earlier, {"text": held.text, "until": now.isoformat()}]
    held.text, held.deleted_at = "", now
    held.save(update_fields=["text", "earlier", "deleted_at"])
    held.calls.filter(done_at=None).update(done_at=now)


def kept_back(user: User, members: Iterable[Member]) -> Q:
    """Comments, of these memberships' clinics, that the person must not read yet."""
    closed: Collection[int] = [one.clinic_id for one in members if not answers_are_open(one)]
    own = PhotoDecision.objects.filter(photo__lesion=OuterRef("lesion"), user=user)
    return Q(clinic__in=closed) & ~Q(created_by=user) & ~Q(Exists(own)) if closed else Q(pk__in=())


def _checked(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise Refused("text", _("Write something first."))
    require_nobody_named("text", text)
    if len(text) > LONGEST:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Refused("text", message % {"longest": LONGEST, "count": len(text)})
    return text


def _own(comment: Comment, user: User) -> Comment:
    held = Comment.objects.select_for_update().get(pk=comment.pk)
    if held.created_by_id != user.pk:
        raise Refused("", _("Only whoever wrote a comment may change it."))
    if held.deleted_at:
        raise Refused("", _("This comment is deleted already."))
    return held


def _named(clinic_id: int, text: str, chosen: Collection[int]) -> list[User]:
    """Those who were chosen and whose @name still stands in the text, and those whose @user-name does."""
    typed = {name.casefold().rstrip(".,;:!?") for name in re.findall(r"@([\w.@+-]+)", text)}
    return [
        person
        for person in (member.user for member in cases.deciders(clinic_id))
        if (person.pk in chosen and f"@{person}" in text) or person.username.casefold() in typed
    ]


def _call(comment: Comment, people: list[User]) -> None:
    """Keep who is named; call those who were not named before, and nobody by their own comment."""
    before = set(comment.mentioned.values_list("pk", flat=True))
    comment.mentioned.set(people)
    new = [one for one in people if one.pk not in before and one.pk != comment.created_by_id]
    calls.call(comment.lesion, new, comment.created_by, Call.Why.MENTION, comment=comment)
    gone = before - {one.pk for one in people}
    comment.calls.filter(user__in=gone, done_at=None).update(done_at=timezone.now())
