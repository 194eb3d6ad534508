"""One backup of everything that rows and files hold, while the site runs."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.crypto import salted_hmac

from skinclinic.backups.repository import Damaged, Kept, Manifest, Repository, Run
from skinclinic.engine import clock
from skinclinic.files.store import StorageAway
from skinclinic.models import Clinic
from skinclinic.services import audit, holdings
from skinclinic.services.backing_up import home, tables
from skinclinic.services.backing_up.home import Seen
from skinclinic.services.backing_up.snapshot import ALIAS, snapshot
from skinclinic.services.holdings import Held

VERSION = str(settings.SPECTACULAR_SETTINGS["VERSION"])
# How often the snapshot is taken anew where files of its rows have gone meanwhile, and files are looked for anew.
_SNAPSHOTS, _LOOKS = 5, 3
_PIECE = 1 << 20
# Left free on the disk beside what is expected.
_SPARE = 64 << 20
_SAY_EVERY_SECONDS = 5.0
_NAMED = "%Y-%m-%dT%H%M%S"

Say = Callable[[str], None]


class BackupRefused(Exception):
    """Nothing was saved; the message says why and what to do."""


def key_mark(secret: str) -> str:
    """By which SECRET_KEY is known again; it tells nothing of it."""
    return salted_hmac("skinclinic.backup", "mark", secret=secret, algorithm="sha256").hexdigest()[:16]


def make(repository: Repository, say: Say = lambda text: None) -> Run:
    """Save everything; the run says how much, its manifest what is missing. Raises BackupRefused, RepositoryRefused
    and OSError; then there is no new backup."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupRefused(
            "The tables are those of another version of this program. Make the backup with the program that serves "
            "them, before it is updated; or run `manage.py migrate` first."
        )
    with repository.alone():
        try:
            run = _Making(repository, say).run(sorted(set(executor.loader.graph.nodes)))
        except StorageAway as away:
            raise BackupRefused(
                f"The photos could not be read: {away.why}. Nothing counts as saved; what was copied is not copied "
                "again. Try again when the bucket answers (`manage.py doctor` says more)."
            ) from away
    for clinic in Clinic.objects.all():
        audit.record("backup.make", clinic=clinic, facts={"at": run.at})
    return run


