"""Do these weights belong to this architecture? Answered from the file's header, without torch.

The fingerprint of an architecture is the SHA-256 of its tensors' names and shapes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.manifest import Manifest, ModelRejected
from classifier.networks.numbers import check_numbers, check_places, read_header

# The parameters by which the number of outputs is known (see classifier.networks.network.MappedClassifier).
OUTPUTS_FIRST = ("head.weight", "bias")


def fingerprint(shapes: Mapping[str, Sequence[int]]) -> str:
    """SHA-256 (hex) of tensor names and shapes; the number of outputs counts as unknown."""
    lines = []
    for name in sorted(shapes):
        shape = [str(side) for side in shapes[name]]
        if name in OUTPUTS_FIRST and shape:
            shape[0] = "outputs"
        lines.append(f"{name}:{','.join(shape)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def shapes_of(weights_file: Path) -> dict[str, Sequence[int]]:
    """Name and shape of each tensor in a file that is whole. Raises ModelRejected."""
    with weights_file.open("rb") as file:
        if not isinstance(header := read_header(file), dict):
            raise _not_safetensors()
    check_places(header)
    try:
        # The library checks the whole of it; asking it for one tensor after the other takes long where there are many.
        with safe_open(weights_file, framework="numpy") as found:
            return {name: tuple(header[name]["shape"]) for name in found.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError) as error:
        raise _not_safetensors() from error


def check_structure(weights_file: Path, manifest: Manifest) -> None:
    """Raise ModelRejected unless the file is whole and holds exactly the tensors of an architecture of this package, of
    finite numbers."""
    known = ARCHITECTURES.get(manifest.architecture)
    # Those of torchvision and timm are known where there is torch; what does not fit fails when it is run.
    if known and fingerprint(shapes_of(weights_file)) != known.fingerprint:
        raise ModelRejected(
            "wrong_parameters",
            f"The names or shapes of the weights are not those of {manifest.architecture}: "
            "parameters are missing, unknown or of another size.",
        )
    check_numbers(weights_file)


def _not_safetensors() -> ModelRejected:
    return ModelRejected(
        "weights_unreadable",
        "The weights are not a whole safetensors file. Other kinds, such as .pt, .pth or pickle, are never opened.",
    )
