"""A folder of backups. Pure.

    repository.json       what it is, and by which mark its key is known
    objects/ab/abcd…      contents, named by their SHA-256 (or, sealed, by a keyed hash of it), each stored once
    runs/TIME.json        one for each backup, written last: which object is its list of everything

An object is whole or has no name yet, and a run gets its name when all its objects are on the disk: what was cut off
looks like nothing, and the next run goes on with what is there. Without a key an object is the file itself, which
``sha256sum`` checks and ``cp`` gives back.
"""

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from skinclinic.backups.sealing import PIECE, Key, Unreadable
from skinclinic.files import whole

FORMAT = 1
ABOUT, OBJECTS, RUNS, LOCK = "repository.json", "objects", "runs", "lock"
# The last is in the root of a fresh disk.
_OF_EMPTY = (OBJECTS, RUNS, LOCK, "lost+found")


class RepositoryRefused(Exception):
    """The folder cannot be used as asked; the message says why and what to do."""


class Damaged(Exception):
    """An object is missing or not what it was; the message says which."""


@dataclass(frozen=True)
class Stored:
    """A content in the folder: its SHA-256 and its bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Kept:
    """A file of a run: ``changed``: its modification time in nanoseconds, by which the next run knows it again."""

    path: str
    sha256: str
    size: int
    changed: int

    @property
    def stored(self) -> Stored:
        return Stored(self.sha256, self.size)


@dataclass
class Manifest:
    """Everything of a run. ``tables``: {table: {columns, rows, parts}}, parts being the objects that hold its rows;
    ``about``: versions, migrations and counters of the database."""

    at: str
    files: list[Kept] = field(default_factory=list)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        content = asdict(self) | {"files": [[f.path, f.sha256, f.size, f.changed] for f in self.files]}
        return packed(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())

    @classmethod
    def of_bytes(cls, data: bytes) -> "Manifest":
        content = json.loads(gzip.decompress(data))
        return cls(**content | {"files": [Kept(*found) for found in content["files"]]})

    def parts(self) -> Iterator[tuple[str, Stored]]:
        """(what it is, the object) of everything."""
        for kept in self.files:
            yield kept.path, kept.stored
        for name in self.tables:
            for part in self.parts_of(name):
                yield f"rows of the table {name}", part

    def parts_of(self, table: str) -> list[Stored]:
        """The objects with the rows of a table, if the backup has it."""
        return [Stored(*part) for part in self.tables.get(table, {"parts": []})["parts"]]


@dataclass(frozen=True)
class Run:
    """What stands of a run beside its list. ``added``: bytes that were new."""

    at: str
    manifest: Stored
    files: int
    bytes: int
    rows: int
    added: int
    remarks: int
    version: str

    @classmethod
    def of_json(cls, text: str) -> "Run":
        content = json.loads(text)
        return cls(**content | {"manifest": Stored(**content["manifest"])})


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def packed(data: bytes) -> bytes:
    """Compressed, the same each time."""
    return gzip.compress(data, 6, mtime=0)


class Repository:
    """The folder at ``path``; with ``key`` everything in it is sealed. Raises RepositoryRefused, OSError."""

    def __init__(self, path: Path, key: Key | None = None):
        self.path, self.key = path, key
        try:
            about = json.loads((path / ABOUT).read_text(encoding="utf-8"))
            known, mark = about["format"], about["key"]
        except FileNotFoundError:
            raise RepositoryRefused(
                f"{path} is no folder of backups. Is its disk mounted? For a new one: `manage.py backup DEST --begin`."
            ) from None
        except (ValueError, KeyError, TypeError):
            raise RepositoryRefused(f"{path / ABOUT} is damaged; every folder of backups has one.") from None
        if known != FORMAT:
            raise RepositoryRefused(
                f"{path} was written by a newer version (format {known}); use that version."
            )
        if mark and key is None:
            raise RepositoryRefused(f"{path} is encrypted: say with --key-file where its key lies.")
        if not mark and key is not None:
            raise RepositoryRefused(
                f"{path} is not encrypted, and a key was given. Take a new, empty folder for encrypted backups."
            )
        if key is not None and key.mark() != mark:
            raise RepositoryRefused(f"The key is not that of {path} (mark {key.mark()} instead of {mark}).")

    @classmethod
    def begin(cls, path: Path, key: Key | None) -> "Repository":
        """The one that is there, or a new one in an empty folder, also where that was begun and cut off."""
        if not (path / ABOUT).exists():
            if path.exists() and not path.is_dir():
                raise RepositoryRefused(f"{path} is a file; a folder is needed.")
            if any(one.name not in _OF_EMPTY and whole.DRAFT not in one.name for one in _inside(path)) or any(
                _inside(path / RUNS)
            ):
                raise RepositoryRefused(f"{path} holds other files; take an empty folder.")
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (OBJECTS, RUNS):
                (path / folder).mkdir(exist_ok=True, mode=0o700)
            about = {"format": FORMAT, "key": key.mark() if key else ""}
            whole.write_whole(path / ABOUT, json.dumps(about) + "\n")
        return cls(path, key)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes or removes meanwhile."""
        with open(self.path / LOCK, "ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RepositoryRefused(
                    f"Another backup is being written to {self.path}, or old ones are being removed from it. "
                    "Wait until it has ended."
                ) from None
            yield

    # Objects

    def names(self) -> dict[str, int]:
        """Every object with its bytes on the disk."""
        found = dict[str, int]()
        for folder in os.scandir(self.path / OBJECTS):
            if folder.is_dir():
                found |= {one.name: one.stat().st_size for one in os.scandir(folder.path)}
        return found

    def name_of(self, sha256: str) -> str:
        return self.key.name_of(sha256) if self.key else sha256

    def size_of(self, size: int) -> int:
        return self.key.sealed_size(size) if self.key else size

    def path_of(self, sha256: str) -> Path:
        name = self.name_of(sha256)
        return self.path / OBJECTS / name[:2] / name

    def has(self, stored: Stored) -> bool:
        """Whether it is there with its whole length."""
        try:
            return self.path_of(stored.sha256).stat().st_size == self.size_of(stored.size)
        except OSError:
            return False

    def put(self, pieces: Iterable[bytes]) -> tuple[Stored, int]:
        """Store a content; gives it and how many bytes are new on the disk. Raises OSError."""
        draft = self.path / OBJECTS / f"{whole.DRAFT}{uuid.uuid4().hex}"
        digest, size = hashlib.sha256(), 0

        def seen() -> Iterator[bytes]:
            nonlocal size
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                yield piece

        try:
            with draft.open("xb") as file:
                for piece in self.key.seal(seen()) if self.key else seen():
                    file.write(piece)
            stored = Stored(digest.hexdigest(), size)
            if self.has(stored):
                return stored, 0
            target = self.path_of(stored.sha256)
            target.parent.mkdir(exist_ok=True, mode=0o700)
            draft.rename(target)
            return stored, self.size_of(size)
        finally:
            whole.remove(draft)

    def read(self, stored: Stored) -> Iterator[bytes]:
        """Its content a piece at a time; at the end it was what it should be. Raises Damaged, OSError."""
        digest = hashlib.sha256()
        try:
            with self.path_of(stored.sha256).open("rb") as file:
                for piece in self.key.open(file) if self.key else iter(lambda: file.read(PIECE), b""):
                    digest.update(piece)
                    yield piece
        except FileNotFoundError:
            raise Damaged(f"the object {self.name_of(stored.sha256)} is missing") from None
        except Unreadable as error:
            raise Damaged(f"the object {self.name_of(stored.sha256)} cannot be opened: {error}") from None
        if digest.hexdigest() != stored.sha256:
            raise Damaged(
                f"the object {self.name_of(stored.sha256)} has another hash than when it was written"
            )

    def whole(self, stored: Stored) -> bytes:
        return b"".join(self.read(stored))

    # Runs

    def runs(self) -> list[Run]:
        """Newest first. Raises RepositoryRefused for one that cannot be read."""
        found = []
        for path in sorted((self.path / RUNS).glob("*.json"), reverse=True):
            try:
                found.append(Run.of_json(path.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError):
                raise RepositoryRefused(f"{path} is damaged. Remove it to use the other backups.") from None
        return found

    def manifest_of(self, run: Run) -> Manifest:
        """Raises Damaged."""
        try:
            found = Manifest.of_bytes(self.whole(run.manifest))
        except (ValueError, KeyError, TypeError, EOFError, gzip.BadGzipFile):
            raise Damaged("its list of everything cannot be read") from None
        if found.at != run.at:
            raise Damaged("its list of everything is that of another backup")
        return found

    def finish(self, manifest: Manifest, added: int, version: str) -> Run:
        """Write a run's list and then the run, once everything is on the disk."""
        stored, more = self.put([manifest.to_bytes()])
        os.sync()
        run = Run(
            manifest.at, stored, len(manifest.files), sum(kept.size for kept in manifest.files),
            sum(table["rows"] for table in manifest.tables.values()), added + more, len(manifest.remarks), version,
        )  # fmt: skip
        whole.write_whole(self.path / RUNS / f"{run.at}.json", json.dumps(asdict(run)) + "\n")
        return run

    def verify(self, runs: Iterable[Run], each: Callable[[int], None] = lambda size: None) -> list[str]:
        """Hash every object of these runs anew, each once; what is not whole, in words. ``each``: bytes, as they are
        read."""
        wrong, looked = [], dict[Stored, str]()
        for run in runs:
            try:
                parts = list(self.manifest_of(run).parts())
            except (Damaged, OSError) as error:
                wrong.append(f"{run.at}: {error}")
                continue
            for what, stored in parts:
                if stored not in looked:
                    looked[stored] = self._why_not(stored, each)
                if looked[stored]:
                    wrong.append(f"{run.at}: {what}: {looked[stored]}")
        return wrong

    def _why_not(self, stored: Stored, each: Callable[[int], None]) -> str:
        try:
            for piece in self.read(stored):
                each(len(piece))
        except (Damaged, OSError) as error:
            return str(error)
        return ""

    def keep(self, newest: int) -> tuple[list[str], int]:
        """Remove all runs but the newest, and whatever no run needs; gives the removed and the bytes that are free."""
        runs = self.runs()
        stay, go = runs[:newest], runs[newest:]
        # First: a list that cannot be read must not let go what it names.
        needed = {self.name_of(run.manifest.sha256) for run in stay}
        for run in stay:
            needed |= {self.name_of(part.sha256) for _what, part in self.manifest_of(run).parts()}
        for run in go:
            whole.remove(self.path / RUNS / f"{run.at}.json")
        free = 0
        for name, size in self.names().items():
            if name not in needed:
                whole.remove(self.path / OBJECTS / name[:2] / name)
                free += size
        whole.sweep((self.path / OBJECTS).glob(f"{whole.DRAFT}*"), after=0)
        return [run.at for run in go], free

    def room(self) -> int:
        """Bytes that the disk still takes."""
        return shutil.disk_usage(self.path).free
