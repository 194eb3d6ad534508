"""Write a frozen dataset to a folder or a ZIP file."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from skinclinic.archive.management.chosen import frozen_version
from skinclinic.archive.services.exporting import export
from skinclinic.services import audit
from skinclinic.services.refused import Refused
from skinclinic.web.zip_stream import MemberChanged


class Command(BaseCommand):
    help = "Write a frozen dataset to a folder or to a ZIP file; both go on where they stopped."

    def create_parser(self, *args, **options):
        # Django's own --version gives way to the dataset's.
        return super().create_parser(*args, conflict_handler="resolve", **options)

    def add_arguments(self, parser):
        parser.add_argument("name")
        parser.add_argument("--out", required=True, type=Path, help="a folder, or a name ending in .zip")
        parser.add_argument("--version", dest="number", type=int, help="default: the newest frozen one")
        parser.add_argument("--thumbnails", action="store_true")
        parser.add_argument("--isic", action="store_true", help="as without it: every export has isic.csv")
        parser.add_argument("--texts", action="store_true", help="with the pathology texts; needs --reason")
        parser.add_argument("--reason", default="", help="what it is for; kept in the audit")
        parser.add_argument("--clinic", help="the clinic's short name, if several have this dataset")

    def handle(self, *, name, out, number, thumbnails, texts, reason, clinic, **options):
        if texts and not reason.strip():
            raise CommandError("Say with --reason what the pathology texts are for; it is kept in the audit.")
        version = frozen_version(name, number, clinic)
        wanted = export.Options(thumbnails, texts)
        facts = {"texts": texts, "thumbnails": thumbnails}
        audit.record("dataset.export", version, reason=reason, facts=facts)
        try:
            if out.suffix.casefold() == ".zip":
                export.to_file(version, out, wanted)
                self.stdout.write(f"{version}: {version.items.count()} photos in {out}")
            else:
                written = export.to_folder(version, out, wanted)
                self.stdout.write(
                    f"{version}: {version.items.count()} photos in {out}, {written} written now"
                )
        except (Refused, OSError, MemberChanged) as error:
            raise CommandError(str(error)) from error
