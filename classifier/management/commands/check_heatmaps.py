"""Write down how a model's heatmaps change when parts of its network are put at random."""

from dataclasses import replace

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from classifier.management.model_named import add_model_arguments, folder_of
from classifier.networks import weights
from classifier.networks.manifest import write_manifest
from classifier.networks.weights import ModelRejected


class Command(BaseCommand):
    help = (
        "Compute how far the heatmaps of 12 drawings change when parts of a model's network are put at random, and "
        "write it into the model's manifest.json, so that it is known wherever the model is taken. The weights stay as "
        "they are. What is registered or uploaded here without it is checked by a worker, without this command."
    )

    def add_arguments(self, parser):
        add_model_arguments(parser)

    def handle(self, *args, model, clinic, **options):
        from classifier.analysing.map_check import check_maps

        try:
            folder = folder_of(model, clinic)
            manifest = replace(weights.read_manifest(folder), heatmap_check=check_maps(folder))
        except ModelRejected as error:
            raise CommandError(error.message) from error
        try:
            write_manifest(folder, manifest)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error}.") from error
        self._take_up(manifest)
        for row in manifest.heatmap_check["rows"]:
            told = "not evaluable"
            if row["compared"]:
                told = "mean {mean:.2f}, {least:.2f} to {most:.2f}, size {size:.2f}".format(**row)
            self.stdout.write(f"{row['randomised']}: {told}, of {row['compared']} drawings")

    def _take_up(self, manifest: weights.Manifest) -> None:
        """Tell the models that are registered here with these weights."""
        from classifier.services.models import map_checks

        try:
            map_checks.store(manifest.to_json(), manifest.heatmap_check)
        except DatabaseError:
            self.stdout.write("No database answers here: what is registered learns of it at the next start.")
