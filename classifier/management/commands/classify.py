"""Classify photos from the command line: no web, no worker, no database."""

import contextlib
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classifier.analysing import photo_files
from classifier.analysing.pipeline import differential
from classifier.management.classify_output import (
    JsonWriter,
    TableWriter,
    save_heatmaps,
)
from classifier.management.model_named import add_model_arguments, folder_of
from classifier.networks import weights
from classifier.networks.manifest import USUAL_THRESHOLDS, Manifest, usual_thresholds
from classifier.runtimes import preferred_batch
from classifier.services.models import running
from skinclinic.imaging.quality import shows_nothing
from skinclinic.management.terminal import printable


class Command(BaseCommand):
    help = (
        "Classify photos among the 12 diseases. Takes files and folders (all photos in them, sorted; what else "
        "lies there is named). Needs no database. Exit status 1 if no photo could be classified."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="+", metavar="PATH", help="photo or folder of photos")
        add_model_arguments(parser)
        parser.add_argument(
            "--thresholds",
            metavar="NAME",
            help=f"threshold set; default: {USUAL_THRESHOLDS}, else the first",
        )
        parser.add_argument("--json", action="store_true", help="write a JSON list instead of a table")
        parser.add_argument(
            "--heatmaps", metavar="DIR", help="write photo, overlay and heatmap of each listed disease as PNG"
        )
        parser.add_argument(
            "--box", metavar="X,Y,SIZE", help="square to look at, in pixels; default: the largest centred one"
        )

    def handle(self, *, paths, model, clinic, thresholds, json, heatmaps, box, **options):
        square = _three_numbers(box) if box is not None else None
        # Whatever a library prints must not get into the JSON.
        with contextlib.redirect_stdout(sys.stderr):
            try:
                folder = folder_of(model, clinic)
                manifest = weights.read_manifest(folder)
                chosen = _choose_thresholds(manifest, thresholds)
                runtime = running.for_people(folder)
            except weights.ModelRejected as error:
                raise CommandError(error.message) from error
            limits = manifest.thresholds[chosen]["values"] if chosen else {}
            passed_over = photo_files.PassedOver()
            found = photo_files.find(paths, passed_over)
            writer = (
                JsonWriter(self.stdout, manifest)
                if json
                else TableWriter(
                    self.stdout, manifest, chosen, [item.path for item in found], runtime.computed
                )
            )
            batch = preferred_batch(settings.CLASSIFIER_RUNTIME)
            results = photo_files.classify(found, runtime, box=square, batch=batch)
            succeeded = _write(results, writer, limits, Path(heatmaps) if heatmaps else None, manifest.name)
        for line in passed_over.lines():
            self.stderr.write(printable(line))
        if not succeeded:
            sys.exit(1)


def _three_numbers(text: str) -> list[str]:
    numbers = text.split(",")
    if len(numbers) != 3:
        raise CommandError(f"--box takes X,Y,SIZE in pixels, not {text!r}.")
    return numbers


def _choose_thresholds(manifest: Manifest, name: str | None) -> str | None:
    """Return the name of the threshold set to use; None if the model has none and none was asked for."""
    if name is None:
        return usual_thresholds(manifest.thresholds)
    if name not in manifest.thresholds:
        there_are = ", ".join(manifest.thresholds) or "none"
        raise CommandError(f"The model {manifest.name} has no thresholds {name!r}; there are: {there_are}.")
    return name


def _write(results, writer, limits, heatmaps: Path | None, model: str) -> int:
    """Write every result as it comes; return how many photos were classified."""
    succeeded = 0
    writer.start()
    for number, result in enumerate(results, start=1):
        is_fit = result.outcome and not shows_nothing(result.outcome.quality.to_json())
        listed = differential(result.outcome.scores, limits) if result.outcome and is_fit else []
        if heatmaps and result.outcome:
            try:
                save_heatmaps(heatmaps, number, result, listed, model)
            except OSError as error:
                raise CommandError(f"The heatmaps cannot be written: {error}.") from error
        writer.add(result, listed)
        succeeded += result.outcome is not None
    writer.end()
    return succeeded
