"""A case as the worklist shows it: what I said, what colleagues and pathology said, and only then the model."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils import timezone

from skinclinic.kept_queries import kept
from skinclinic.models import Biopsy, Call, Diagnosis, Lesion, Member, PhotoDecision, User
from skinclinic.presenters.walk import case_url
from skinclinic.services import calls, cases, photo_answers, worklist, worklist_tags
from skinclinic.services.worklist_walk import Walk
from skinclinic.web import keyset


@dataclass(frozen=True)
class Row:
    """``hidden``: this person's own impression comes first, before the model's answer and colleagues' diagnoses.
    ``is_unlike``: the answer's photo is unlike those that the model was trained on."""

    lesion: Lesion
    hidden: bool
    url: str = ""
    decision: PhotoDecision | None = None
    impression: Diagnosis | None = None
    colleagues: list[PhotoDecision] = field(default_factory=list)
    hides_colleagues: bool = False
    pathology: Diagnosis | None = None
    is_unplanned: bool = False
    is_here: bool = False
    is_unlike: bool = False
    tags: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def is_unfinished(self) -> bool:
        return self.lesion.state in worklist.UNFINISHED

    @property
    def is_due(self) -> bool:
        due = self.lesion.follow_up_on
        return due is not None and due <= timezone.localdate()

    @property
    def is_overdue(self) -> bool:
        due = self.lesion.follow_up_on
        return due is not None and due < timezone.localdate()

    @property
    def is_result_late(self) -> bool:
        taken = self.lesion.biopsy_on
        return taken is not None and taken + Biopsy.LATE_AFTER <= timezone.localdate()


def rows(
    user: User, member: Member, lesions: Iterable[Lesion], walk: Walk | None = None, here: int | None = None
) -> list[Row]:
    """The same number of queries for any number of cases. ``walk``: the list they are opened from."""
    shown = list(lesions)
    ids = [lesion.pk for lesion in shown]
    hidden = worklist.hidden_answers(
        user, member, [lesion.told_by_id for lesion in shown if lesion.told_by_id]
    )
    seen = [lesion.answer_photo for lesion in shown if lesion.told_by_id not in hidden]
    unlike = photo_answers.unlike(seen)
    answers_open = worklist.answers_are_open(member)
    decisions = cases.latest_decisions(ids)
    impressions, proofs = _diagnoses(user, ids)
    tags = worklist_tags.names_of(ids)
    called = _calls(user, ids) if calls.waiting(member) else {}
    order = worklist.order(walk.filters, answers_open=answers_open) if walk else ()
    found = []
    for lesion in shown:
        said = decisions.get(lesion.pk, [])
        own = next((row for row in said if row.user_id == user.pk), None)
        others = [row for row in said if row.user_id != user.pk]
        may_see = answers_open or own is not None
        found.append(
            Row(
                lesion,
                lesion.told_by_id in hidden,
                url=case_url(lesion, _at(walk, lesion, order)),
                decision=own,
                impression=None if own else impressions.get(lesion.pk),
                colleagues=others if may_see else [],
                hides_colleagues=bool(others) and not may_see,
                pathology=proofs.get(lesion.pk),
                is_unplanned=lesion.is_unplanned and may_see,
                is_here=lesion.pk == here,
                is_unlike=lesion.answer_photo_id in unlike,
                tags=tags.get(lesion.pk, []),
                calls=called.get(lesion.pk, []),
            )
        )
    return found


def _calls(user: User, lesions: list[int]) -> dict[int, list[Call]]:
    """What calls the person to each."""
    found: dict[int, list[Call]] = {}
    for call in _open_calls(user.pk, lesions):
        found.setdefault(call.lesion_id, []).append(call)
    return found


@kept
def _open_calls(user: int, lesions: list[int]) -> QuerySet[Call]:
    return Call.objects.filter(user=user, lesion__in=lesions, done_at=None).select_related("called_by")


def _at(walk: Walk | None, lesion: Lesion, order: tuple[str, ...]) -> Walk | None:
    """A row that has moved on may have no place in the list's order any more."""
    if walk is None or any(getattr(lesion, name.removeprefix("-")) is None for name in order):
        return None
    return Walk(walk.filters, walk.began, keyset.place(lesion, order))


def _diagnoses(user: User, lesions: list[int]) -> tuple[dict[int, Diagnosis], dict[int, Diagnosis]]:
    """The person's own last impression and the pathology of each lesion."""
    impressions: dict[int, Diagnosis] = {}
    proofs: dict[int, Diagnosis] = {}
    for row in _standing(lesions):
        if row.kind == Diagnosis.Kind.PATHOLOGY:
            proofs.setdefault(row.lesion_id, row)
        elif row.created_by_id == user.pk:
            impressions.setdefault(row.lesion_id, row)
    return impressions, proofs


@kept
def _standing(lesions: list[int]) -> QuerySet[Diagnosis]:
    rows = Diagnosis.objects.filter(lesion__in=lesions, withdrawn_at=None)
    return rows.order_by("-created_at", "-id")
