"""The proven photos of the clinic's archive that the model finds most like the square it has answered."""

from dataclasses import dataclass, field

import numpy as np
from django.db.models import Q

from classifier.analysing import nearest
from classifier.models import Analysis, PhotoFeatures
from classifier.services.analysis import features
from classifier.services.similar import bank
from skinclinic.archive.models import Entry, Review
from skinclinic.archive.services.curating import consent
from skinclinic.imaging import Box, largest_centred_square
from skinclinic.models import Photo

# As many as stand in a row beside the model's list.
SHOWN = 6
FOUND, NONE_PROVEN, NO_FEATURES, SET_ASIDE = "found", "none_proven", "no_features", "set_aside"
# Part of the square was covered after the answer: what the model saw is there no more.
COVERED = "covered"
# Of so many photos it is asked together whether they may be shown: more than are wanted, since some lack consent or
# show the same lesion.
_ASKED_AT_ONCE = 24
STATES = (FOUND, NONE_PROVEN, NO_FEATURES, SET_ASIDE, COVERED)


@dataclass(frozen=True)
class Neighbour:
    """A proven photo. ``likeness``: cosine between the features, at most 1; 1 for the same picture."""

    entry: Entry
    likeness: float

    @property
    def is_reviewed(self) -> bool:
        return self.entry.review == Review.ACCEPTED


@dataclass(frozen=True)
class Found:
    """``state``: one of the words above. ``compared``: proven photos that were looked through; ``lacking``: those that
    could not be, though they may be used; ``own``: proven photos of the same patient or lesion, which are left out and
    in neither of the others."""

    state: str
    neighbours: list[Neighbour] = field(default_factory=list)
    compared: int = 0
    lacking: int = 0
    own: int = 0


def of_analysis(row: Analysis, most: int = SHOWN) -> Found:
    """The photos nearest to a finished analysis, by its model version, one a lesion, nearest first.

    Photos of the same lesion, picture and patient are left out and counted: they are no second opinion, and they
    are shown with the patient. So is what may not be used any more. Who may see the answer may see these; it is for the
    caller to ask.
    """
    if row.set_aside:
        return Found(SET_ASIDE)
    if row.before_cover:
        # The features that are kept of the square are those of what it shows now.
        return Found(COVERED)
    own = features.of_square(row)
    if own is None:
        return Found(NO_FEATURES)
    (query,) = nearest.unit(own[None])
    looking = _Looking(row.photo, row.model_version_id, query, most)
    apart = list(_own(row).values_list("photo", flat=True))
    searched = bank.of(row.clinic_id, row.model_version_id).search(
        query, looking.look, [row.photo_id, *apart]
    )
    if searched.is_empty:
        return Found(NONE_PROVEN)
    entries = Entry.objects.select_related("source", "photo").in_bulk([pk for _d, pk in looking.nearest()])
    neighbours = [
        Neighbour(entries[pk], nearest.likeness(distance))
        for distance, pk in looking.nearest()
        if pk in entries
    ]
    return Found(FOUND, neighbours, searched.photos, searched.lacking, len(apart))


def of_photo(photo: Photo, model_id: int, own: np.ndarray, most: int) -> list[int]:
    """Keys of the entries of the photos nearest to one with features ``own``, float16 [D], as ``of_analysis`` has them.
    ``photo`` has its lesion."""
    (query,) = nearest.unit(own[None])
    looking = _Looking(photo, model_id, query, most)
    bank.of(photo.clinic_id, model_id).search(query, looking.look)
    return [pk for _distance, pk in looking.nearest()]


def _own(row: Analysis):
    """Proven photos of the same patient, else of the same lesion or in the same picture."""
    photo, lesion = row.photo, row.photo.lesion
    proven = bank.proven(row.clinic_id).exclude(photo=row.photo_id)
    if lesion.patient_id:
        return proven.filter(photo__lesion__patient=lesion.patient_id)
    return proven.filter(Q(photo__lesion=lesion.pk) | _in_same_picture(photo))


def _in_same_picture(photo: Photo) -> Q:
    """Further lesions in one picture are one patient's, whether that is known or not."""
    return Q(photo__picture=photo.picture) if photo.picture else Q(pk__in=())


class _Looking:
    """Reads the photos that a search comes by, as they are now, and remembers the nearest of each lesion."""

    def __init__(self, photo: Photo, model_id: int, query: np.ndarray, most: int):
        self._photo, self._model, self._query, self._most = photo, model_id, query, most
        self._best: dict[object, tuple[float, int]] = {}

    def look(self, keys: list[int]) -> float:
        """See ``nearest.search``. Whether a photo may be shown is asked from the nearest on, and not of those that
        could not be among the wanted any more."""
        near = self._distances(keys)
        for start in range(0, len(near), _ASKED_AT_ONCE):
            part = {
                pk: distance
                for distance, pk in near[start : start + _ASKED_AT_ONCE]
                if distance <= self._limit()
            }
            if not part:
                break
            for key, pk, source, name, lesion in self._usable(list(part)):
                self._note(part[key], pk, source, name, lesion)
        return self._limit()

    def _limit(self) -> float:
        """How far the last of the wanted is; infinity while there are too few."""
        far = sorted(distance for distance, _pk in self._best.values())
        return far[self._most - 1] if len(far) >= self._most else float("inf")

    def _distances(self, keys: list[int]) -> list[tuple[float, int]]:
        """(squared distance, key) of these features, as far as they are there, nearest first."""
        ids, vectors = bank.read(keys, self._query.size)
        distances = np.square(vectors - self._query).sum(axis=1)
        return sorted(zip(distances.tolist(), ids.tolist(), strict=True))

    def _usable(self, keys: list[int]) -> list[tuple[int, int, int, str, int]]:
        """Of these features those whose photos may be shown beside this one: their key, the entry, its source, what
        that calls the lesion, the lesion."""
        photo, lesion = self._photo, self._photo.lesion
        entry = "photo__archive_entry__"
        # Conditions on the rows joined, and no list of all proven photos: SQLite would go through that.
        usable = PhotoFeatures.objects.filter(
            bank.is_proven(entry), pk__in=keys, clinic=photo.clinic_id, model_version=self._model,
            **{f"{entry}clinic": photo.clinic_id},
        )  # fmt: skip
        usable = usable.exclude(consent.missing(entry)).exclude(photo=photo.pk)
        usable = usable.exclude(photo__lesion=lesion.pk).exclude(_in_same_picture(photo)).order_by()
        if lesion.patient_id:
            usable = usable.exclude(photo__lesion__patient=lesion.patient_id)
        found = usable.values_list(
            "box_x", "box_y", "box_size", "photo__box_x", "photo__box_y", "photo__box_size",
            "photo__width", "photo__height",
            "pk", f"{entry}pk", f"{entry}source", f"{entry}source_lesion", "photo__lesion",
        )  # fmt: skip
        return [line[8:] for line in found if Box(*line[:3]) == _square(*line[3:8])]

    def _note(self, distance: float, pk: int, source: int, name: str, lesion: int) -> None:
        # The source's own name holds a lesion together that came in pieces.
        whose = (source, name) if name else lesion
        if whose not in self._best or (distance, pk) < self._best[whose]:
            self._best[whose] = (distance, pk)

    def nearest(self) -> list[tuple[float, int]]:
        """(squared distance, entry), nearest first, at most as many as asked for."""
        return sorted(self._best.values())[: self._most]


def _square(x: int | None, y: int | None, size: int | None, width: int, height: int) -> Box:
    if x is None or y is None or size is None:
        return largest_centred_square(width, height)
    return Box(x, y, size)
