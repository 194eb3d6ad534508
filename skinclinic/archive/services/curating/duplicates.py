"""Photos that look alike: finding the pairs, and what a curator says of each."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from skinclinic.archive import near_duplicates
from skinclinic.archive.models import DuplicatePair, Entry, EntryChange, RejectReason, Review
from skinclinic.archive.services import size
from skinclinic.engine import jobs
from skinclinic.models import Clinic, Job, User
from skinclinic.services import kept_counts
from skinclinic.services.kept_counts import Counted, Kind, Listed

JOB = "find-duplicates"
# Of 306 photos of 272 patients, the nearest two different lesions differ in 10 bits, while each photo scaled
# to a half or saved at JPEG quality 40 differs in at most 4 (tests/archive/curating/test_duplicates.py).
MAX_DISTANCE = 6
# A photo is shown beside at most so many older ones, the nearest: a thousand black frames are no million pairs.
MOST_EACH = 10
ACROSS_PATIENTS, ACROSS_SOURCES = "patients", "sources"
SHOWS = (ACROSS_PATIENTS, ACROSS_SOURCES)
_BATCH = 2000
_STORED_AT_ONCE = 5000
# What pairs to decide are counted as, by what is shown.
_COUNTS = {
    "": "pairs to decide",
    ACROSS_PATIENTS: "pairs across patients",
    ACROSS_SOURCES: "pairs across sources",
}
# Each costs as much as ten entries of an index.
_FEW_PAIRS = 500
_NEAREST_FIRST = ("distance", "pk")
# Of the pairs that are known to come next so many at a time.
_LOOKED_AT = 20


class AlreadyDecided(Exception):
    """Somebody else has decided this pair meanwhile; ``pair`` is as they left it."""

    def __init__(self, pair: DuplicatePair):
        super().__init__(str(pair))
        self.pair = pair


def request_search(clinic: Clinic) -> Job | None:
    """Ask for a search over the clinic's archive; None when there is nothing new to compare."""
    key = _seen(clinic)
    return jobs.enqueue(JOB, key, subject=clinic.pk, clinic=clinic) if key else None


def _seen(clinic: Clinic) -> str:
    """What a search of now compares, as the key of its job: clinic, newest photo, their number; "" of none."""
    newest = Entry.objects.filter(clinic=clinic).order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        return ""
    return f"{clinic.pk}:{newest}:{size.entries(clinic)}"


def last_search(clinic: Clinic) -> Job | None:
    """The newest search of this clinic, whatever became of it."""
    return Job.objects.filter(kind=JOB, clinic=clinic).order_by("-id").first()


def search_is_due(clinic: Clinic, last: Job | None) -> bool:
    """Whether photos were added or removed since the newest search; from many, removed ones are seen some minutes
    later."""
    key = _seen(clinic)
    return bool(key) and (last is None or last.key != key)


def compared_up_to(clinic: Clinic) -> int:
    """The key of the newest photo that a finished search has seen; 0 before the first."""
    done = Job.objects.filter(kind=JOB, clinic=clinic, state=Job.State.DONE).order_by("-id").first()
    return int(done.key.split(":")[1]) if done else 0


def find_pairs(clinic: Clinic) -> Iterator[DuplicatePair]:
    """The pairs at most MAX_DISTANCE bits apart that the clinic does not have yet, unsaved, nearest first.

    Each photo with at most MOST_EACH older ones. Rejected photos are left out. Four numbers a photo are held
    in memory: 6 MB for 200,000.
    """
    entries = (
        Entry.objects.filter(clinic=clinic, phash__isnull=False)
        .exclude(review=Review.REJECTED)
        .order_by("pk")
        .values_list("pk", "phash", "patient_id", "source_id")
    )
    rows = ((pk, phash, patient or -pk, source) for pk, phash, patient, source in entries.iterator(_BATCH))
    table = np.fromiter(rows, dtype=np.dtype((np.int64, 4)))
    known = set(DuplicatePair.objects.filter(clinic=clinic).values_list("first_id", "second_id").iterator())
    # Several lesions in one picture look alike, of course.
    shared = Entry.objects.filter(clinic=clinic).exclude(photo__picture="")
    picture = dict(shared.order_by().values_list("pk", "photo__picture"))
    indices, distances = near_duplicates.pairs(table[:, 1], MAX_DISTANCE, MOST_EACH)
    for (a, b), distance in zip(indices, distances, strict=True):
        first, second = int(table[a, 0]), int(table[b, 0])
        if (first, second) not in known and not (first in picture and picture[first] == picture.get(second)):
            yield DuplicatePair(
                clinic=clinic,
                first_id=first,
                second_id=second,
                distance=int(distance),
                across_patients=bool(table[a, 2] != table[b, 2]),
                across_sources=bool(table[a, 3] != table[b, 3]),
            )


