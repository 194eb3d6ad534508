"""Features of the proven photos of archives, by which similar ones are found."""

from django.core.management.base import BaseCommand, CommandError

from classifier.networks import weights
from classifier.services.models import registry
from classifier.services.similar import making
from skinclinic.management.terminal import printable
from skinclinic.models import Clinic


class Command(BaseCommand):
    help = (
        "Have the model in use look at the proven photos of the archive that it has not looked at since features are "
        "kept, so that similar ones are found among them. What was interrupted goes on where it was. Exit status 1 if "
        "a photo cannot be read."
    )

    def add_arguments(self, parser):
        parser.add_argument("--clinic", metavar="SLUG", help="of one clinic; without it, of all")

    def handle(self, *, clinic, **options):
        clinics = list(Clinic.objects.order_by("slug"))
        if clinic is not None:
            clinics = [row for row in clinics if row.slug == clinic]
            if not clinics:
                names = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True))
                raise CommandError(f"There is no clinic {printable(clinic)!r}. There are: {names}.")
        unreadable = 0
        for row in clinics:
            unreadable += self._of(row)
        if unreadable:
            raise CommandError(f"{unreadable} photos cannot be read; see above.")

    def _of(self, clinic: Clinic) -> int:
        version = registry.published(clinic)
        if version is None:
            self.stdout.write(f"{clinic.slug}: no model is in use.")
            return 0
        try:
            unreadable = making.make(clinic, version)
        except weights.ModelRejected as error:
            raise CommandError(f"{clinic.slug}: {error.message}") from error
        for one in unreadable:
            self.stderr.write(printable(f"{clinic.slug}: photo {one.photo}: {one.reason}"))
        total = making.wanted(clinic).count()
        done = total - making.lacking(clinic, version)
        self.stdout.write(f"{clinic.slug}: {done} of {total} proven photos have features of {version.name}.")
        return len(unreadable)
