"""A second opinion on a label: given by another curator who has not seen the first; where two differ they agree."""

from django.db import transaction
from django.db.models import F, Q, QuerySet

from skinclinic.archive.models import Entry, EntryChange, Review
from skinclinic.archive.services.curating import changes, relabelling
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.models import Clinic, User

NONE, AGREE, DIFFER, SETTLED = "none", "agree", "differ", "settled"
STATES = (NONE, AGREE, DIFFER, SETTLED)
Action = EntryChange.Action
_GIVEN = ~Q(second_label="")
_CONDITIONS = {
    NONE: Q(second_label=""),
    AGREE: _GIVEN & Q(second_label=F("label"), is_settled=False),
    DIFFER: _GIVEN & ~Q(second_label=F("label")) & Q(is_settled=False),
    SETTLED: _GIVEN & Q(is_settled=True),
}


def condition(state: str) -> Q:
    """Entries of one of STATES."""
    return _CONDITIONS[state]


def state_of(entry: Entry) -> str:
    """One of STATES."""
    if not entry.second_label:
        return NONE
    if entry.is_settled:
        return SETTLED
    return AGREE if entry.second_label == entry.label else DIFFER


def waiting(clinic: Clinic, user: User, entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Those of the entries on which this person can give a second opinion: not rejected, none given yet, and none
    that they have reviewed, labelled or opened a decision on themselves."""
    mine = EntryChange.objects.filter(clinic=clinic, by=user).exclude(
        action__in=(Action.IMPORTED, Action.TAGGED)
    )
    open_ = entries.filter(condition(NONE), clinic=clinic).exclude(review=Review.REJECTED)
    return open_.exclude(reviewed_by=user).exclude(pk__in=mine.values("entry"))


def keys_waiting(clinic: Clinic, user: User, entries: QuerySet[Entry], most: int) -> list[int]:
    """Keys of up to ``most`` of them, in no order, without a look at those that this person has reviewed: an index has
    the photos of nobody and of each reviewer."""
    found, keys = waiting(clinic, user, entries), list[int]()
    for others in (Q(reviewed_by=None), Q(reviewed_by__lt=user.pk), Q(reviewed_by__gt=user.pk)):
        keys += found.filter(others).values_list("pk", flat=True)[: most - len(keys)]
    return keys


@transaction.atomic
def give(*, entry: Entry, user: User, label: str) -> EntryChange:
    """Note the opinion. Raises ReviewError: own_label, had_opinion."""
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    if entry.second_label:
        raise ReviewError("had_opinion")
    if not waiting(entry.clinic, user, Entry.objects.filter(pk=entry.pk)).exists():
        raise ReviewError("own_label")
    after = {"second_label": relabelling.tidy_label(entry.clinic, user, label)}
    change = changes.changed(entry, after, user)
    if change is None:
        raise ReviewError("no_label")
    return changes.write([change], user, Action.OPINION)[0]


@transaction.atomic
def settle(*, entry: Entry, user: User, label: str, reason: str = "", proof: str = "") -> EntryChange:
    """Record what two who differed have agreed on; another label than the entry's needs a reason. Raises
    ReviewError."""
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    if state_of(entry) != DIFFER:
        raise ReviewError("changed_since")
    label = relabelling.tidy_label(entry.clinic, user, label)
    wanted: dict = {"is_settled": True}
    if label != entry.label:
        reason = relabelling.tidy_reason(reason)
        wanted = relabelling.fields_of(entry.clinic, label, proof) | wanted
    change = changes.changed(entry, wanted, user)
    if change is None:
        raise ReviewError("changed_since")
    return changes.write([change], user, Action.SETTLED, note=reason[: relabelling.NOTE_LENGTH])[0]
