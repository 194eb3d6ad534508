"""Photos of a test set that a model has seen: the same photo, one that looks alike, its lesion or its patient."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from django.db.models import Q

from classifier.models import ModelVersion
from classifier.networks.weights import ModelRejected
from classifier.services.evaluation import seen as learnt
from classifier.services.training.data import TOGETHER, training_items
from skinclinic.archive import near_duplicates
from skinclinic.archive.models import DatasetItem, DuplicatePair, Entry
from skinclinic.archive.services.curating import torn_lesions
from skinclinic.archive.services.curating.duplicates import MAX_DISTANCE
from skinclinic.archive.services.exporting import pseudonyms

PHOTO, NEAR, LESION, PATIENT = "photo", "near", "lesion", "patient"
KINDS = (PHOTO, NEAR, LESION, PATIENT)
# What is looked at of a test photo.
NEEDED = ("version", "entry", "content_sha256", "phash", "person", "lesion")
_AT_ONCE = 500


@dataclass(frozen=True)
class Leak:
    """A test photo, as key of a dataset item, and the training photo it repeats. ``distance``: of near ones.

    ``train``: the key of a dataset item, too; or the name of a photo that is known by its hash alone.
    """

    kind: str
    test: int
    train: int | str
    distance: int | None = None


@dataclass(frozen=True)
class Leaks:
    """What a model has seen of a test set, itself or as the model it began from.

    ``unknown`` names the model or the starting weights whose training photos nobody knows; "" when all are known.
    ``by_hash``: some are known by their hashes alone, so that their patients and lesions are known only where the
    archive holds the photos as well.
    """

    unknown: str
    trained_on: str = ""
    found: tuple[Leak, ...] = field(default=())
    by_hash: bool = False

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
    """A photo of either side. ``upload``: the hash of the file as it was sent, where that is compared. ``name``: of
    one that is no dataset item, which then has no key that anybody else knows."""

    pk: int
    entry: int | None
    sha256: str
    phash: int | None
    person: str = ""
    lesion: str = ""
    upload: str = ""
    name: str = ""

    @property
    def told(self) -> int | str:
        """What a leak calls it."""
        return self.name or self.pk


class TrainingSide:
    """All photos that a model, or one that it began from, was trained on: read once, to be compared with any number
    of test sets. ``unknown``: see Leaks."""

    def __init__(self, model: ModelVersion):
        found = learnt.origin(model)
        self.unknown, self.trained_on = found.unknown, found.in_words
        self._photos = [
            _Seen(*row)
            for version in found.versions
            for row in training_items(version)
            .values_list("pk", "entry", "content_sha256", "phash", "person", "lesion")
            .order_by("pk")
            .iterator(2000)
        ]
        self._whole = torn_lesions.whole(found.versions[0].clinic_id) if found.versions else {}
        self._listed = list(self._read_lists(found.listed))
        self._different: set[tuple[int, int]] = set()
        self._together: set[tuple[int, int]] = set()
        if found.versions:
            pairs = DuplicatePair.objects.filter(clinic=found.versions[0].clinic_id)
            self._different = _both(pairs.filter(verdict=DuplicatePair.Verdict.DIFFERENT))
            self._together = _both(pairs.filter(verdict__in=TOGETHER))

    def _read_lists(self, models: Iterable[ModelVersion]) -> Iterator[_Seen]:
        for model in models:
            try:
                photos = learnt.list_of(model)
            except ModelRejected:
                # The file was lost or changed since: then nobody knows.
                self.unknown = self.unknown or model.name
                continue
            for one in photos:
                name = f"{model.name}: {one.content_sha256[:12]}"
                yield _Seen(0, None, one.content_sha256, one.phash, upload=one.upload_sha256, name=name)

    def leaks(self, test: list[DatasetItem]) -> Leaks:
        """Compare test items with the photos seen in training.

        A pair that a curator called different is none; one called the same photo or lesion is one.
        """
        own = [
            _Seen(item.pk, item.entry_id, item.content_sha256, item.phash, item.person, item.lesion)
            for item in test
        ]
        lesions = _equal(LESION, own, self._photos, "lesion")
        named = {leak.test for leak in lesions}
        found = [
            *_same_photo(own, self._photos),
            *_near(own, self._photos, self._different),
            *_joined(own, self._photos, self._together),
            *lesions,
            *_pieces([one for one in own if one.pk not in named], self._photos, self._whole),
            *_equal(PATIENT, own, self._photos, "person"),
        ]
        if self._listed:
            found += self._by_hash(own)
        return Leaks(self.unknown, self.trained_on, tuple(found), bool(self._listed))

    def _by_hash(self, own: list[_Seen]) -> list[Leak]:
        """What is known by hashes: the photos themselves; and, through photos of the archive that are among them,
        their lesions and patients."""
        found = self._known_by_hash(_with_uploads(own))
        names = {leak.test: leak.train for leak in found}
        bridges = [replace(one, name=str(names[one.pk])) for one in own if one.pk in names]
        others = list(_siblings(own))
        known = {leak.test for leak in self._known_by_hash(others)}
        bridges += [one for one in others if one.pk in known]
        return [*found, *_equal(LESION, own, bridges, "lesion"), *_equal(PATIENT, own, bridges, "person")]

    def _known_by_hash(self, photos: list[_Seen]) -> list[Leak]:
        return [*_same_file(photos, self._listed), *_near(photos, self._listed, set())]


def find(model: ModelVersion, test: list[DatasetItem]) -> Leaks:
    """What the model has seen of one test set."""
    return TrainingSide(model).leaks(test)


def _both(pairs) -> set[tuple[int, int]]:
    return {pair for a, b in pairs.values_list("first_id", "second_id") for pair in ((a, b), (b, a))}


def _parts(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _with_uploads(photos: list[_Seen]) -> list[_Seen]:
    """The photos with the hashes of the files they were made of, which stay the same however a photo is stored."""
    uploads: dict[int, str] = {}
    for keys in _parts(sorted(one.entry for one in photos if one.entry)):
        uploads |= dict(Entry.objects.filter(pk__in=keys).values_list("pk", "photo__sha256"))
    return [replace(one, upload=uploads.get(one.entry or 0, "")) for one in photos]


def _siblings(own: list[_Seen]) -> Iterator[_Seen]:
    """Other photos in the archive of the same patients and lesions, under their names there."""
    met = {one.entry for one in own}
    entries = sorted(entry for entry in met if entry)
    for keys in _parts(entries):
        here = Entry.objects.filter(pk__in=keys)
        patients = here.exclude(patient=None).values("patient")
        rows = Entry.objects.filter(
            Q(patient__in=patients) | Q(photo__lesion__in=here.values("photo__lesion"))
        ).exclude(pk__in=keys)
        values = rows.order_by("pk").values_list(
            "pk", "clinic_id", "source__name", "external_id", "content_sha256", "photo__sha256", "phash",
            "patient_id", "photo__lesion_id",
        )  # fmt: skip
        for pk, clinic, source, name, content, upload, phash, patient, lesion in values:
            if pk not in met:
                met.add(pk)
                person, of_lesion = pseudonyms.person(clinic, patient), pseudonyms.lesion(clinic, lesion)
                yield _Seen(-pk, pk, content, phash, person, of_lesion, upload, f"{source}: {name}")


def _equal(kind: str, own: list[_Seen], train: list[_Seen], name: str) -> list[Leak]:
    first: dict[str | int, int | str] = {}
    for seen in train:
        if value := getattr(seen, name):
            first.setdefault(value, seen.told)
    return [Leak(kind, seen.pk, first[getattr(seen, name)]) for seen in own if getattr(seen, name) in first]


def _same_photo(own: list[_Seen], train: list[_Seen]) -> list[Leak]:
    """The very same file, and photos of the archive whose file was covered since the model learnt from it."""
    found = _equal(PHOTO, own, train, "sha256")
    met = {leak.test for leak in found}
    return [*found, *_equal(PHOTO, [one for one in own if one.pk not in met], train, "entry")]


def _pieces(own: list[_Seen], train: list[_Seen], whole: Mapping[int, int]) -> list[Leak]:
    """Photos of a lesion that the archive holds in pieces, one of which was trained on."""
    if not whole:
        return []
    trained: dict[int, int | str] = {}
    for seen in train:
        if seen.entry and seen.entry in whole:
            trained.setdefault(whole[seen.entry], seen.told)
    ours = ((seen, whole.get(seen.entry or 0)) for seen in own)
    return [Leak(LESION, seen.pk, trained[lesion]) for seen, lesion in ours if lesion and lesion in trained]


def _same_file(own: list[_Seen], listed: list[_Seen]) -> list[Leak]:
    """Photos whose file is listed, as it is stored or as it was sent."""
    known: dict[str, int | str] = {}
    for seen in listed:
        for sha256 in filter(None, (seen.sha256, seen.upload)):
            known.setdefault(sha256, seen.told)
    found = ((seen, known.get(seen.sha256) or known.get(seen.upload)) for seen in own)
    return [Leak(PHOTO, seen.pk, train) for seen, train in found if train is not None]


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
                    nearest.setdefault(one.pk, Leak(NEAR, one.pk, other.told, distance))
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
