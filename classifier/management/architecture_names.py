"""The name of a network as an option of commands."""

from argparse import ArgumentTypeError

from classifier.networks.architectures import ARCHITECTURES, is_known

NAMES = (
    f"one of {', '.join(ARCHITECTURES)}, or any network of torchvision or timm that ends in average pooling and a "
    "linear layer, as torchvision:NAME or timm:NAME"
)


def architecture(text: str) -> str:
    """The option as it is; ArgumentTypeError for what names no network."""
    if not is_known(text):
        raise ArgumentTypeError(f"{text!r} is no network; give {NAMES}")
    return text
