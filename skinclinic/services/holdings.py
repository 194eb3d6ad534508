"""Which files rows name, and which folders are a row's: for backups, and for whoever asks whether all is there. Apps
register their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import F

from skinclinic.models import BinnedRow, Clinic, Photo

PHOTOS, MODELS = "photos", "models"


@dataclass(frozen=True)
class Held:
    """A file, ``path`` below SKINCLINIC_HOME, that must be there as long as the row is. ``row``: how the row is called;
    ``sha256``: of the file, "" where no row says it."""

    path: str
    row: str
    sha256: str = ""


# f(alias of a database) -> the files its rows name.
Named = Callable[[str], Iterator[Held]]
_named: list[Named] = []
# {folder below SKINCLINIC_HOME: f() -> the names in it that are a row's}
Owned = Callable[[], set[str]]
owned: dict[str, Owned] = {}


def names_files(function: Named) -> Named:
    """Register a function that tells which files rows name."""
    _named.append(function)
    return function


def all_named(alias: str) -> Iterator[Held]:
    """Every file that a row of this database names; several rows may name one."""
    for function in _named:
        yield from function(alias)


@names_files
def of_photos(alias: str) -> Iterator[Held]:
    photos = Photo._base_manager.using(alias).order_by("pk").values_list("pk", "file_key", "thumbnail_key")
    for key, *files in photos.iterator(4096):
        for file in files:
            yield Held(f"{PHOTOS}/{file}", f"photo {key}")


@names_files
def of_photos_in_the_bin(alias: str) -> Iterator[Held]:
    copies = BinnedRow._base_manager.using(alias).filter(model="skinclinic.photo", item__ended_at=None)
    for key, *files in copies.values_list("key", "data__file_key", "data__thumbnail_key").iterator(4096):
        for file in filter(None, files):
            yield Held(f"{PHOTOS}/{file}", f"photo {key} in the bin")


@names_files
def of_letterheads(alias: str) -> Iterator[Held]:
    clinics = Clinic._base_manager.using(alias).exclude(letter_logo="")
    for key, file in clinics.values_list("pk", F("letter_logo")):
        yield Held(f"{PHOTOS}/{file}", f"letterhead of clinic {key}")
