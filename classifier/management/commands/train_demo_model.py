"""Train the demo model again: photos of six diseases and drawings of all twelve."""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from skinclinic.management.terminal import Tells

if TYPE_CHECKING:
    from classifier.networks.weights import Manifest
    from classifier.training.demo import Trained
    from classifier.training.examples import Examples


class Command(Tells, BaseCommand):
    help = (
        "Fine-tune the demo model from ImageNet weights on a PAD-UFES-20 folder and synthetic lesions, "
        "cross-validate it over patient-grouped folds, and write weights and manifest to a new folder."
    )

    def add_arguments(self, parser):
        parser.add_argument("--photos", type=Path, required=True, help="folder with metadata.csv and images/")
        parser.add_argument(
            "--init", type=Path, required=True, help="ImageNet state dict (.pth) of the architecture"
        )
        parser.add_argument("--out", type=Path, required=True, help="model folder to make")
        parser.add_argument("--folds", type=int, default=5, help="patient-grouped folds (default 5)")
        parser.add_argument("--no-folds", dest="folds", action="store_const", const=0)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--rand-augment", type=int, default=0, metavar="STRENGTH",
            help="vary the photos by RandAugment besides, 0 (the model that ships) to 30",
        )  # fmt: skip
        parser.add_argument("--jobs", type=int, default=2, help="processes side by side (default 2)")
        parser.add_argument(
            "--parts", type=Path,
            help="folder in which finished parts are kept until the model is there: the same command goes on with them",
        )  # fmt: skip
        parser.add_argument("--scores", type=Path, help="also write the out-of-fold scores here (.npz)")

    def handle(self, *args, photos, init, out, folds, seed, rand_augment, jobs, parts, scores, **options):
        import torch

        from classifier.networks.network import load_imagenet
        from classifier.training import demo, demo_manifest, unfinished
        from classifier.training.examples import photo_files, read_pad_ufes_20

        if out.exists():
            raise CommandError(f"{out} is there already")
        if folds == 1 or folds < 0:
            raise CommandError("--folds must be 0 or at least 2")
        if not 0 <= rand_augment <= 30:
            raise CommandError("--rand-augment must be 0 to 30")
        recipe = demo.Recipe(rand_augment=rand_augment)
        network = demo.new_network(recipe, seed)
        try:
            examples = read_pad_ufes_20(photos)
            imagenet = torch.load(init, map_location="cpu", weights_only=True)
            load_imagenet(network, recipe.architecture, imagenet)
            about = {
                "recipe": asdict(recipe), "folds": folds, "seed": seed, "starting weights": _sha256([init]),
                "photos": _sha256([photos / "metadata.csv", *photo_files(photos)]),
            }  # fmt: skip
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        try:
            with unfinished.parts(parts, about) as scratch:
                trained = demo.train(
                    recipe,
                    examples,
                    network,
                    folds=folds,
                    seed=seed,
                    jobs=jobs,
                    scratch=scratch,
                    say=self.say,
                )
                manifest = demo_manifest.write_manifest(recipe, examples, trained, init.name, seed)
                # In whole, so that nothing finished is lost where one of its files cannot be made.
                made = scratch / "model"
                shutil.rmtree(made, ignore_errors=True)
                self._make_folder(made, manifest, trained, examples, photos)
                if scores and (found := trained.out_of_fold):
                    np.savez(
                        scores,
                        photos=found.photos,
                        fold=found.fold_of,
                        labels=examples.labels,
                        distances=found.distances,
                    )
                shutil.move(made, out)
        except (unfinished.AnotherTraining, OSError) as error:
            raise CommandError(str(error)) from error
        self.say(demo_manifest.summary(manifest))

    def _make_folder(
        self, folder: Path, manifest: "Manifest", trained: "Trained", examples: "Examples", photos: Path
    ) -> None:
        """Weights, list of photos, familiarity and what is known of its heatmaps."""
        from classifier.networks import familiarity, training_photos, weights
        from classifier.networks.training_photos import TrainingPhoto
        from classifier.training.examples import photo_files

        # It ships with the product and has to be small.
        manifest = weights.save(folder, manifest, trained.state, half=True)
        listed = [TrainingPhoto.of_upload(path.read_bytes()) for path in photo_files(photos)]
        # Drawings are left out: nobody else draws with their seeds (see classifier.training.demo).
        training_photos.add(folder, manifest, listed, is_complete=True)
        # As the command makes it of the same photos, to the byte.
        try:
            call_command(
                "learn_familiarity", model=str(folder.resolve()), photos=[photos / "images"],
                patients=photos / "metadata.csv", stdout=self.stdout,
            )  # fmt: skip
        except CommandError as error:
            self.say(str(error))
        else:
            if found := trained.out_of_fold:
                familiarity.limit_by_networks(
                    folder, weights.read_manifest(folder), found.distances, found.fold_of, examples.patients
                )
        call_command("check_heatmaps", model=str(folder.resolve()), stdout=self.stdout)


def _sha256(files: Iterable[Path]) -> str:
    """Of what lies in the files, one after another."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
