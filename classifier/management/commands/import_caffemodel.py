"""Bring in a ResNet that was trained with Caffe, such as the network of Han et al. 2018."""

from pathlib import Path

from classifier.imports.labels import read_labels
from classifier.management.import_command import ImportCommand, Imported, preprocessing, three_numbers
from classifier.networks.architectures import ARCHITECTURES


class Command(ImportCommand):
    help = (
        "Register a ResNet-50, 101 or 152 trained with Caffe, in the layout of its authors' deploy prototxt, "
        "with any number of outputs. It is checked as a whole before anything is written."
    )

    def add_arguments(self, parser):
        parser.add_argument("--prototxt", type=Path, required=True, metavar="FILE", help="deploy prototxt")
        parser.add_argument("--caffemodel", type=Path, required=True, metavar="FILE", help="its weights")
        parser.add_argument(
            "--labels",
            type=Path,
            required=True,
            metavar="FILE",
            help="a disease key or the name of a background disease a line, in the order of the outputs",
        )
        parser.add_argument(
            "--mean",
            metavar="B,G,R",
            help="what was subtracted from blue, green and red of 0 to 255 (default: ImageNet's mean)",
        )
        super().add_arguments(parser)

    def read(self, options: dict) -> Imported:
        """See ImportCommand."""
        from classifier.imports.caffe_resnet import read_caffe_resnet

        mean = options["mean"] and three_numbers("--mean", options["mean"])
        labels = read_labels(options["labels"])
        network = read_caffe_resnet(options["prototxt"], options["caffemodel"])
        usual = ARCHITECTURES[network.architecture]
        how = preprocessing(
            input_size=network.input_size,
            mean=tuple(value / 255 for value in mean) if mean else usual.mean,
            std=usual.std,
            channel_order=usual.channel_order,
            resize="bilinear",
        )
        files = (options["prototxt"], options["caffemodel"], options["labels"])
        return Imported(network.architecture, how, network.parts, labels, files)
