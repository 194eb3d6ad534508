"""What a process keeps of the features of a clinic's proven photos, to rule out most of them at a search.

Nothing is taken from here but an order to look in: each photo that may be shown is read from the database, and asked
there whether it still may be. So what was withdrawn, deleted or labelled otherwise in another process is never shown.
What is new there is found before each search:

- other proven photos than before, by a digest of their keys, which the database makes from an index;
- other photos that may not be used, by one of the patients who refused: the clinic's own photos are rejected, and so no
  longer among the first, when their patient does not consent any more;
- other features, by their keys. They are only ever added, with a growing key; those of the last minutes are asked for
  again, since who took a lower key may commit later.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
from django.db.models import F, Q, QuerySet, Sum

from classifier.analysing import nearest
from classifier.models import PhotoFeatures
from classifier.services.analysis.features import STORED
from skinclinic.archive.models import Entry, Review
from skinclinic.archive.services.curating import consent
from skinclinic.engine import clock
from skinclinic.models import Patient

# Longer than any transaction here.
_OVERLAP = timedelta(minutes=10)
_AT_ONCE = 2000
# So many clinics and models a process serves at a time.
_KEPT = 4
_PRIME, _OTHER_PRIME = 2**31 - 1, 65521


def is_proven(path: str = "") -> Q:
    """Entries of proven photos but for those a curator has rejected; consent is another question. ``path`` leads to the
    entry, such as "photo__archive_entry__"."""
    return Q(**{f"{path}is_proven": True, f"{path}review__in": (Review.PENDING, Review.ACCEPTED)})


def proven(clinic_id: int) -> QuerySet[Entry]:
    """Those of a clinic's archive."""
    return Entry.objects.filter(is_proven(), clinic=clinic_id).order_by()


def of(clinic_id: int, model_id: int) -> "Bank":
    """This process's bank of a clinic and a model version."""
    with _lock:
        bank = _banks.pop((clinic_id, model_id), None) or Bank(clinic_id, model_id)
        _banks[clinic_id, model_id] = bank
        while len(_banks) > _KEPT:
            _banks.popitem(last=False)
    return bank


