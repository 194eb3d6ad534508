"""The photos of an import: a folder, or a ZIP that is read in place and never unpacked."""

import io
import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath, PureWindowsPath

from skinclinic.archive.formats.problems import PhotosRefused, _
from skinclinic.imaging import file_kinds

MOST_FILES = 1_000_000
LONGEST_NAME = 1000
# One file, and all files together, may grow so many times; photos hardly grow at all.
MOST_RATIO = 200
MOST_RATIO_OF_ALL = 50
_SMALL = 1 << 20
# The directory of a ZIP is read at once: with shorter names than these a million files need no more.
MOST_DIRECTORY_BYTES = 160 << 20
# Bytes that tell what a file is.
_START = 4096
_NESTED = {
    ".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".lzma", ".zst",
    ".z", ".cab", ".jar", ".iso", ".dmg",
}  # fmt: skip
_UTF_8, _ENCRYPTED = 1 << 11, 1
# Each entry of the directory begins so.
_ENTRY = b"PK\x01\x02"


class FileTooLarge(ValueError):
    """One file is larger than a photo may be."""


class Unreadable(Exception):
    """One file cannot be read; the message, in the words of the system, says why."""


class Ambiguous(LookupError):
    """Several photos have the name that a table gives."""


class PhotoSet:
    """Photos by name: ``names`` are their paths below the folder, ``read`` gives the bytes of one.

    ``passed_over``: the other files, {kind of file: their names}; ``tables``: those of them that may be tables.
    """

    def __init__(self, files: Iterator[tuple[str, str]]):
        """``files``: (name, "" for a photo or the kind of any other file)."""
        self.names: list[str] = []
        self.passed_over: dict[str, list[str]] = {}
        # A spelling that several files share names none of them: with and without folder, with and without ending.
        self._paths: dict[str, str | None] = {}
        self._bare: dict[str, str | None] = {}
        self._path_stems: dict[str, str | None] = {}
        self._bare_stems: dict[str, str | None] = {}
        self._exact: set[str] = set()
        # Ends of paths, with a folder at least, made when a table first needs them.
        self._ends: dict[str, str | None] | None = None
        # The folders that a table writes before a path and that are not here; the same for all of its photos.
        self._before: str | None = None
        for number, (name, kind) in enumerate(files):
            if number >= MOST_FILES:
                raise _too_many()
            if not _is_text(name) or len(name) > LONGEST_NAME:
                raise PhotosRefused(
                    _("The name “%(name)s” is not text or too long. Rename the file."), name=name[:80]
                )
            if kind:
                self.passed_over.setdefault(kind, []).append(name)
            else:
                self.names.append(name)
            if kind not in file_kinds.NEVER_MEANT:
                self._know(name, is_photo=not kind)

    def _know(self, name: str, *, is_photo: bool) -> None:
        self._exact.add(name)
        path = _fold(name)
        for known, spelling in ((self._paths, path), (self._bare, path.rpartition("/")[2])):
            known[spelling] = None if spelling in known else name
        if is_photo:
            stem = str(PurePosixPath(path).with_suffix(""))
            for known, spelling in ((self._path_stems, stem), (self._bare_stems, stem.rpartition("/")[2])):
                known[spelling] = None if spelling in known else name

    @property
    def tables(self) -> list[str]:
        """Files that may be tables, by their names; HAM10000's has no ending."""
        return [
            name
            for kind, names in self.passed_over.items()
            if kind not in file_kinds.NEVER_MEANT
            for name in names
            if name.lower().endswith((".csv", ".tsv", ".tab"))
            or (kind == file_kinds.TEXT and name.lower().endswith((".txt", "metadata", "groundtruth")))
        ]

    def path_of(self, name: str) -> Path | None:
        """Where a file lies on disk; None in a ZIP."""
        return None

    def find(self, wanted: str) -> str | None:
        """The file a table means: by its path or its bare name, with or without an ending. The path may lack the outer
        folders of the photos, or have outer folders that are not here, the same ones throughout.

        Raises Ambiguous if there are several.
        """
        wanted = wanted.replace("\\", "/").removeprefix("./")
        if wanted in self._exact:
            return wanted
        folded = _fold(wanted)
        for known in (self._paths, self._path_stems, self._bare, self._bare_stems):
            if folded in known:
                if (found := known[folded]) is None:
                    raise Ambiguous(wanted)
                return found
        return self._by_end(folded) if "/" in folded else None

    def _by_end(self, path: str) -> str | None:
        """The file whose path ends so, or which is the end of that path."""
        if self._ends is None:
            self._ends = {}
            for known in (self._paths, self._path_stems):
                for whole, name in list(known.items()):
                    for end in _ends(whole):
                        self._ends[end] = None if self._ends.get(end, name) != name else name
        if path in self._ends:
            if (found := self._ends[path]) is None:
                raise Ambiguous(path)
            return found
        for end in _ends(path):
            name = self._paths.get(end) or self._path_stems.get(end)
            before = path.removesuffix(end)
            if name and self._before in (None, before):
                self._before = before
                return name
        return None

    def read(self, name: str, most: int) -> bytes:
        """The bytes of one photo. Raises FileTooLarge over ``most`` bytes, Unreadable."""
        raise NotImplementedError

    def close(self) -> None: ...


