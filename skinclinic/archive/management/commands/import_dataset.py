"""Import photos with their labels into a clinic's archive."""

import time
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from skinclinic.archive.formats.columns import LEAVE_OUT_ROW
from skinclinic.archive.formats.encodings import CANDIDATES
from skinclinic.archive.formats.values import DAY_FIRST, MONTH_FIRST
from skinclinic.archive.management import mapping, report_lines
from skinclinic.archive.models import PROVENANCE, DatasetRole, Import, Source
from skinclinic.archive.services.importing import comparing, imports
from skinclinic.engine.jobs import JobError
from skinclinic.management import chosen
from skinclinic.management.terminal import Tells, printable
from skinclinic.models import Photo
from skinclinic.web.inputs import storable


class Command(Tells, BaseCommand):
    help = "Check photos and their table as a whole, then write them to the archive. Safe to repeat."

    def add_arguments(self, parser):
        parser.add_argument("name", help="name of the dataset and its source")
        parser.add_argument(
            "--photos", type=Path, help="folder or ZIP; not needed for photos that are there already"
        )
        parser.add_argument(
            "--metadata", type=Path, help="table (CSV); where it lies among the photos it is found there"
        )
        parser.add_argument(
            "--second", type=Path, help="second table, as ISIC 2019, MILK10k and SCIN have one for the labels"
        )
        parser.add_argument("--format", choices=Import.Format.values, default=Import.Format.CSV)
        parser.add_argument("--map", type=Path, help=f"JSON: {mapping.SHAPE}")
        parser.add_argument(
            "--encoding", choices=CANDIDATES, default="", help="of the table, where it is not UTF-8"
        )
        parser.add_argument(
            "--level", type=int, default=0,
            help="folder that names the disease: 1 holds the photo, 2 is above that; -1 is the outermost",
        )  # fmt: skip
        parser.add_argument(
            "--kind", choices=Photo.Kind.values, default="", help="of photos whose kind nobody says"
        )
        parser.add_argument(
            "--confirmed-by", default="", help="how all are confirmed where the table says nothing"
        )
        parser.add_argument("--dates", choices=(DAY_FIRST, MONTH_FIRST), default="", help="of 3/5/2024")
        parser.add_argument(
            "--leave-out-missing",
            action="store_true",
            help="leave out, and name, rows whose photo is not there",
        )
        parser.add_argument("--ethnicity", default="", help="of all where the table says nothing")
        parser.add_argument(
            "--keep", nargs="*", metavar="FIELD", help="keep what is here where the source changed; or all"
        )
        parser.add_argument(
            "--take",
            nargs="*",
            metavar="FIELD",
            help="take what the source changed, also against decisions; or all",
        )
        parser.add_argument("--role", choices=DatasetRole.values, default=DatasetRole.BOTH)
        parser.add_argument("--clinic", help="short name of the clinic; not needed when there is one")
        parser.add_argument("--user", help="who imports")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        for name in PROVENANCE:
            parser.add_argument(f"--{name.replace('_', '-')}", default="", help="where the photos come from")

    def handle(self, *args, **options):
        said = mapping.read(_there(options["map"]) if options["map"] else None)
        _check_words(options)
        try:
            row = self._begin(options, said)
        except imports.NotNow as refused:
            raise CommandError(str(refused)) from None
        try:
            with imports.here(imports.CHECK_JOB, row):
                imports.run_check(
                    row, lambda done, total: self.say_in_place(f"checking {done} of about {total}")
                )
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

    def _begin(self, options, said: dict) -> Import:
        photos = options["photos"]
        if photos is None and not options["metadata"]:
            raise CommandError("Give --photos, or --metadata for photos that are there already.")
        names = {"kind": "kind", "confirmed_by": "confirmed_by", "dates": "dates", "ethnicity": "ethnicity"}
        defaults = {name: options[option] for name, option in names.items() if options[option]}
        if options["leave_out_missing"]:
            defaults["missing"] = LEAVE_OUT_ROW
        return imports.begin(
            clinic=chosen.clinic(options["clinic"]), user=chosen.user(options["user"]), name=options["name"].strip(),
            format=options["format"], role=options["role"], photos=str(_there(photos).resolve()) if photos else "",
            metadata=_path(options["metadata"]), second=_path(options["second"]), encoding=options["encoding"],
            level=options["level"], columns=said.get("columns"), labels=said.get("labels"), words=said.get("words"),
            defaults={**said.get("defaults", {}), **defaults},
            decisions=mapping.decisions(options["keep"], options["take"]),
            provenance={name: options[name] for name in PROVENANCE},
        )  # fmt: skip

    def _write(self, row: Import) -> None:
        started = time.monotonic()
        try:
            with imports.here(imports.WRITE_JOB, row):
                imports.run_write(
                    row,
                    lambda done: (
                        self.say_in_place(f"writing {done} of {row.total}") if done % 20 == 0 else None
                    ),
                )
        except BaseException as error:
            imports.fail(row, str(error) or type(error).__name__)
            if isinstance(error, JobError):
                raise CommandError(f"{error} Run the same command again: what is there stays.") from error
            raise
        seconds = time.monotonic() - started
        self.stdout.write(f"{row.written} rows written in {seconds:.1f} s; {row.get_state_display()}")

    def _report(self, row: Import) -> None:
        for line in report_lines.faults(row.report):
            self.stderr.write(printable(line))
        for line in report_lines.told(row, comparing.lines(imports.changes_file(row))):
            self.stdout.write(printable(line))


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


def _path(path: Path | None) -> str:
    return str(_there(path).resolve()) if path else ""