class _Making:
    def __init__(self, repository: Repository, say: Say):
        self.repository, self.say = repository, say
        self.there = repository.names()
        self.files: dict[str, Kept] = {}
        self.remarks: dict[str, str] = {}
        self.added, self.said_at = 0, time.monotonic()

    def run(self, migrations: list[tuple[str, str]]) -> Run:
        known = self._known()
        seen, _passed = self._scan()
        self._check_room(seen, known)
        self.files = {path: kept for path, kept in known.items() if _is_same(seen.get(path), kept)}
        self._copy(seen, "files")
        for _attempt in range(_SNAPSHOTS):
            manifest, named = self._snapshot(migrations)
            there = self._settle()
            missing = [one for one in named if one.path not in self.files]
            stale = self._gone_since(missing)
            if not stale:
                break
            self.say(f"{len(stale)} files went while rows were read; reading the rows again")
        else:
            raise BackupRefused(
                f"In {_SNAPSHOTS} attempts files went faster than rows could be read. Try again at a quieter time."
            )
        needed = there.keys() | {one.path for one in named}
        for one in named:
            if one.sha256 and one.path in self.files and self.files[one.path].sha256 != one.sha256:
                self.remarks[one.path] = (
                    f"the file of {one.row} is not what its row says; it is saved as it is"
                )
        for one in missing:
            self.remarks[one.path] = f"the file of {one.row} is missing; it was so before the backup"
            if one.path in known:
                # Else it would be gone for good with the last of the older backups.
                self.files[one.path] = known[one.path]
                self.remarks[one.path] += ", which keeps the copy of the one before"
        manifest.files = [self.files[path] for path in sorted(self.files.keys() & needed)]
        manifest.remarks += [f"{path}: {why}" for path, why in sorted(self.remarks.items())]
        return self.repository.finish(manifest, self.added, VERSION)

    def _known(self) -> dict[str, Kept]:
        """Files of the newest backup, as far as they lie there with their whole length."""
        runs = self.repository.runs()
        if not runs:
            return {}
        try:
            files = self.repository.manifest_of(runs[0]).files
        except Damaged as error:
            self.say(f"the backup of {runs[0].at} is damaged ({error}); every file is read anew")
            return {}
        return {kept.path: kept for kept in files if self._is_there(kept)}

    def _is_there(self, kept: Kept) -> bool:
        name = self.repository.name_of(kept.sha256)
        return self.there.get(name) == self.repository.size_of(kept.size)

    def _scan(self) -> tuple[dict[str, Seen], list[str]]:
        # A key beside what it opens would make a folder that is not encrypted worth stealing twice.
        seen, passed = home.scan(with_key=self.repository.key is not None)
        for text in passed:
            path, _colon, why = text.partition(": ")
            self.remarks[path] = why
        return seen, passed

    def _check_room(self, seen: dict[str, Seen], known: dict[str, Kept]) -> None:
        new = sum(one.size for path, one in seen.items() if not _is_same(one, known.get(path)))
        need, free = new + _size_of_rows() + _SPARE, self.repository.room()
        if need > free:
            raise BackupRefused(
                f"Too little room at {self.repository.path}: about {_megabytes(need)} are needed and "
                f"{_megabytes(free)} are free. Nothing was saved. Make room, remove old backups with "
                "`manage.py backup DEST --prune --keep N`, or take another disk."
            )

    def _copy(self, seen: dict[str, Seen], what: str) -> bool:
        """Take over what is not there as it is now; whether there was any."""
        new = {path: one for path, one in seen.items() if not _is_same(one, self.files.get(path))}
        total, done = sum(one.size for one in new.values()), 0
        for number, (path, one) in enumerate(new.items(), 1):
            try:
                stored, added = self.repository.put(_pieces(path))
            except _NotRead as error:
                if not error.is_gone:
                    self.remarks[path] = f"it cannot be read ({error}) and is not saved"
                continue
            self.remarks.pop(path, None)
            self.files[path] = Kept(path, stored.sha256, stored.size, one.changed)
            self.added += added
            done += one.size
            self._say_now_and_then(
                f"{what}: {number:,} of {len(new):,}, {_megabytes(done)} of {_megabytes(total)}"
            )
        return bool(new)

    def _snapshot(self, migrations: list[tuple[str, str]]) -> tuple[Manifest, list[Held]]:
        """All rows of one moment, and the files they name."""
        models = tables.models_of(apps)
        with snapshot() as own:
            at = clock.now()
            manifest = Manifest(self._name(at))
            for model in models:
                parts, count = list[tuple[str, int]](), 0
                for rows, part in tables.parts_of(model):
                    stored, added = self.repository.put([part])
                    self.added += added
                    count += rows
                    parts.append((stored.sha256, stored.size))
                    self._say_now_and_then(f"rows of {model._meta.db_table}: {count:,}")
                columns = [field.attname for field in tables.columns_of(model)]
                table = {"columns": columns, "rows": count, "parts": parts}
                manifest.tables[model._meta.label_lower] = table
            named = list(dict.fromkeys(holdings.all_named(ALIAS)))
            known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
            others = tables.names(own) - known - {tables.MIGRATIONS}
            manifest.about = {
                "version": VERSION,
                "database": own.vendor,
                "moment": at.isoformat(),
                "migrations": migrations,
                "counters": tables.counters(own, models),
                "secret_key": key_mark(settings.SECRET_KEY),
            }
        if others:
            manifest.remarks.append(f"tables that no part of the program has, not saved: {sorted(others)}")
        return manifest, named

    def _name(self, at: datetime) -> str:
        """The moment; where the backup before is of a later one, a millisecond after that: what was made last is given
        back first and goes last, whatever a clock has shown."""
        name = _as_name(at)
        before = next((run.at for run in self.repository.runs()), "")
        if before < name:
            return name
        later = _as_name(datetime.strptime(before, f"{_NAMED}.%f%z") + timedelta(milliseconds=1))
        self.say(
            f"A clock is or was wrong: the backup before is of {before}, and it is {name} now. This one is named "
            f"{later}."
        )
        return later

    def _settle(self) -> dict[str, Seen]:
        """Take over what came since, until nothing new is found or it never ends; what was there last."""
        for _look in range(_LOOKS):
            seen, _passed = self._scan()
            if not self._copy(seen, "files that came meanwhile"):
                break
        return seen

    def _gone_since(self, missing: list[Held]) -> list[Held]:
        """Those whose rows have gone along with them. A row goes before its file: where the row is still there, the
        file has been lost."""
        if not missing:
            return []
        with snapshot():
            named = {one.path for one in holdings.all_named(ALIAS)}
        return [one for one in missing if one.path not in named]

    def _say_now_and_then(self, text: str) -> None:
        if time.monotonic() - self.said_at > _SAY_EVERY_SECONDS:
            self.said_at = time.monotonic()
            self.say(text)


def _as_name(at: datetime) -> str:
    return f"{at:{_NAMED}}.{at.microsecond // 1000:03}Z"


def _is_same(seen: Seen | None, kept: Kept | None) -> bool:
    return seen is not None and kept is not None and (seen.size, seen.changed) == (kept.size, kept.changed)


class _NotRead(Exception):
    """A file of the home, unlike one of the backup, that cannot be read."""

    def __init__(self, error: OSError):
        super().__init__(error.strerror)
        self.is_gone = isinstance(error, FileNotFoundError)


def _pieces(path: str) -> Iterator[bytes]:
    try:
        file = home.open_file(path)
    except OSError as error:
        raise _NotRead(error) from error
    with file:
        while piece := _read(file):
            yield piece


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_PIECE)
    except OSError as error:
        raise _NotRead(error) from error


def _size_of_rows() -> int:
    """About what they take, compressed."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        return cursor.fetchone()[0] // 2


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
