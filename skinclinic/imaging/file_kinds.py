"""Which files among photos are photos, and what the others are: by their content, whatever they are called."""

import re
from pathlib import Path, PurePath, PurePosixPath

from . import sniff
from .refusals import _

LINK = _("a link")
HIDDEN = _("a hidden file or one that macOS or Windows puts beside others")
NO_FILE = _("no file (a device or pipe)")
MASK = _("a mask or a picture of superpixels")
EMPTY = _("an empty file")
UNREADABLE = _("a file that cannot be opened")
TEXT = sniff.kind_of(b"text, as in a table\n")
# What a table cannot mean, whatever it names.
NEVER_MEANT = frozenset((LINK, HIDDEN, NO_FILE))
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini", "icon\r"))
_SYSTEM_FOLDERS = frozenset(("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"))
_MASK_FILE = re.compile(
    r"(?:mask|[_\- ](?:mask(?:ed)?[_\- ]?\d*|seg|segmentation|superpixels?|attribute_\w+))$", re.IGNORECASE
)
_MASK_FOLDER = re.compile(r"(?:^|[_\- ])(?:masks?|segmentations?|superpixels?)$", re.IGNORECASE)


def by_name(name: PurePosixPath) -> str:
    """What a file is by its name alone, or ''."""
    if (
        name.name.startswith(".")
        or name.name.casefold() in _SYSTEM_FILES
        or not _SYSTEM_FOLDERS.isdisjoint(name.parts)
        or any(part.startswith(".") and part not in (".", "..") for part in name.parts[:-1])
    ):
        return HIDDEN
    return ""


def is_called_a_photo(name: PurePath) -> bool:
    """Whether its ending is a photo's, and its name not a mask's."""
    return name.suffix.casefold() in sniff.SUFFIXES and not _MASK_FILE.search(name.stem)


def by_content(name: PurePosixPath, start: bytes) -> str:
    """'' for a photo, else what it is; ``start``: its first bytes. A photo that is called a mask is taken for one."""
    if sniff.photo_format(start) is None:
        return sniff.kind_of(start) if start else EMPTY
    if _MASK_FILE.search(name.stem) or any(_MASK_FOLDER.search(part) for part in name.parts[:-1]):
        return MASK
    return ""


def of_path(path: Path, name: PurePosixPath) -> str:
    """'' for a photo on disk, else what it is; ``name``: its path below the folder that was given."""
    if path.is_symlink():
        return LINK
    if kind := by_name(name):
        return kind
    if not path.is_file():
        return NO_FILE
    try:
        with path.open("rb") as file:
            return by_content(name, file.read(sniff.HEAD_BYTES))
    except OSError:
        return UNREADABLE
