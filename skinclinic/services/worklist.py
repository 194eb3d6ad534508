"""The worklist: which lesions, in which order, and whose answer must not be shown yet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from skinclinic.models import Clinic, Lesion, Member, User
from skinclinic.services import worklist_search
from skinclinic.services.worklist_search import start_of
from skinclinic.vocabulary.days import FIRST_YEAR, LAST_YEAR
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web import inputs

# f(user, member, photo ids) -> those whose answer must stay hidden from this member (own impression first).
# An app that produces answers registers its function when it starts.
answer_filters: list[Callable[[User, Member, Iterable[int]], set[int]]] = []

NEEDS_PATHOLOGY, PROVEN, UNFILED = "needs-pathology", "proven", "not-filed"
SHOWS = (NEEDS_PATHOLOGY, PROVEN, UNFILED)
BY_MALIGNANT = "malignant"
NEWEST_FIRST = ("-created_at", "-id")
MALIGNANT_FIRST = ("-malignant_sum", "-id")
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
    since: str = ""
    until: str = ""
    sort: str = ""

    ALLOWED = {
        "state": Lesion.State.values,
        "disease": DISEASE_KEYS,
        "show": SHOWS,
        "mine": ("1",),
        "sort": (BY_MALIGNANT,),
    }

    @classmethod
    def tidy(cls, name: str, text: str) -> str:
        text = super().tidy(name, text)
        if name in ("since", "until"):
            return text if _day(text) else ""
        return text[:LONGEST_SEARCH] if name == "q" else text

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self.address(sort="") != ""


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


_SHOWN: dict[str, dict[str, object]] = {
    NEEDS_PATHOLOGY: {"is_proven": False, "state": Lesion.State.DONE},
    PROVEN: {"is_proven": True},
    UNFILED: {"patient": None},
}


def lesions(clinic: Clinic, user: User, filters: Filters, *, answers_open: bool) -> QuerySet[Lesion]:
    """Return the clinic's lesions that pass the filters, with what a row shows; order them by ``order``."""
    rows = Lesion.objects.filter(clinic=clinic, is_archived=False)
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.disease and answers_open:
        rows = rows.filter(top_disease=filters.disease)
    rows = rows.filter(**_SHOWN.get(filters.show, {}))
    if filters.mine:
        rows = rows.filter(created_by=user)
    if since := _day(filters.since):
        rows = rows.filter(created_at__gte=start_of(since))
    if until := _day(filters.until):
        rows = rows.filter(created_at__lt=start_of(until + timedelta(days=1)))
    if filters.q:
        rows = rows.filter(worklist_search.condition(clinic, filters.q, answers_open=answers_open))
    if order(filters, answers_open=answers_open) == MALIGNANT_FIRST:
        rows = rows.filter(malignant_sum__isnull=False)
    return rows.select_related("patient", "cover", "answer_photo", "created_by")


def order(filters: Filters, *, answers_open: bool) -> tuple[str, ...]:
    """The order of the rows, as ``keyset.page`` takes it. Only analysed lesions have a malignant sum."""
    by_malignant = filters.sort == BY_MALIGNANT and answers_open and filters.state in ("", Lesion.State.DONE)
    return MALIGNANT_FIRST if by_malignant else NEWEST_FIRST


def with_ids(clinic: Clinic, ids: Iterable[int]) -> QuerySet[Lesion]:
    """Return the clinic's lesions of these ids, with what a row shows."""
    return Lesion.objects.filter(clinic=clinic, pk__in=ids).select_related(
        "patient", "cover", "answer_photo", "created_by"
    )


def has_none(clinic: Clinic) -> bool:
    """Whether the clinic has no lesion at all: a first visit."""
    return not Lesion.objects.filter(clinic=clinic, is_archived=False).exists()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
