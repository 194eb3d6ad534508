"""A model as files that other programs run: for OpenVINO or, where its package is installed, as ONNX."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.management.model_named import add_model_arguments, folder_of
from classifier.networks import weights


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
        from classifier.runtimes import exporting

        target = Path(folder)
        if target.exists():
            raise CommandError(f"{target} is there already. Name a new folder.")
        try:
            written = exporting.export(folder_of(model, clinic), format, target)
        except weights.ModelRejected as error:
            raise CommandError(error.message) from error
        except exporting.CannotExport as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error}") from error
        names = ", ".join(sorted(path.name for path in target.iterdir()))
        self.stdout.write(f"{written.name} is written to {target}: {names}")
        if written.outputs != exporting.OUTPUTS:
            self.stdout.write(
                "It gives logits and no maps: those need a gradient that only PyTorch computes (manifest.json, maps)."
            )
