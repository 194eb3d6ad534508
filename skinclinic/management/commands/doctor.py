"""What is wrong with this installation, and what to do."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from skinclinic.backups.repository import Kept, Repository
from skinclinic.management.backup_folder import add_key_argument, key_of, run_of, told
from skinclinic.management.terminal import printable
from skinclinic.services.doctor import deep as rows_and_files
from skinclinic.services.doctor.findings import FAILURE, OK, Finding, all_findings

_SIGNS = {OK: "ok     ", FAILURE: "FAILURE"}


class Command(BaseCommand):
    help = (
        "Look at versions, disk, permissions, database, broker, workers, mail, TLS, models, GPU and backups, and say "
        "of each what is wrong and what to do. Exit status 1 if something fails; warnings do not count."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--deep",
            action="store_true",
            help="also hold rows and files against each other and read every file",
        )
        parser.add_argument(
            "--backups",
            type=Path,
            metavar="DEST",
            help="with --deep: compare photos with the newest backup there",
        )
        add_key_argument(parser)
        parser.add_argument("--json", action="store_true", help="a list of {part, level, said, remedy}")

    def handle(self, *args: Any, deep: bool, backups: Path | None, **options: Any) -> None:
        self.as_json, self.found = options["json"], list[Finding]()
        for finding in all_findings():
            self._note(finding)
        if deep and not any(one.part == "database" and one.level == FAILURE for one in self.found):
            with told():
                saved = self._saved(backups, options["key_file"])
            for finding in rows_and_files.findings(saved, self._say):
                self._note(finding)
        failures = sum(one.level == FAILURE for one in self.found)
        warnings = sum(one.level != OK for one in self.found) - failures
        if self.as_json:
            self.stdout.write(json.dumps([vars(one) for one in self.found], ensure_ascii=False, indent=1))
        else:
            self.stdout.write(f"{failures} failures, {warnings} warnings.")
        if failures:
            sys.exit(1)

    def _saved(self, backups: Path | None, key_file: Path | None) -> dict[str, Kept]:
        if backups is None:
            return {}
        repository = Repository(backups, key_of(key_file))
        return {kept.path: kept for kept in repository.manifest_of(run_of(repository, None)).files}

    def _note(self, one: Finding) -> None:
        self.found.append(one)
        if not self.as_json:
            self.stdout.write(f"{_SIGNS.get(one.level, 'warning')} {one.part}: {printable(one.said)}")
            if one.remedy:
                self.stdout.write(f"        → {printable(one.remedy)}")

    def _say(self, text: str) -> None:
        if not self.as_json:
            self.stdout.write(text)
            self.stdout.flush()
