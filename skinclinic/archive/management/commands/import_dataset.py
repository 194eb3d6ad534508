"""Import photos with their labels into a clinic's archive."""

import json
import time
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from skinclinic.archive.formats.columns import READERS
from skinclinic.archive.formats.reading import WITHOUT_TABLE
from skinclinic.archive.models import PROVENANCE, DatasetRole, Import, Source
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.engine.jobs import JobError
from skinclinic.management import chosen
from skinclinic.web.inputs import storable


class Command(BaseCommand):
    help = "Check photos and their table as a whole, then write them to the archive. Safe to repeat."

    def add_arguments(self, parser):
        parser.add_argument("name", help="name of the dataset and its source")
        parser.add_argument("--photos", required=True, type=Path, help="folder or ZIP")
        parser.add_argument(
            "--metadata", type=Path, help="table (CSV); not for med-node, folder and skinclinic"
        )
        parser.add_argument("--format", choices=Import.Format.values, default=Import.Format.CSV)
        parser.add_argument(
            "--map", type=Path, help='JSON: {"columns": {field: column}, "labels": {word: label}}'
        )
        parser.add_argument("--role", choices=DatasetRole.values, default=DatasetRole.BOTH)
        parser.add_argument("--clinic", help="short name of the clinic; not needed when there is one")
        parser.add_argument("--user", help="who imports")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        for name in PROVENANCE:
            parser.add_argument(f"--{name.replace('_', '-')}", default="", help="where the photos come from")

    def handle(self, *args, **options):
        mapping = _mapping(options["map"])
        _check_words(options)
        try:
            row = self._begin(options, mapping)
        except imports.NotNow as refused:
            raise CommandError(str(refused)) from None
        try:
            with imports.here(imports.CHECK_JOB, row):
                imports.run_check(row, lambda done, total: self._line(f"checking {done} of about {total}"))
            self._report(row)
            if row.state == imports.State.REFUSED:
                raise CommandError("Nothing was imported. Mend the above and run the same command again.")
        except BaseException as error:
            imports.fail(row, str(error))
            imports.discard(row)
            if isinstance(error, JobError):
                raise CommandError(str(error)) from error
            raise
        if options["dry_run"]:
            imports.discard(row)
            self.stdout.write("dry run: nothing was written")
            return
        self._write(row)

    def _begin(self, options, mapping: dict) -> Import:
        return imports.begin(
            clinic=chosen.clinic(options["clinic"]), user=chosen.user(options["user"]), name=options["name"].strip(),
            format=options["format"], role=options["role"], photos=str(_there(options["photos"]).resolve()),
            metadata=str(table.resolve()) if (table := _table(options)) else "",
            columns=mapping.get("columns", {}), labels=mapping.get("labels", {}),
            provenance={name: options[name] for name in PROVENANCE},
        )  # fmt: skip

    def _write(self, row: Import) -> None:
        started = time.monotonic()
        try:
            with imports.here(imports.WRITE_JOB, row):
                imports.run_write(
                    row, lambda done: self._line(f"writing {done} of {row.total}") if done % 20 == 0 else None
                )
        except BaseException as error:
            imports.fail(row, str(error) or type(error).__name__)
            if isinstance(error, JobError):
                raise CommandError(f"{error} Run the same command again: what is there stays.") from error
            raise
        seconds = time.monotonic() - started
        self.stdout.write(f"{row.written} rows written in {seconds:.1f} s; {row.get_state_display()}")

    def _report(self, row: Import) -> None:
        report = row.report
        if report.get("refused"):
            self.stderr.write(in_words(report["refused"]))
            return
        for problem in report["errors"]:
            shown = ", ".join(map(str, problem["rows"][:20])) + (" …" if problem["count"] > 20 else "")
            where = f"column {problem['column']}: " if problem["column"] else ""
            self.stderr.write(f"{where}{in_words(problem)} ({problem['count']} rows: {shown})")
        for word, count in report["unknown_labels"].items():
            self.stderr.write(
                f"unknown label “{word}”: {count} rows. Map it with --map, to a disease key, a name or “-”."
            )
        if (more := report["unknown_label_count"] - len(report["unknown_labels"])) > 0:
            self.stderr.write(f"and {more} more unknown labels")
        if report["files_without_row_count"]:
            names = ", ".join(report["files_without_row"][:10])
            self.stdout.write(
                f"{report['files_without_row_count']} photos without a row are left out: {names}"
            )
        for first, second in report["doubled"]:
            self.stdout.write(f"row {second} is the same file as row {first} and is left out")
        counts = {name: report[name] for name in ("new", "changed", "unchanged", "known", "left_out")}
        self.stdout.write("; ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))
        for label, count in report["labels"].items():
            self.stdout.write(f"  {label}: {count}")

    def _line(self, text: str) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{text}   ", ending="")
            self.stdout.flush()


def _check_words(options) -> None:
    """Name and provenance must fit their columns."""
    source = Source(name=options["name"].strip(), **{name: options[name] for name in PROVENANCE})
    try:
        source.clean_fields(exclude=["clinic", "created_by"])
    except ValidationError as error:
        said = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise CommandError(said) from None
    if not all(storable(options[name]) for name in ("name", *PROVENANCE)):
        raise CommandError("The name or what is said of the source holds characters that cannot be stored.")


def _there(path: Path) -> Path:
    try:
        if not path.exists():
            raise CommandError(f"{path} is not there.")
    except (OSError, ValueError) as error:
        raise CommandError(f"{str(path)[:80]!r} is no path: {error}") from None
    return path


def _table(options) -> Path | None:
    if options["format"] in WITHOUT_TABLE:
        return None
    if options["metadata"] is None:
        if options["format"] == Import.Format.EXPORT:
            return None
        raise CommandError(f"The format {options['format']} needs --metadata.")
    return _there(options["metadata"])


def _mapping(path: Path | None) -> dict:
    if path is None:
        return {}
    try:
        mapping = json.loads(_there(path).read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise CommandError(f"{path} cannot be read as JSON: {error}") from None
    parts = [mapping.get("columns", {}), mapping.get("labels", {})] if isinstance(mapping, dict) else []
    fit = [
        part for part in parts if isinstance(part, dict) and all(isinstance(v, str) for v in part.values())
    ]
    if len(fit) < 2:
        raise CommandError(f'{path} must read {{"columns": {{field: column}}, "labels": {{word: label}}}}.')
    if strange := sorted(set(fit[0]) - set(READERS)):
        raise CommandError(
            f"{path} names fields that do not exist: {', '.join(strange)}. Fields: {', '.join(READERS)}."
        )
    if not all(storable(text) for part in fit for pair in part.items() for text in pair):
        raise CommandError(f"{path} holds characters that cannot be stored (a NUL or half a character).")
    return {
        "columns": fit[0],
        "labels": {word: imports.tidy_label(label) for word, label in fit[1].items()},
    }
