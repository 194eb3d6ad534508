"""A model as files that other programs run: for OpenVINO or, where its package is installed, as ONNX."""

import shutil
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.management.model_named import add_model_arguments, folder_of
from classifier.networks import weights
from skinclinic.files.whole import whole_folder


class Command(BaseCommand):
    help = (
        "Write a model into a new folder as other programs run it: model.onnx, or model.xml and model.bin of OpenVINO, "
        "with its manifest.json, which says how photos are prepared and what the outputs mean. Input: images [batch, "
        "3, S, S]; outputs: logits, whose softmax are the scores, and maps. Needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("folder", metavar="FOLDER", help="a folder that is not there yet")
        parser.add_argument("--format", choices=["onnx", "openvino"], required=True)
        add_model_arguments(parser)

    def handle(self, *, folder, model, clinic, format, **options):
        from classifier.networks.network import restore
        from classifier.runtimes import exporting

        target = Path(folder)
        if target.exists():
            raise CommandError(f"{target} is there already. Name a new folder.")
        try:
            source = folder_of(model, clinic)
            manifest, state = weights.load_verified(source)
            network = restore(manifest, state).eval().requires_grad_(False)
            with whole_folder(target) as draft:
                exporting.WRITERS[format](network, manifest.preprocessing.input_size, draft)
                shutil.copyfile(source / weights.MANIFEST_FILE, draft / weights.MANIFEST_FILE)
        except weights.ModelRejected as error:
            raise CommandError(error.message) from error
        except exporting.CannotExport as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error}") from error
        names = ", ".join(sorted(path.name for path in target.iterdir()))
        self.stdout.write(f"{manifest.name} is written to {target}: {names}")
