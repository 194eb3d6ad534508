"""Archives without a table: a folder a disease."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from skinclinic.archive.formats.photo_sets import PhotoSet
from skinclinic.archive.formats.problems import PhotosRefused, _
from skinclinic.archive.formats.rows import Row

# The folder that holds the photo is 1, the one above it 2; the outermost is -1, the next -2.
HOLDS_THE_PHOTO = 1


def rows(photos: PhotoSet, level: int = HOLDS_THE_PHOTO) -> Iterator[Row]:
    """A row for each photo, its disease named by the folder at ``level``."""
    for number, name in enumerate(photos.names, start=1):
        yield Row(number=number, file=name, external_id=name[-200:], label=folder_of(name, level))


def dermofit_rows(photos: PhotoSet) -> Iterator[Row]:
    """Dermofit: class / lesion / picture as delivered, the lesion's folder being called as its picture; or unpacked
    as class / picture."""
    for number, name in enumerate(photos.names, start=1):
        path = PurePosixPath(name)
        is_lesion = path.parent.name == path.stem and len(path.parts) > 2
        lesion = "/".join(path.parts[-3:-1]) if is_lesion else ""
        yield Row(
            number=number, file=name, external_id=name[-200:], label=folder_of(name, 2 if is_lesion else 1),
            lesion=lesion[-60:],
        )  # fmt: skip


def folder_of(name: str, level: int) -> str:
    """The name of the folder at ``level``. Raises PhotosRefused where there is none."""
    folders = PurePosixPath(name).parts[:-1]
    if not folders:
        raise PhotosRefused(
            _("“%(name)s” lies in no folder; each disease needs a folder of its own."), name=name
        )
    place = -level if level > 0 else -level - 1
    if not -len(folders) <= place < len(folders):
        raise PhotosRefused(
            _("“%(name)s” does not lie deep enough: the disease was to be named by folder number %(level)s."),
            name=name,
            level=abs(level),
        )
    return folders[place]
