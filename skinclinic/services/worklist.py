"""The worklist: which lesions, in which order, and whose answer must not be shown yet."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from skinclinic.kept_queries import kept
from skinclinic.models import Call, Clinic, Lesion, LesionTag, Member, PhotoDecision, User
from skinclinic.services import worklist_search
from skinclinic.services.worklist_search import start_of
from skinclinic.vocabulary import days
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web import inputs

# f(user, member, photo ids) -> those whose answer must stay hidden from this member (own impression first).
# An app that produces answers registers its function when it starts.
answer_filters: list[Callable[[User, Member, Iterable[int]], set[int]]] = []

# The views; "" is the first of them.
TO_DECIDE, BIOPSY, FOLLOW_UP, DISAGREEMENT = "to-decide", "biopsy", "follow-up", "disagreement"
UNPLANNED, PROVEN, UNFILED, ALL = "unplanned", "proven", "not-filed", "all"
FOR_ME = "for-me"
VIEWS = (TO_DECIDE, FOR_ME, BIOPSY, FOLLOW_UP, DISAGREEMENT, UNPLANNED, PROVEN, UNFILED, ALL)
NOBODY = "nobody"
BY_MALIGNANT = "malignant"
NEWEST_FIRST = ("-created_at", "-id")
MALIGNANT_FIRST = ("-malignant_sum", "-id")
LONGEST_AWAITED_FIRST = ("biopsy_on", "id")
DUE_FIRST = ("follow_up_on", "id")
# More hits than this are not counted out: the page stays quick, and says "more than".
MOST_COUNTED = 10_000
UNFINISHED = (Lesion.State.QUEUED, Lesion.State.RUNNING)
LONGEST_SEARCH = 80


@dataclass(frozen=True)
class Filters(inputs.Filters):
    """What a person asked to see; everything else than these values counts as not asked for."""

    q: str = ""
    state: str = ""
    disease: str = ""
    show: str = ""
    mine: str = ""
    assignee: str = ""
    tag: str = ""
    since: str = ""
    until: str = ""
    sort: str = ""

    ALLOWED = {
        "state": Lesion.State.values,
        "disease": DISEASE_KEYS,
        "show": VIEWS,
        "mine": ("1",),
        "sort": (BY_MALIGNANT,),
    }

    @classmethod
    def tidy(cls, name: str, text: str) -> str:
        text = super().tidy(name, text)
        if name in ("since", "until"):
            return text if days.day(text) else ""
        if name == "assignee":
            return text if text == NOBODY or inputs.is_key(text) else ""
        if name == "tag":
            return text if inputs.is_key(text) else ""
        return text[:LONGEST_SEARCH] if name == "q" else text

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        found = super().read(values)
        # The view that one sees without asking has one address.
        return replace(found, show="") if found.show == TO_DECIDE else found

    @property
    def view(self) -> str:
        return self.show or TO_DECIDE

    @property
    def narrows(self) -> bool:
        """Whether anything is left out of the view."""
        return self.address(sort="", show="") != ""

    @property
    def folded(self) -> int:
        """How many filters beside the search are asked for."""
        return len(
            [
                name
                for name in ("state", "disease", "assignee", "tag", "since", "until")
                if getattr(self, name)
            ]
        )


def answers_are_open(member: Member) -> bool:
    """Whether this member may sort and filter by the model's answers.

    Where the own impression comes first, an order or a filter by the answer would tell it.
    """
    return not (member.clinic.impression_first and member.can_edit)


def hidden_answers(user: User, member: Member, photo_ids: Iterable[int]) -> set[int]:
    """Return those of the photos whose answer must not be shown to this member yet."""
    wanted = set(photo_ids)
    if not answer_filters and not answers_are_open(member):
        return wanted
    return set().union(*(hidden(user, member, wanted) for hidden in answer_filters)) if wanted else set()


def searched(clinic: Clinic, user: User, filters: Filters, *, answers_open: bool) -> Q:
    """What the words of the search find; for ``lesions`` of several views, so that it is looked up once."""
    if not filters.q:
        return Q()
    return worklist_search.condition(clinic, user, filters.q, answers_open=answers_open)


def lesions(
    clinic: Clinic,
    user: User,
    filters: Filters,
    *,
    answers_open: bool,
    began: datetime | None = None,
    found: Q | None = None,
) -> QuerySet[Lesion]:
    """Return the clinic's lesions that pass the filters, with what a row shows; order them by ``order``.

    ``found``: see ``searched``.
    ``began``: the list as it was when somebody began to read it. What was decided since then is in it still, and what
    was opened since then is not in it yet.
    """
    if found is None:
        found = searched(clinic, user, filters, answers_open=answers_open)
    passing = _passing(clinic.pk, user.pk, filters, answers_open=answers_open)
    view = _in_view(filters.view, user.pk, timezone.localdate(), answers_open=answers_open, began=began)
    rows = Lesion.objects.filter(*passing, *([Q(created_at__lte=began)] if began else []), view)
    if found:
        rows = rows.filter(found)
    if order(filters, answers_open=answers_open) == MALIGNANT_FIRST:
        rows = rows.filter(malignant_sum__isnull=False)
    return _with_what_a_row_shows(rows)


def first_rows(member: Member, filters: Filters, most: int) -> list[Lesion]:
    """The first of ``lesions`` in their order, where the filters narrow nothing; at most so many."""
    return _first_rows(
        member.clinic_id,
        member.user_id,
        timezone.localdate(),
        asked=Filters(show=filters.show, sort=filters.sort),
        answers_open=answers_are_open(member),
        most=most,
    )


@kept
def _first_rows(
    clinic: int, user: int, today: date, *, asked: Filters, answers_open: bool, most: int
) -> QuerySet[Lesion]:
    rows = Lesion.objects.filter(
        *_passing(clinic, user, asked, answers_open=answers_open),
        _in_view(asked.view, user, today, answers_open=answers_open),
    )
    ordered = order(asked, answers_open=answers_open)
    if ordered == MALIGNANT_FIRST:
        rows = rows.filter(malignant_sum__isnull=False)
    return _with_what_a_row_shows(rows).order_by(*ordered)[:most]


def _with_what_a_row_shows(rows: QuerySet[Lesion]) -> QuerySet[Lesion]:
    return rows.select_related("patient", "cover", "answer_photo", "created_by", "assignee")


def _passing(clinic: int, user: int, filters: Filters, *, answers_open: bool) -> list[Q]:
    """What the filters ask beside the view and the words; clinic and user by their keys."""
    asked = [Q(clinic=clinic, is_archived=False)]
    if filters.state:
        asked.append(Q(state=filters.state))
    if filters.disease and answers_open:
        asked.append(Q(top_disease=filters.disease))
    if filters.mine:
        asked.append(Q(assignee=user) | Q(assignee=None, created_by=user))
    if filters.assignee:
        asked.append(Q(assignee=None if filters.assignee == NOBODY else int(filters.assignee)))
    if filters.tag:
        tagged = LesionTag.objects.filter(clinic=clinic, tag=int(filters.tag))
        asked.append(worklist_search.having(tagged, "lesion") or Q(pk__in=()))
    if since := days.day(filters.since):
        asked.append(Q(created_at__gte=start_of(since)))
    if until := days.day(filters.until):
        asked.append(Q(created_at__lt=start_of(until + timedelta(days=1))))
    return asked


def _in_view(view: str, user: int, today: date, *, answers_open: bool, began: datetime | None = None) -> Q:
    """Which lesions a view holds. Where the own impression comes first, only one's own decisions let a case into a
    view that would tell what colleagues or the model said."""
    if view in (DISAGREEMENT, UNPLANNED):
        asked = Q(disagrees=True) if view == DISAGREEMENT else Q(is_unplanned=True)
        own = PhotoDecision.objects.filter(photo__lesion=OuterRef("pk"), user=user)
        return asked if answers_open else asked & Q(Exists(own))
    if view == TO_DECIDE:
        return Q(to_decide=True) | Q(settled_at__gte=began) if began else Q(to_decide=True)
    if view == FOR_ME:
        return Q(pk__in=Call.objects.filter(user=user, done_at=None).order_by().values("lesion"))
    if view == FOLLOW_UP:
        return Q(follow_up_on__lte=today)
    return {BIOPSY: Q(biopsy_on__isnull=False), PROVEN: Q(is_proven=True), UNFILED: Q(patient=None)}.get(
        view, Q()
    )


def order(filters: Filters, *, answers_open: bool) -> tuple[str, ...]:
    """The order of the rows, as ``keyset.page`` takes it. Only analysed lesions have a malignant sum."""
    if filters.sort == BY_MALIGNANT and answers_open and filters.state in ("", Lesion.State.DONE):
        return MALIGNANT_FIRST
    return {BIOPSY: LONGEST_AWAITED_FIRST, FOLLOW_UP: DUE_FIRST}.get(filters.view, NEWEST_FIRST)


def count(rows: QuerySet) -> int:
    """How many there are; ``MOST_COUNTED`` + 1 for any more than that."""
    return rows.order_by().select_related(None)[: MOST_COUNTED + 1].count()


class _Count(Subquery):
    """How many rows a query gives, as a number in another."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    # What can be told without asking is 0 as well.
    empty_result_set_value = 0


