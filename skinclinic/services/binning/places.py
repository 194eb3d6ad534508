"""What the apps above hold of photos that go to the bin, or come back: each registers its places here."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from skinclinic.models import Patient, User
from skinclinic.services.consent import Effect

Photos = Collection[int]
# (photos, user, act): what follows in one place; with ``act`` it is done, else only looked up.
Place = Callable[[Photos, User, bool], Iterable[Effect]]
_places: list[Place] = []
# (the patient that stays, the other): what still takes the two for two.
Merged = Callable[[Patient, Patient], Iterable[Effect]]
_merged: list[Merged] = []
_restored: list[Callable[[Photos], None]] = []
# (photos): whether any of them is the curators' to delete.
_curated: list[Callable[[Photos], bool]] = []


@dataclass(frozen=True)
class Use:
    """A diagnosis that somebody made at a photo; by keys."""

    diagnosis: int
    photo: int
    lesion: int


# (photos or None, diagnoses or None): what was diagnosed at these photos, or where these diagnoses were made.
Users = Callable[[Photos | None, Collection[int] | None], Iterable[Use]]
_users: list[Users] = []


def on_bin(place: Place) -> Place:
    """Register a place where photos are used."""
    _places.append(place)
    return place


def on_merge(function: Merged) -> Merged:
    """Register what cannot follow when two patients become one."""
    _merged.append(function)
    return function


def on_restore(function: Callable[[Photos], None]) -> Callable[[Photos], None]:
    """Register what is done with photos that are back."""
    _restored.append(function)
    return function


def on_curated(function: Callable[[Photos], bool]) -> Callable[[Photos], bool]:
    """Register what makes photos the curators' to delete."""
    _curated.append(function)
    return function


def are_curated(photos: Photos) -> bool:
    """Whether any of these photos is the curators' to delete."""
    return bool(photos) and any(function(photos) for function in _curated)


def uses_diagnoses(function: Users) -> Users:
    """Register what knows at which photos diagnoses were made."""
    _users.append(function)
    return function


def effects(photos: Photos, user: User, *, act: bool) -> list[Effect]:
    """What follows elsewhere when these photos go."""
    return [effect for place in _places for effect in place(photos, user, act)] if photos else []


def still_two(keep: Patient, other: Patient) -> list[Effect]:
    """Where the two will go on being counted as two patients."""
    return [effect for function in _merged for effect in function(keep, other)]


def back(photos: Photos) -> None:
    """These photos are back."""
    for function in _restored if photos else ():
        function(photos)


def uses(*, photos: Photos | None = None, diagnoses: Collection[int] | None = None) -> list[Use]:
    return [use for function in _users for use in function(photos, diagnoses)]