class NoPhotos(PhotoSet):
    """A table alone was sent."""

    def read(self, name: str, most: int) -> bytes:
        raise Unreadable("it was not sent")


class Folder(PhotoSet):
    def __init__(self, path: Path):
        self.path = path.resolve()
        super().__init__(self._walk())

    def _walk(self) -> Iterator[tuple[str, str]]:
        for folder, inside, files in os.walk(self.path, onerror=_refuse_folder):
            inside.sort()
            links = [name for name in inside if Path(folder, name).is_symlink()]
            for file in sorted([*files, *links]):
                path = Path(folder, file)
                name = path.relative_to(self.path)
                yield name.as_posix(), file_kinds.of_path(path, PurePosixPath(name.as_posix()))

    def path_of(self, name: str) -> Path | None:
        return self.path / name

    def read(self, name: str, most: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from None
        if len(data) > most:
            raise FileTooLarge(name)
        return data


def _refuse_folder(error: OSError) -> None:
    raise PhotosRefused(
        _("The folder “%(name)s” cannot be read (%(error)s)."),
        name=Path(error.filename or "").name,
        error=error.strerror or "",
    )


class Zip(PhotoSet):
    def __init__(self, path: Path):
        self._infos: dict[str, zipfile.ZipInfo] = {}
        try:
            self.size = path.stat().st_size
            with ExitStack() as opened:
                self._stream = opened.enter_context(_Bounded(io.FileIO(path)))
                self.file = zipfile.ZipFile(self._stream)
                self._check_sizes()
                super().__init__(self._walk())
                opened.pop_all()
        except PhotosRefused:
            raise
        except (
            zipfile.BadZipFile,
            OSError,
            NotImplementedError,
            ValueError,
            OverflowError,
            struct.error,
        ) as error:
            raise PhotosRefused(
                _("The ZIP cannot be read (%(error)s). Make it anew."), error=str(error)
            ) from None

    def _check_sizes(self) -> None:
        infos = self.file.infolist()
        if sum(info.compress_size for info in infos) > self.size:
            raise PhotosRefused(_("Files in the ZIP overlap each other. Make it anew."))
        grown = sum(info.file_size for info in infos)
        if grown > MOST_RATIO_OF_ALL * max(self.size, _SMALL):
            raise PhotosRefused(
                _("The ZIP would grow %(times)s-fold when unpacked; photos do not do that."),
                times=grown // self.size,
            )

    def _walk(self) -> Iterator[tuple[str, str]]:
        for info in self.file.infolist():
            text = _name(info)
            name = PurePosixPath(text)
            key = str(name)
            shown = text[:80]
            if leads_out(text) or "\0" in info.orig_filename:
                raise PhotosRefused(
                    _("“%(name)s” leads out of the ZIP. Make it anew without such names."), name=shown
                )
            if stat.S_ISLNK(info.external_attr >> 16):
                raise PhotosRefused(_("“%(name)s” is a link. Put the file itself into the ZIP."), name=shown)
            if info.is_dir():
                continue
            if kind := file_kinds.by_name(name):
                yield key, kind
                continue
            suffix = name.suffix.lower()
            if suffix in _NESTED:
                raise PhotosRefused(
                    _("“%(name)s” is an archive inside the ZIP. Unpack it first."), name=shown
                )
            if info.flag_bits & _ENCRYPTED:
                raise PhotosRefused(_("The ZIP is protected by a password. Make it anew without one."))
            if info.file_size > _SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
                raise PhotosRefused(
                    _("“%(name)s” would grow %(times)s-fold when unpacked; no photo does that."),
                    name=shown,
                    times=info.file_size // max(info.compress_size, 1),
                )
            self._add(key, info, shown)
            yield key, file_kinds.by_content(name, self._start(info))

    def _start(self, info: zipfile.ZipInfo) -> bytes:
        """The first bytes of a file; none of one that cannot be unpacked, which reading it will say."""
        try:
            with self.file.open(info) as file:
                return file.read(_START)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error, struct.error):
            return b""

    def _add(self, key: str, info: zipfile.ZipInfo, shown: str) -> None:
        # zipfile unpacks other methods without a bound on memory.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PhotosRefused(
                _("“%(name)s” is packed in an unusual way. Make an ordinary ZIP (deflate)."), name=shown
            )
        if key in self._infos:
            raise PhotosRefused(_("“%(name)s” stands in the ZIP twice."), name=shown)
        self._infos[key] = info

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
            RuntimeError,
            ValueError,
            zlib.error,
            struct.error,
        ) as error:
            raise Unreadable(str(error)) from None
        if len(data) > most:
            raise FileTooLarge(name)
        if len(data) != info.file_size:
            raise Unreadable("its size is not what the ZIP says")
        return data

    def close(self) -> None:
        self._stream.close()


