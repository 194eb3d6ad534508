"""The photos of an import: a folder, or a ZIP that is read in place and never unpacked."""

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MOST_FILES = 1_000_000
MOST_RATIO = 200
_SMALL = 1 << 20
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"}
_NESTED = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"}


class PhotosRefused(ValueError):
    """The folder or ZIP cannot be used; the message says why and what to do."""


class FileTooLarge(ValueError):
    """One file is larger than a photo may be."""


class PhotoSet:
    """Photos by name: ``names`` are their paths below the folder, ``read`` gives the bytes of one."""

    def __init__(self, names: Iterator[str]):
        self.names: list[str] = []
        self._by_name: dict[str, str] = {}
        doubled = set()
        for name in names:
            if len(self.names) >= MOST_FILES:
                raise PhotosRefused(f"There are more than {MOST_FILES:,} files. Import them in parts.")
            self.names.append(name)
            for spelling in {_fold(name), _fold(PurePosixPath(name).name)}:
                if self._by_name.setdefault(spelling, name) != name:
                    doubled.add(spelling)
        # A bare name that two folders hold names neither; its path still does.
        for spelling in doubled:
            if self._by_name[spelling] and _fold(self._by_name[spelling]) != spelling:
                del self._by_name[spelling]

    def find(self, wanted: str) -> str | None:
        """The photo a table means: by its path or its bare name, with or without an ending."""
        folded = _fold(wanted.replace("\\", "/").removeprefix("./"))
        for ending in ("", *sorted(SUFFIXES)):
            if found := self._by_name.get(folded + ending):
                return found
        return None

    def read(self, name: str, most: int) -> bytes:
        raise NotImplementedError

    def close(self) -> None: ...


class Folder(PhotoSet):
    def __init__(self, path: Path):
        self.path = path.resolve()
        super().__init__(self._walk())

    def _walk(self) -> Iterator[str]:
        for folder, inside, files in os.walk(self.path):
            inside.sort()
            for file in sorted(files):
                path = Path(folder, file)
                if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink():
                    yield path.relative_to(self.path).as_posix()

    def read(self, name: str, most: int) -> bytes:
        path = self.path / name
        if path.stat().st_size > most:
            raise FileTooLarge(name)
        return path.read_bytes()


class Zip(PhotoSet):
    def __init__(self, path: Path):
        try:
            self.file = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise PhotosRefused(f"The ZIP cannot be read ({error}). Make it anew.") from None
        self._infos = {}
        try:
            super().__init__(self._walk())
        except BaseException:
            self.file.close()
            raise

    def _walk(self) -> Iterator[str]:
        for info in self.file.infolist():
            name = PurePosixPath(unicodedata.normalize("NFC", info.filename.replace("\\", "/")))
            if name.is_absolute() or ".." in name.parts or "\0" in info.filename or ":" in name.parts[0:1]:
                raise PhotosRefused(
                    f"“{info.filename[:80]}” leads out of the ZIP. Make it anew without such names."
                )
            if stat.S_ISLNK(info.external_attr >> 16):
                raise PhotosRefused(f"“{info.filename[:80]}” is a link. Put the file itself into the ZIP.")
            if info.is_dir() or "__MACOSX" in name.parts or name.name.startswith("."):
                continue
            suffix = name.suffix.lower()
            if suffix in _NESTED:
                raise PhotosRefused(f"“{info.filename[:80]}” is an archive inside the ZIP. Unpack it first.")
            if info.flag_bits & 1:
                raise PhotosRefused("The ZIP is protected by a password. Make it anew without one.")
            if info.file_size > _SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
                raise PhotosRefused(
                    f"“{info.filename[:80]}” would grow {info.file_size // max(info.compress_size, 1)}-fold "
                    "when unpacked; no photo does that."
                )
            if suffix in SUFFIXES:
                if str(name) in self._infos:
                    raise PhotosRefused(f"“{name}” stands in the ZIP twice.")
                self._infos[str(name)] = info
                yield str(name)

    def read(self, name: str, most: int) -> bytes:
        info = self._infos[name]
        if info.file_size > most:
            raise FileTooLarge(name)
        try:
            with self.file.open(info) as file:
                # The directory may lie about the size.
                data = file.read(most + 1)
        except (
            zipfile.BadZipFile,
            EOFError,
            OSError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise OSError(f"cannot be unpacked ({error})") from None
        except Exception as error:  # zlib.error and its kin
            raise OSError(f"cannot be unpacked ({error})") from None
        if len(data) > most:
            raise FileTooLarge(name)
        return data

    def close(self) -> None:
        self.file.close()


def open_photos(path: Path) -> PhotoSet:
    """The photos of a folder or ZIP. Raises PhotosRefused."""
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Zip(path)
    raise PhotosRefused(f"{path.name} is neither a folder nor a file.")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
