"""Do these weights belong to this architecture? Answered from the file's header, without torch.

A safetensors file begins with the length of its header and the header itself: JSON with each tensor's type,
shape and place. The fingerprint of an architecture is the SHA-256 of its tensors' names and shapes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.manifest import Manifest, ModelRejected

OUTPUTS_FIRST = ("head.weight", "bias")
LARGEST_HEADER = 16 * 1024 * 1024


def fingerprint(shapes: Mapping[str, Sequence[int]]) -> str:
    """SHA-256 (hex) of tensor names and shapes; the number of outputs counts as unknown."""
    lines = []
    for name in sorted(shapes):
        shape = [str(side) for side in shapes[name]]
        if name in OUTPUTS_FIRST and shape:
            shape[0] = "outputs"
        lines.append(f"{name}:{','.join(shape)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_structure(weights_file: Path, manifest: Manifest) -> None:
    """Raise ModelRejected unless the file is whole and holds exactly the architecture's tensors."""
    header, data_bytes = _header(weights_file)
    try:
        shapes = {name: list(entry["shape"]) for name, entry in header.items()}
        end = max(int(entry["data_offsets"][1]) for entry in header.values())
    except (TypeError, KeyError, IndexError, ValueError):
        raise _not_safetensors() from None
    if end != data_bytes:
        raise ModelRejected("weights_unreadable", "The weights file is cut off or has something appended.")
    if fingerprint(shapes) != ARCHITECTURES[manifest.architecture].fingerprint:
        raise ModelRejected(
            "wrong_parameters",
            f"The names or shapes of the weights are not those of {manifest.architecture}: "
            "parameters are missing, unknown or of another size.",
        )


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header without its metadata, and how many bytes follow it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(LARGEST_HEADER, size):
            raise _not_safetensors()
        text = file.read(length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise _not_safetensors() from None
    if not isinstance(header, dict):
        raise _not_safetensors()
    header.pop("__metadata__", None)
    if not header:
        raise _not_safetensors()
    return header, size - 8 - length


def _not_safetensors() -> ModelRejected:
    return ModelRejected(
        "weights_unreadable",
        "The weights are not a safetensors file. Other kinds, such as .pt, .pth or pickle, are never opened.",
    )
