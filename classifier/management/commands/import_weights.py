"""Bring in a network that was trained with PyTorch."""

from pathlib import Path

from classifier.imports.labels import read_labels
from classifier.management.architecture_names import NAMES, architecture
from classifier.management.import_command import ImportCommand, Imported, preprocessing, three_numbers
from classifier.networks.architectures import design_of
from classifier.networks.manifest import ModelRejected


class Command(ImportCommand):
    help = (
        "Register a network from a state dict (.pth, .pt) or safetensors with torchvision's or timm's names. Weights "
        "without a last layer for the 12 diseases are not registered; start a training from them "
        "(train --init FILE). It is checked as a whole before anything is written."
    )

    def add_arguments(self, parser):
        parser.add_argument("--weights", type=Path, required=True, metavar="FILE")
        parser.add_argument("--architecture", required=True, type=architecture, metavar="NAME", help=NAMES)
        parser.add_argument(
            "--labels",
            type=Path,
            metavar="FILE",
            help="a disease key or the name of a background disease a line, in the order of the outputs",
        )
        parser.add_argument(
            "--part",
            metavar="NAME",
            help="which network of a file with several, such as model_ema (it names them; the rest is not read)",
        )
        parser.add_argument("--image-size", type=int, metavar="S", help="side of its images in pixels")
        channels = "of channels from 0 to 1 (default: ImageNet's); for the networks of Caffe B,G,R"
        parser.add_argument("--mean", metavar="R,G,B", help=channels)
        parser.add_argument("--std", metavar="R,G,B", help=channels)
        super().add_arguments(parser)

    def read(self, options: dict) -> Imported:
        """See ImportCommand."""
        from classifier.imports.state_dicts import load_parts
        from classifier.networks.outside import maps_of as outside_maps

        usual = design_of(options["architecture"])
        given = {name: three_numbers(f"--{name}", options[name]) for name in ("mean", "std") if options[name]}
        how = preprocessing(
            **{"mean": usual.mean, "std": usual.std} | given,
            input_size=usual.input_size if options["image_size"] is None else options["image_size"],
            channel_order=usual.channel_order,
        )
        labels = options["labels"] and read_labels(options["labels"])
        parts = load_parts(options["weights"], options["architecture"], options["part"])
        if labels is None:
            raise ModelRejected(
                "labels_needed",
                f"Nothing says what the {len(parts.bias)} outputs mean. Name them with --labels FILE, one a line, "
                "the 12 disease keys among them. If it was trained for something else, train it on your own "
                "dataset: train --init FILE.",
            )
        files = (options["weights"], options["labels"])
        return Imported(
            options["architecture"], how, parts, labels, files, outside_maps(options["architecture"])
        )
