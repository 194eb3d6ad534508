"""Put the hashes of the photos a model was trained on beside it, so that evaluations find them."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.networks import training_photos, weights
from classifier.networks.training_photos import TrainingPhoto
from classifier.networks.weights import ModelRejected
from skinclinic import imaging


class Command(BaseCommand):
    help = (
        "Write training-photos.csv, the hashes of the photos a model was trained on, into its folder, and name it in "
        "its manifest. Give all of them: a photo that is not listed cannot be found."
    )

    def add_arguments(self, parser):
        parser.add_argument("--model", type=Path, required=True, help="the model's folder")
        parser.add_argument(
            "--photos", type=Path, required=True, nargs="+", help="folders of photos, with those below them"
        )
        parser.add_argument(
            "--began-from-others", action="store_true",
            help="it began from a model that has seen other photos, which are not among these",
        )  # fmt: skip

    def handle(self, *args, model, photos, began_from_others, **options):
        listed = []
        for path in sorted({path for folder in photos for path in folder.rglob("*") if path.is_file()}):
            try:
                listed.append(TrainingPhoto.of_upload(path.read_bytes()))
            except imaging.PhotoRejected as error:
                self.stderr.write(f"not listed: {path} ({error.code})")
            except OSError as error:
                raise CommandError(str(error)) from error
        if not listed:
            raise CommandError("There is no photo in these folders.")
        try:
            manifest = weights.check_files(model)
            manifest = training_photos.add(model, manifest, listed, is_complete=not began_from_others)
        except (ModelRejected, OSError) as error:
            raise CommandError(str(error)) from error
        said = manifest.training_photos
        self.stdout.write(f"{said['photos']} photos listed in {model / said['file']} ({said['sha256'][:12]})")
