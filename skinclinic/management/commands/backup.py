"""Save everything, for a nightly timer; list, check and remove backups."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from skinclinic.backups import sealing
from skinclinic.backups.repository import Repository
from skinclinic.management.backup_folder import WITH_REMARKS, add_key_argument, key_of, run_of, told
from skinclinic.management.terminal import Tells, printable
from skinclinic.services.backing_up.making import BackupRefused, make


class Command(Tells, BaseCommand):
    help = (
        "Save all rows and files to the folder DEST while the site runs; what is there already is not copied again. "
        "Exit status: 0 all is saved; 3 saved, but files are missing here or could not be read, which is said; "
        "1 nothing was saved."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "dest", type=Path, nargs="?", metavar="DEST", help="a folder, best on another machine"
        )
        add_key_argument(parser)
        parser.add_argument(
            "--new-key", type=Path, metavar="FILE", help="only write a new key there; -: print it"
        )
        parser.add_argument(
            "--begin", action="store_true", help="the first time: DEST is empty or not there yet"
        )
        parser.add_argument(
            "--keep", type=int, metavar="N", help="afterwards remove all but the N newest backups"
        )
        parser.add_argument("--prune", action="store_true", help="only remove, as --keep says; save nothing")
        parser.add_argument("--list", action="store_true", help="only list the backups of DEST")
        parser.add_argument(
            "--verify", action="store_true", help="only read all of DEST and compare every hash"
        )
        parser.add_argument(
            "--at", metavar="TIME", help="with --verify: only this backup, as --list names it"
        )

    def handle(self, *args: Any, dest: Path | None, new_key: Path | None, **options: Any) -> None:
        with told():
            if new_key:
                self._new_key(new_key)
                return
            if dest is None:
                raise CommandError("Say where the backups lie: manage.py backup DEST")
            if options["keep"] is not None and options["keep"] < 1:
                raise CommandError("--keep must be 1 or more: at least the newest backup stays.")
            if options["prune"] and options["keep"] is None:
                raise CommandError("Say with --keep N how many backups stay.")
            key = key_of(options["key_file"])
            if options["list"]:
                self._list(Repository(dest, key))
            elif options["verify"]:
                self._verify(Repository(dest, key), options["at"])
            elif options["prune"]:
                self._keep(Repository(dest, key), options["keep"])
            else:
                self._save(dest, key, options["keep"], options["begin"])

    def _new_key(self, path: Path) -> None:
        if str(path) == "-":
            self.stdout.write(sealing.Key.new_text())
            return
        try:
            sealing.write_new_key(path)
        except FileExistsError:
            raise CommandError(f"{path} is there already; it is left as it is.") from None
        self.stdout.write(
            f"{path} holds a new key. Keep a copy where no backup lies: without it nobody opens them, with it "
            "everybody does."
        )

    def _save(self, dest: Path, key: sealing.Key | None, keep: int | None, begin: bool) -> None:
        if dest.resolve().is_relative_to(settings.SKINCLINIC_HOME.resolve()):
            raise CommandError(f"{dest} lies inside of what is saved ({settings.SKINCLINIC_HOME}).")
        repository = Repository.begin(dest, key) if begin else Repository(dest, key)
        try:
            run = make(repository, self._say)
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{run.at}: {run.rows:,} rows and {run.files:,} files ({run.bytes / 1e6:,.1f} MB) are saved, "
            f"{run.added / 1e6:,.1f} MB of them new"
            + (", encrypted." if key else ", not encrypted (see docs/backup.md).")
        )
        if keep is not None:
            self._keep(repository, keep)
        if run.remarks:
            for remark in repository.manifest_of(run).remarks:
                self.stderr.write(printable(remark))
            self.stderr.write(f"{run.remarks} remarks: `manage.py doctor --deep` says what to do.")
            sys.exit(WITH_REMARKS)

    def _list(self, repository: Repository) -> None:
        runs = repository.runs()
        for run in runs:
            remarks = f", {run.remarks} remarks" if run.remarks else ""
            self.stdout.write(
                f"{run.at}  {run.rows:>12,} rows  {run.files:>10,} files  {run.bytes / 1e6:>12,.1f} MB, "
                f"{run.added / 1e6:,.1f} MB new, version {run.version}{remarks}"
            )
        if not runs:
            self.stdout.write("There is no backup yet.")

    def _verify(self, repository: Repository, at: str | None) -> None:
        runs = [run_of(repository, at)] if at else repository.runs()
        if not runs:
            raise CommandError(f"{repository.path} holds no backup.")
        read = 0

        def count(size: int) -> None:
            nonlocal read
            if read // (1 << 30) != (read + size) // (1 << 30):
                self._say(f"{(read + size) / 1e9:,.0f} GB read")
            read += size

        wrong = repository.verify(runs, count)
        for text in wrong:
            self.stderr.write(printable(text))
        if wrong:
            raise CommandError(
                f"{len(wrong)} parts are damaged. Make a new backup to another folder now: what is damaged here is not "
                "written anew as long as it has its length."
            )
        self.stdout.write(f"{len(runs)} backups, {read / 1e6:,.1f} MB read: every hash is right.")

    def _keep(self, repository: Repository, newest: int) -> None:
        with repository.alone():
            gone, free = repository.keep(newest)
        self.stdout.write(f"{len(gone)} older backups removed, {free / 1e6:,.1f} MB free.")

    def _say(self, text: str) -> None:
        self.say(printable(text))