class Bank:
    """Sketches of the features of a clinic's proven photos by one model version."""

    def __init__(self, clinic_id: int, model_id: int):
        self._clinic, self._model = clinic_id, model_id
        self._lock = threading.Lock()
        self._proven: set[int] = set()
        self._digest: int | None = None
        # Proven photos whose patients do not consent: they have sketches, but are looked past.
        self._denied: set[int] = set()
        self._refusing: int | None = None
        self._settled = 0
        # Counts what was done to the sketches.
        self._changes = 0
        self._clear()

    def _clear(self) -> None:
        self._changes += 1
        self._sketches: nearest.Sketches | None = None
        self._sampled = 0
        self._ids = np.empty(0, np.int64)
        self._photo_of: dict[int, int] = {}
        # Photos among them (one may have features of several squares), and of how many of them, and of the others, the
        # patients consent.
        self._known: set[int] = set()
        self._counted = (0, 0)

    def search(
        self, query: np.ndarray, look: Callable[[list[int]], float], apart: Iterable[int] = ()
    ) -> "Searched":
        """Let ``look`` see keys of PhotoFeatures, the likeliest first, until no other can be near enough (see
        ``nearest.search``). ``query``: float32 [D] of length 1; ``apart``: photos that ``look`` passes over whatever
        they are like, which count as not looked through."""
        with self._lock:
            bounds = self._bounds(query)
            ids = self._ids
            compared, lacking = self._counted
            left_out = (set(apart) & self._proven) - self._denied
            known = len(left_out & self._known)
            is_empty = not self._proven
        nearest.search(bounds, lambda places: look(ids[places].tolist()))
        return Searched(compared - known, lacking - (len(left_out) - known), is_empty)

    def _bounds(self, query: np.ndarray) -> np.ndarray:
        """``Sketches.bounds`` of what there is now. They are computed of what is known while the database says whether
        that is still true, each of which takes about as long, and again where it is not."""
        known, changes = self._sketches, self._changes
        with ThreadPoolExecutor(1) as beside:
            early = beside.submit(known.bounds, query) if known else None
            self._bring_up_to_date(len(query))
        if early and self._changes == changes:
            return early.result()
        return self._sketches.bounds(query) if self._sketches else np.empty(0, np.float32)

    def _bring_up_to_date(self, length: int) -> None:
        digest = _digest(self._clinic)
        rows = PhotoFeatures.objects.filter(clinic=self._clinic, model_version=self._model).order_by("id")
        if digest != self._digest:
            self._proven = set(proven(self._clinic).values_list("photo", flat=True))
            found = list(rows.values_list("id", "photo", "created_at"))
            self._keep_only({pk for pk, photo, _at in found if photo in self._proven})
        else:
            found = list(rows.filter(id__gt=self._settled).values_list("id", "photo", "created_at"))
        fresh = {pk: photo for pk, photo, _at in found if photo in self._proven and pk not in self._photo_of}
        if fresh:
            self._add(fresh, length)
        refusing = _refusing(self._clinic)
        if fresh or (digest, refusing) != (self._digest, self._refusing):
            self._count()
        self._digest, self._refusing = digest, refusing
        limit = clock.now() - _OVERLAP
        self._settled = max((pk for pk, _photo, at in found if at < limit), default=self._settled)

    def _count(self) -> None:
        """How many photos are looked through and how many cannot be, as far as their patients consent."""
        denied = proven(self._clinic).filter(consent.missing())
        self._denied = set(denied.values_list("photo", flat=True))
        self._known = set(self._photo_of.values())
        known, others = self._known - self._denied, self._proven - self._known - self._denied
        self._counted = (len(known), len(others))

    def _keep_only(self, wanted: set[int]) -> None:
        if gone := self._photo_of.keys() - wanted:
            self._changes += 1
            stays = ~np.isin(self._ids, np.fromiter(gone, np.int64, len(gone)))
            if self._sketches:
                self._sketches.keep(stays)
            self._ids = self._ids[stays]
            for pk in gone:
                del self._photo_of[pk]

    def _add(self, fresh: dict[int, int], length: int) -> None:
        total = len(self._photo_of) + len(fresh)
        if self._sampled < min(nearest.SAMPLE, (total + 1) // 2):
            # Axes of a few photos bound the distances of many badly.
            fresh = self._photo_of | fresh
            self._clear()
            self._sample(list(fresh), length)
        self._changes += 1
        keys = list(fresh)
        for start in range(0, len(keys), _AT_ONCE):
            ids, vectors = read(keys[start : start + _AT_ONCE], length)
            if self._sketches is None or not len(ids):
                continue
            self._sketches.add(vectors)
            self._ids = np.concatenate([self._ids, ids])
            self._photo_of |= {pk: fresh[pk] for pk in ids.tolist()}

    def _sample(self, keys: list[int], length: int) -> None:
        """Take the axes from some of these, evenly over all, since sources come one after the other."""
        step = max(1, len(keys) // nearest.SAMPLE)
        _ids, vectors = read(keys[::step][: nearest.SAMPLE], length)
        if len(vectors):
            self._sketches, self._sampled = nearest.Sketches(vectors), len(vectors)


class Searched:
    """``photos``: how many proven photos were looked through. ``lacking``: how many could not be, because the model has
    not looked at them yet or its answer is from before features were kept. Neither counts photos that may not be used
    or were set apart. ``is_empty``: there is no proven photo at all."""

    def __init__(self, photos: int, lacking: int, is_empty: bool):
        self.photos, self.lacking, self.is_empty = photos, lacking, is_empty


def read(keys: Iterable[int], length: int) -> tuple[np.ndarray, np.ndarray]:
    """(keys [n], unit vectors float32 [n, D]) of these features, as far as they are there and of this length."""
    found = PhotoFeatures.objects.filter(pk__in=list(keys)).order_by("pk").values_list("pk", "values")
    kept = [(pk, values) for pk, values in found if len(values) == length * STORED.itemsize]
    joined = b"".join(bytes(values) for _pk, values in kept)
    vectors = np.frombuffer(joined, STORED).reshape(len(kept), length)
    return np.array([pk for pk, _values in kept], np.int64), nearest.unit(vectors)


def _digest(clinic_id: int) -> int:
    """The same as long as the proven photos are the same, as far as a sum of scattered keys can tell; 0 for none.

    It is made before each search, of all proven photos: with 200,000 in SQLite in 22 ms of a processor, where a count,
    two sums and an exclusive or, which is Python's there, took 48.
    """
    return _scattered(proven(clinic_id))


def _refusing(clinic_id: int) -> int:
    """The same of the patients who refuse: few, and found by an index."""
    refused = Patient.objects.filter(clinic=clinic_id, research_consent=Patient.Consent.REFUSED)
    return _scattered(refused.order_by())


def _scattered(rows: QuerySet) -> int:
    key = F("pk") * 1664525 % _PRIME
    # Never 0; no arithmetic leads from some sets of keys to others with the same sum.
    scattered = (key.bitrightshift(15) + 1) * (key % _OTHER_PRIME + 1)
    return rows.aggregate(scattered=Sum(scattered))["scattered"] or 0


_banks: OrderedDict[tuple[int, int], Bank] = OrderedDict()
_lock = threading.Lock()
