"""Fetching a patient's photos from an image archive by DICOMweb."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from skinclinic.archive.services.importing import receiving
from skinclinic.dicom.web import NotTaken
from skinclinic.management import chosen
from skinclinic.models import ImageArchive
from skinclinic.presenters.image_archives import PROBLEMS
from skinclinic.services.quotas import OverQuota
from skinclinic.web.outgoing import NotSent


class Command(BaseCommand):
    help = (
        "Fetch a patient's photos from an image archive by DICOMweb into an import. A curator decides on it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "archive", help="the name of an image archive of the clinic that is reached by DICOMweb"
        )
        parser.add_argument("patient", help="the Patient ID there")
        parser.add_argument("--clinic", metavar="SLUG")

    def handle(self, *args, archive: str, patient: str, clinic: str | None, **options) -> None:
        own = ImageArchive.objects.filter(clinic=chosen.clinic(clinic), way=ImageArchive.Way.WEB)
        found = own.select_related("clinic").filter(name=archive).first()
        if found is None:
            names = ", ".join(own.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"No image archive “{archive}” is reached by DICOMweb. There are: {names}.")
        if not patient.strip() or set(patient) & set("*?\\"):
            raise CommandError("Give one patient's whole id, without * and ?.")
        try:
            row, refused = receiving.fetch(found, patient)
        except (NotSent, NotTaken) as error:
            raise CommandError(str(PROBLEMS.get(error.code, error.code))) from None
        except (OSError, OverQuota) as error:
            raise CommandError(str(error)) from None
        for line in refused:
            self.stderr.write(f"not taken: {line}")
        self.stdout.write(f"Import {row.pk} is being checked." if row else "Nothing was taken.")