def search(clinic: Clinic, go_on: Callable[[], None] = lambda: None) -> int:
    """Find and store the clinic's new pairs; return how many. A search that was cut short can be repeated.

    ``go_on`` is called before some are stored; what it raises ends the search.
    """
    found, stored = find_pairs(clinic), 0
    # Some at a time, so that nobody else waits for the database.
    while some := list(islice(found, _STORED_AT_ONCE)):
        go_on()
        DuplicatePair.objects.bulk_create(some, batch_size=1000, ignore_conflicts=True)
        stored += len(some)
    return stored


def pairs(clinic: Clinic, show: str = "") -> QuerySet[DuplicatePair]:
    """The clinic's pairs with what the page shows of them; ``show`` narrows to one of SHOWS."""
    rows = _shown(DuplicatePair.objects.filter(clinic=clinic), show)
    # All of it in one statement joins a dozen tables, which takes a database longer to plan than to carry out.
    entries = Entry.objects.select_related("photo__lesion", "patient", "source")
    return rows.select_related("decided_by").prefetch_related(
        Prefetch("first", entries), Prefetch("second", entries)
    )


def with_entries() -> QuerySet[DuplicatePair]:
    """Pairs of every clinic with their two entries; the caller checks whose they are."""
    return DuplicatePair.objects.select_related("first", "second")


def to_decide(clinic: Clinic, show: str = "") -> QuerySet[DuplicatePair]:
    """The undecided pairs of photos of which neither is rejected: a rejected one needs no decision."""
    return _without_rejected(pairs(clinic, show).filter(verdict=DuplicatePair.Verdict.OPEN))


def left(clinic: Clinic, show: str = "") -> Counted:
    """How many pairs are to be decided; of many, photos that were rejected lately are still among them."""
    return kept_counts.of(clinic, _COUNTS[show])[_COUNTS[show]]


def _shown(rows: QuerySet[DuplicatePair], show: str) -> QuerySet[DuplicatePair]:
    return rows.filter(**{f"across_{show}": True}) if show else rows


def _open(show: str) -> QuerySet[DuplicatePair]:
    return _shown(DuplicatePair.objects.filter(verdict=DuplicatePair.Verdict.OPEN), show)


def _without_rejected(rows: QuerySet[DuplicatePair]) -> QuerySet[DuplicatePair]:
    return rows.exclude(first__review=Review.REJECTED).exclude(second__review=Review.REJECTED)


def _kind(show: str) -> Kind:
    return Kind(
        lambda: _without_rejected(_open(show)),
        among=lambda: _open(show),
        few=_FEW_PAIRS,
        listed_by=_NEAREST_FIRST,
    )


kept_counts.kinds |= {what: _kind(show) for show, what in _COUNTS.items()}


def _counted_as(pair: DuplicatePair) -> list[str]:
    """What it is counted as while it is to be decided."""
    shows = [show for show in SHOWS if getattr(pair, f"across_{show}")]
    return [_COUNTS[show] for show in ("", *shows)]


def next_open(clinic: Clinic, show: str, after: tuple[int, int] | None = None) -> DuplicatePair | None:
    """The nearest undecided pair, or the one after (distance, key) for a person who skips."""
    rows = to_decide(clinic, show)
    if pair := _next_listed(rows, kept_counts.listed(clinic, _COUNTS[show]), after):
        return pair
    if after:
        distance, pk = after
        rows = rows.filter(Q(distance__gt=distance) | Q(distance=distance, pk__gt=pk))
    return rows.order_by(*_NEAREST_FIRST).first()


