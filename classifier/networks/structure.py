"""Do these weights belong to this architecture? Answered from the file's header, without torch.

A safetensors file begins with the length of its header and the header itself: JSON with each tensor's type,
shape and place. The fingerprint of an architecture is the SHA-256 of its tensors' names and shapes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.networks.architectures import CAFFE_DEPTHS
from classifier.networks.manifest import Manifest, ModelRejected

# tests/classifier/test_registry.py says what belongs here.
_RESNETS = {
    "resnet18": "a9ef1a23e6c63b65cc9115d10b3efd3ed530a7def6fb5bccd9da8933ab3b5edc",
    "resnet34": "d3dff253c40076ba2e385a39bbf2759237629605a75f8185a929e2ee36ddf3b6",
    "resnet50": "7b9d4c567aaf6fadd3f7c3f214f59409540f812cafb12156ff890d0bb54e2964",
    "resnet101": "03d8e19b93222dad1d67a8060671d831613a1745910f559ec04fbb3e202d0018",
    "resnet152": "8b6935ea21750d40ac3f2fff53e0ea26100b64c83ae49bdbc66778275997cb64",
}
FINGERPRINTS = {
    **_RESNETS,
    # The same parameters, used in another way.
    **{f"resnet{depth}-caffe": _RESNETS[f"resnet{depth}"] for depth in CAFFE_DEPTHS},
    "efficientnet_lite0": "cee092b50822da2a7e2aaefa0fc69c0e6f379288b42a37b4ec8b1a328a9128db",
    "efficientnet_lite1": "e2fe499f225bdb5d967029ff32d358f3af65f2575388023cc35712245add4338",
    "efficientnet_lite2": "40df860c9a1b4344ab9653eea4586626c56524f6cb4790b650252e92ea69a7a7",
}
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
    if fingerprint(shapes) != FINGERPRINTS[manifest.architecture]:
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
