"""Have a model that is here already tell photos that are unlike its training photos."""

import csv
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from classifier.analysing import familiarity as making
from classifier.analysing.pipeline import NonFiniteScores
from classifier.management.model_named import add_model_arguments, folder_of
from classifier.metrics.familiarity import TooFew
from classifier.metrics.proportions import Proportion
from classifier.networks import familiarity, training_photos, weights
from classifier.networks.training_photos import TrainingPhoto
from classifier.networks.weights import ModelRejected
from classifier.services.models import running
from skinclinic import imaging


class Command(BaseCommand):
    help = (
        "Write familiarity.safetensors beside a model's weights: what the photos it was trained on are like, so that "
        "photos unlike them are told before the scores. Sums over the photos, none of them; made of those of the "
        "given photos that the model's list of training photos names. Answers that are here are told anew."
    )

    def add_arguments(self, parser):
        add_model_arguments(parser)
        parser.add_argument(
            "--photos", type=Path, required=True, nargs="+", help="folders of photos, with those below them"
        )
        parser.add_argument(
            "--patients", type=Path,
            help="CSV with the columns file_name and patient_id; without it every photo counts as a patient",
        )  # fmt: skip
        parser.add_argument(
            "--all", action="store_true",
            help="the model has no list of its training photos: all that are given are taken for them",
        )  # fmt: skip

    def handle(self, *args, model, clinic, photos, patients, **options):
        try:
            folder = folder_of(model, clinic)
            manifest = weights.check_files(folder)
            if manifest.familiarity:
                raise CommandError(
                    f"{manifest.name} knows its training photos already. A model never changes."
                )
            listed = None if options["all"] else _listed(folder, manifest)
            runtime = running.in_full(folder)
        except ModelRejected as error:
            raise CommandError(error.message) from error
        whose = _patients(patients) if patients else {}
        self._missing = set(listed or ())
        files = sorted({path for one in photos for path in one.rglob("*") if path.is_file()})
        known, other = self._sorted(files, listed)
        if not known:
            raise CommandError("None of these photos is one that the model was trained on.")
        try:
            trained_on = making.features_of(runtime, self._pictures(known, whose))
            own = set(trained_on.groups)
            others = (
                [path for path in other if whose.get(path.name, path.name) not in own] if patients else []
            )
            unseen = making.features_of(runtime, self._pictures(others, whose)) if others else None
            content, said, found = making.make(trained_on, unseen)
        except (TooFew, NonFiniteScores) as error:
            raise CommandError(str(error)) from error
        try:
            familiarity.add(folder, manifest, content, said)
        except OSError as error:
            raise CommandError(str(error)) from error
        self._take_up(folder)
        self.stdout.write(
            f"{found.photos} training photos of {found.groups} patients, {len(content) // 1000} kB, limit "
            f"{found.familiar.limit}. False alarms on held-back folds: {_words(found.realised)}."
        )
        if self._missing:
            self.stdout.write(f"{len(self._missing)} training photos that the model lists were not given.")
        if not patients:
            self.stdout.write(
                "Every photo counted as a patient: without --patients nothing says whose they are."
            )
        if unseen:
            self.stdout.write(
                f"On {len(unseen.rows)} photos of {len(set(unseen.groups))} patients the model has not learnt from: "
                f"{_words(making.alarms(found, unseen))}."
            )

    def _take_up(self, folder: Path) -> None:
        """Tell the models that are registered here with these weights, and their answers."""
        from classifier.models import ModelVersion
        from classifier.services.models import registry

        manifest = weights.read_manifest(folder)
        try:
            for version in ModelVersion.objects.filter(weights_sha256=manifest.weights_sha256):
                registry.add_familiarity(version, folder, manifest)
        except DatabaseError:
            self.stdout.write("No database answers here: what is registered learns of it at the next start.")

    def _sorted(self, files: list[Path], listed: set[str] | None) -> tuple[list[Path], list[Path]]:
        """Photos that the model has learnt from, each once, and the others."""
        known: list[Path] = []
        other: list[Path] = []
        met: set[str] = set()
        for path in files:
            try:
                photo = TrainingPhoto.of_upload(path.read_bytes())
            except imaging.PhotoRejected as error:
                self.stderr.write(f"passed over: {path} ({error.code})")
                continue
            except OSError as error:
                raise CommandError(str(error)) from error
            hashes = {photo.content_sha256, photo.upload_sha256}
            if hashes & met:
                continue
            met |= hashes
            self._missing -= hashes
            (known if listed is None or hashes & listed else other).append(path)
        return known, other

    def _pictures(self, paths: list[Path], whose: dict[str, str]) -> Iterator[making.Picture]:
        for path in paths:
            picture = imaging.open_rgb(imaging.accept(path.read_bytes()).jpeg)
            square = imaging.largest_centred_square(*picture.size)
            if whose and path.name not in whose:
                raise CommandError(f"The table of patients has no row for {path.name}.")
            yield imaging.crop(picture, square), whose.get(path.name, path.name)


def _listed(folder: Path, manifest: weights.Manifest) -> set[str]:
    if not manifest.training_photos:
        raise CommandError(
            f"{manifest.name} has no list of its training photos. Make one with list_training_photos, or say --all."
        )
    return {photo.content_sha256 for photo in training_photos.read(folder, manifest)}


def _patients(path: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return {row["file_name"]: row["patient_id"] for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    except KeyError as error:
        raise CommandError(f"{path} has no column {error}.") from error


def _words(found: Proportion) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "none"
    return (
        f"{found.count} of {found.of} ({100 * found.value:.1f} %, 95 % interval {100 * found.low:.1f} to "
        f"{100 * found.high:.1f})"
    )