def counts(clinic: Clinic, user: User, filters: Filters, *, answers_open: bool, found: Q) -> dict[str, int]:
    """How many cases each view would show with the other filters as they are."""
    today, most = timezone.localdate(), MOST_COUNTED + 1
    if filters.narrows:
        rows = Lesion.objects.filter(*_passing(clinic.pk, user.pk, filters, answers_open=answers_open))
        rows = rows.filter(found) if found else rows
        counted = _counted(rows, clinic.pk, user.pk, today, answers_open=answers_open, most=most).get()
    else:
        (counted,) = _counted_in_all(clinic.pk, user.pk, today, answers_open=answers_open, most=most)
    return dict(zip(VIEWS, counted, strict=True))


def _counted(
    rows: QuerySet[Lesion], clinic: int, user: int, today: date, *, answers_open: bool, most: int
) -> QuerySet[Clinic, tuple[int, ...]]:
    """Of these rows those of each view: one query for all of them, on a row that is there."""
    views = [_in_view(view, user, today, answers_open=answers_open) for view in VIEWS]
    numbers = [_Count(rows.filter(view).values("pk")[:most]) for view in views]
    return Clinic.objects.filter(pk=clinic).values_list(*numbers)


@kept
def _counted_in_all(
    clinic: int, user: int, today: date, *, answers_open: bool, most: int
) -> QuerySet[Clinic, tuple[int, ...]]:
    rows = Lesion.objects.filter(*_passing(clinic, user, Filters(), answers_open=answers_open))
    return _counted(rows, clinic, user, today, answers_open=answers_open, most=most)


def with_ids(clinic: Clinic, ids: Iterable[int]) -> QuerySet[Lesion]:
    """Return the clinic's lesions of these ids, with what a row shows."""
    return _with_what_a_row_shows(Lesion.objects.filter(clinic=clinic, pk__in=ids))


def has_none(clinic: Clinic) -> bool:
    """Whether the clinic has no lesion at all: a first visit."""
    return not Lesion.objects.filter(clinic=clinic, is_archived=False).exists()
