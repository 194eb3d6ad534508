"""Photos of a test set that a model has seen: the same photo, one that looks alike, or the same patient."""

from dataclasses import dataclass, field

import numpy as np

from classifier.models import ModelVersion
from classifier.services.training.data import TOGETHER, training_items
from classifier.training.plan import IMAGENET, RANDOM
from skinclinic.archive import near_duplicates
from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair
from skinclinic.archive.services.curating.duplicates import MAX_DISTANCE

PHOTO, NEAR, LESION, PATIENT = "photo", "near", "lesion", "patient"
KINDS = (PHOTO, NEAR, LESION, PATIENT)


@dataclass(frozen=True)
class Leak:
    """A test photo and the training photo it repeats, both as keys of dataset items. ``distance``: of near ones."""

    kind: str
    test: int
    train: int
    distance: int | None = None


@dataclass(frozen=True)
class Leaks:
    """What a model has seen of a test set, itself or as the model it began from.

    ``unknown`` names the model or the starting weights whose training photos nobody knows; "" when all are known.
    """

    unknown: str
    trained_on: str = ""
    found: tuple[Leak, ...] = field(default=())

    @property
    def counts(self) -> dict[str, int]:
        """Test photos by kind; one may count under several."""
        return {kind: len({leak.test for leak in self.found if leak.kind == kind}) for kind in KINDS}

    @property
    def items(self) -> set[int]:
        """All test photos concerned."""
        return {leak.test for leak in self.found}


@dataclass(frozen=True)
class _Seen:
    pk: int
    entry: int | None
    sha256: str
    phash: int | None
    person: str


class TrainingSide:
    """All photos that a model, or one that it began from, was trained on: read once, to be compared with any number
    of test sets. ``unknown``: see Leaks."""

    def __init__(self, model: ModelVersion):
        versions, self.unknown = _lineage(model)
        self.trained_on = ", ".join(map(str, versions))
        self._photos = [
            _Seen(*row)
            for version in versions
            for row in training_items(version)
            .values_list("pk", "entry", "content_sha256", "phash", "person")
            .order_by("pk")
            .iterator(2000)
        ]
        self._different: set[tuple[int, int]] = set()
        self._together: set[tuple[int, int]] = set()
        if versions:
            pairs = DuplicatePair.objects.filter(clinic=versions[0].clinic_id)
            self._different = _both(pairs.filter(verdict=DuplicatePair.Verdict.DIFFERENT))
            self._together = _both(pairs.filter(verdict__in=TOGETHER))

    def leaks(self, test: list[DatasetItem]) -> Leaks:
        """Compare test items with the photos seen in training.

        A pair that a curator called different is none; one called the same photo or lesion is one.
        """
        own = [_Seen(item.pk, item.entry_id, item.content_sha256, item.phash, item.person) for item in test]
        found = [
            *_equal(PHOTO, own, self._photos, "sha256"),
            *_near(own, self._photos, self._different),
            *_joined(own, self._photos, self._together),
            *_equal(PATIENT, own, self._photos, "person"),
        ]
        return Leaks(self.unknown, self.trained_on, tuple(found))


def find(model: ModelVersion, test: list[DatasetItem]) -> Leaks:
    """What the model has seen of one test set."""
    return TrainingSide(model).leaks(test)


def _lineage(model: ModelVersion) -> tuple[list[DatasetVersion], str]:
    """The datasets that the model, and those it began from, were trained on; and where knowledge ends."""
    versions: list[DatasetVersion] = []
    known: ModelVersion | None = model
    met: set[int] = set()
    while known is not None and known.pk not in met:
        met.add(known.pk)
        if known.trained_on_version is None:
            return versions, known.name
        if known.trained_on_version not in versions:
            versions.append(known.trained_on_version)
        start = (known.manifest.get("training") or {}).get("start") or {}
        if start.get("init", RANDOM) in (RANDOM, IMAGENET):
            return versions, ""
        known = ModelVersion.objects.filter(weights_sha256=start.get("sha256", "")).first()
        if known is None:
            return versions, str(start["init"])
    return versions, ""


def _both(pairs) -> set[tuple[int, int]]:
    return {pair for a, b in pairs.values_list("first_id", "second_id") for pair in ((a, b), (b, a))}


def _equal(kind: str, own: list[_Seen], train: list[_Seen], name: str) -> list[Leak]:
    first: dict[str, int] = {}
    for seen in train:
        if value := getattr(seen, name):
            first.setdefault(value, seen.pk)
    return [Leak(kind, seen.pk, first[getattr(seen, name)]) for seen in own if getattr(seen, name) in first]


def _near(own: list[_Seen], train: list[_Seen], different: set[tuple[int, int]]) -> list[Leak]:
    """The nearest training photo of each test photo that has one alike."""
    ours, theirs = _by_hash(own), _by_hash(train)
    if not ours or not theirs:
        return []
    # Each hash once, so that many equal photos make no millions of pairs.
    hashes = np.array([*theirs, *ours], np.int64)
    indices, distances = near_duplicates.pairs(hashes, MAX_DISTANCE)
    across = (indices[:, 0] < len(theirs)) & (indices[:, 1] >= len(theirs))
    nearest: dict[int, Leak] = {}
    for (low, high), distance in zip(indices[across].tolist(), distances[across].tolist(), strict=True):
        for one in ours[int(hashes[high])]:
            for other in theirs[int(hashes[low])]:
                # The very same file is a leak of its own kind.
                if one.sha256 != other.sha256 and (one.entry, other.entry) not in different:
                    nearest.setdefault(one.pk, Leak(NEAR, one.pk, other.pk, distance))
    return list(nearest.values())


def _by_hash(items: list[_Seen]) -> dict[int, list[_Seen]]:
    found: dict[int, list[_Seen]] = {}
    for seen in items:
        if seen.phash is not None:
            found.setdefault(seen.phash, []).append(seen)
    return found


def _joined(own: list[_Seen], train: list[_Seen], together: set[tuple[int, int]]) -> list[Leak]:
    if not together:
        return []
    trained = {seen.entry: seen.pk for seen in train if seen.entry}
    ours = {seen.entry: seen.pk for seen in own if seen.entry}
    found: dict[int, Leak] = {}
    for one, other in together:
        if one in ours and other in trained and one != other:
            found.setdefault(ours[one], Leak(LESION, ours[one], trained[other]))
    return list(found.values())
