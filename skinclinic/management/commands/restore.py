"""Give a backup back."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from skinclinic.backups.repository import Repository
from skinclinic.files.store import StorageAway
from skinclinic.management.backup_folder import WITH_REMARKS, add_key_argument, key_of, run_of, told
from skinclinic.management.terminal import Tells, printable
from skinclinic.services.backing_up.restoring import Restored, RestoreRefused, give_back_files, restore

_TOLD = 20


class Command(Tells, BaseCommand):
    help = (
        "Give a backup of the folder SRC to this installation, which must be empty, and erase again who was erased "
        "since. Exit status: 0 all is there; 3 done, but files are missing, which is said; 1 no row was written."
    )

    def add_arguments(self, parser):
        parser.add_argument("src", type=Path, metavar="SRC")
        add_key_argument(parser)
        parser.add_argument(
            "--at", metavar="TIME", help="which one, as `backup SRC --list` names it; else the newest"
        )
        parser.add_argument(
            "--erasures", type=Path, metavar="FILE", help="a newer erasures.jsonl, kept elsewhere"
        )
        parser.add_argument(
            "--missing-files", action="store_true", help="only give back files that are missing here"
        )
        parser.add_argument(
            "--despite-damage", action="store_true", help="leave out files that are damaged there"
        )
        parser.add_argument("--other-key", action="store_true", help="although the former SECRET_KEY is lost")

    def handle(self, *args: Any, src: Path, **options: Any) -> None:
        with told():
            repository = Repository(src, key_of(options["key_file"]))
            run = run_of(repository, options["at"])
            if options["erasures"] and not options["erasures"].is_file():
                raise CommandError(f"{options['erasures']} is not there.")
            try:
                if options["missing_files"]:
                    self._missing_files(give_back_files(repository, run))
                    return
                done = restore(
                    repository, run, erasures=options["erasures"], despite_damage=options["despite_damage"],
                    other_key=options["other_key"], say=self._say,
                )  # fmt: skip
            except RestoreRefused as error:
                raise CommandError(str(error)) from error
            except StorageAway as away:
                raise CommandError(
                    f"{away.why}. Look what `manage.py doctor` says of the bucket, then give the same backup again."
                ) from away
        self.stdout.write(
            f"{run.at}: {done.rows:,} rows and {done.files:,} files are back. {done.erasures} erasures of the list "
            f"applied, {done.erased} patients erased again."
        )
        self._left_out(done)

    def _missing_files(self, done: Restored) -> None:
        self.stdout.write(f"{done.files} files were missing and are back.")
        self._left_out(done)

    def _left_out(self, done: Restored) -> None:
        wrong = [*(f"damaged in the backup: {one}" for one in done.damaged)]
        wrong += [f"missing: {one}" for one in done.missing]
        for text in wrong[:_TOLD]:
            self.stderr.write(printable(text))
        if wrong:
            self.stderr.write(f"{len(wrong)} files are missing. `manage.py doctor --deep` names them all.")
            sys.exit(WITH_REMARKS)

    def _say(self, text: str) -> None:
        self.say(printable(text))