class _Bounded(io.BufferedReader):
    """A ZIP as zipfile reads it: its directory at once, refused here if it alone would fill the memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size and size > MOST_DIRECTORY_BYTES:
            raise _too_many()
        data = super().read(size)
        if data.count(_ENTRY) > MOST_FILES:
            raise _too_many()
        return data


def _too_many() -> PhotosRefused:
    return PhotosRefused(
        _("There are more than %(most)s files. Import them in parts."), most=f"{MOST_FILES:,}"
    )


def open_photos(path: Path | None) -> PhotoSet:
    """The photos of a folder or ZIP, or none where only a table was sent. Raises PhotosRefused."""
    if path is None:
        return NoPhotos(iter(()))
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Zip(path)
    raise PhotosRefused(_("“%(name)s” is neither a folder nor a file; is it still there?"), name=path.name)


def leads_out(name: str) -> bool:
    """Whether a path of a ZIP would leave the folder it is unpacked in, on any system."""
    return ".." in name.split("/") or name.startswith("/") or bool(PureWindowsPath(name).drive)


def _name(info: zipfile.ZipInfo) -> str:
    """The path of a file in a ZIP; names without a mark are UTF-8 or CP949 where they can be."""
    name = info.filename
    if not info.flag_bits & _UTF_8 and not name.isascii():
        raw = name.encode("cp437")
        for encoding in ("utf-8", "cp949"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in name


def _ends(path: str) -> Iterator[str]:
    """ "a/b/c.jpg" ends with "b/c.jpg"; the bare name is no such end."""
    parts = path.split("/")
    for place in range(1, len(parts) - 1):
        yield "/".join(parts[place:])


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