def _next_listed(
    rows: QuerySet[DuplicatePair], known: Listed | None, after: tuple[int, int] | None
) -> DuplicatePair | None:
    """The same among many pairs, without a look at all those of photos that were rejected; None if no pair that is
    known to come after is to be decided any more."""
    if known is None or (after and after[1] not in known.keys):
        return None
    start = known.keys.index(after[1]) + 1 if after else 0
    for first in range(start, len(known.keys), _LOOKED_AT):
        keys = known.keys[first : first + _LOOKED_AT]
        there = set(rows.filter(pk__in=keys).prefetch_related(None).values_list("pk", flat=True))
        if found := next((key for key in keys if key in there), None):
            return rows.filter(pk=found).first()
    return None


@transaction.atomic
def decide(pair: DuplicatePair, user: User, verdict: str, keep: str = "first") -> None:
    """Record what the two are. Of the same photo one stays (``keep``: first or second), the other is
    rejected as a duplicate. Raises AlreadyDecided."""
    changed = DuplicatePair.objects.filter(pk=pair.pk, verdict=DuplicatePair.Verdict.OPEN).update(
        verdict=verdict, decided_by=user, decided_at=timezone.now()
    )
    pair.refresh_from_db(fields=["verdict", "decided_by", "decided_at"])
    if not changed:
        raise AlreadyDecided(pair)
    kept_counts.changed(pair.clinic_id, _counted_as(pair), [pair.pk], -1)
    if verdict == DuplicatePair.Verdict.SAME_PHOTO:
        _reject(pair.second if keep == "first" else pair.first, user, pair)


@transaction.atomic
def reopen(pair: DuplicatePair, user: User) -> bool:
    """Take a verdict back, and the rejection that came with it; False when it is open already."""
    was = pair.verdict
    changed = (
        DuplicatePair.objects.filter(pk=pair.pk)
        .exclude(verdict=DuplicatePair.Verdict.OPEN)
        .update(verdict=DuplicatePair.Verdict.OPEN, decided_by=None, decided_at=None)
    )
    if changed and was == DuplicatePair.Verdict.SAME_PHOTO:
        for entry in (pair.first, pair.second):
            _take_back_rejection(entry, user, pair)
    if changed:
        kept_counts.changed(pair.clinic_id, _counted_as(pair), [pair.pk], 1)
    return bool(changed)


def _reject(entry: Entry, user: User, pair: DuplicatePair) -> None:
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    after = {"review": Review.REJECTED, "reject_reason": RejectReason.DUPLICATE}
    before = {name: getattr(entry, name) for name in after}
    Entry.objects.filter(pk=entry.pk).update(**after, reviewed_by=user, reviewed_at=timezone.now())
    EntryChange.objects.create(
        clinic_id=entry.clinic_id,
        entry=entry,
        action=EntryChange.Action.REJECTED,
        by=user,
        fields={name: [before[name], str(after[name])] for name in after},
        note=_note(pair),
    )


def _take_back_rejection(entry: Entry, user: User, pair: DuplicatePair) -> None:
    change = entry.changes.filter(note=_note(pair), undone_at=None).first()
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    if change is None or entry.reject_reason != RejectReason.DUPLICATE:
        return
    EntryChange.objects.filter(pk=change.pk).update(undone_at=timezone.now())
    before = {name: values[0] for name, values in change.fields.items()}
    Entry.objects.filter(pk=entry.pk).update(**before, reviewed_by=user, reviewed_at=timezone.now())
    EntryChange.objects.create(
        clinic_id=entry.clinic_id,
        entry=entry,
        action=EntryChange.Action.UNDONE,
        by=user,
        fields={name: values[::-1] for name, values in change.fields.items()},
    )


def _note(pair: DuplicatePair) -> str:
    return f"pair {pair.pk}"
