"""Models on disk: a folder with ``manifest.json`` and ``model.safetensors``, verified before use.

Only safetensors are read, never a pickle, and only the bytes whose SHA-256 was checked are loaded. Checking
needs no torch; loading and saving do.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.networks import familiarity, training_photos
from classifier.networks.manifest import (
    MANIFEST_FILE,
    Manifest,
    ModelRejected,
    check_manifest,
    read_manifest,
    to_text,
)
from classifier.networks.structure import OUTPUTS_FIRST, shapes_of
from skinclinic.files.reasons import reason
from skinclinic.files.whole import whole_folder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "MANIFEST_FILE",
    "SHIPPED_DIR",
    "WEIGHTS_FILE",
    "Manifest",
    "ModelRejected",
    "check_files",
    "default_name",
    "load_verified",
    "read_manifest",
    "save",
    "shipped_folders",
]

WEIGHTS_FILE = "model.safetensors"
SHIPPED_DIR = Path(__file__).resolve().parents[1] / "shipped"


def shipped_folders() -> list[Path]:
    """Return the folders of the models that come with the product, by name."""
    if not SHIPPED_DIR.is_dir():
        return []
    return sorted(path for path in SHIPPED_DIR.iterdir() if (path / MANIFEST_FILE).is_file())


def default_name() -> str:
    """Return the name of the shipped model; ModelRejected("no_model") when none came with the product."""
    folders = shipped_folders()
    if not folders:
        raise ModelRejected("no_model", "No model came with this copy of the product.")
    return folders[0].name


def check_files(folder: Path) -> Manifest:
    """Check a model's manifest, the hashes of its weights and of what lies beside them, and the number of outputs,
    without torch.

    Raises ModelRejected.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    training_photos.read(folder, manifest)
    familiarity.read(folder, manifest)
    with _weights_file(folder) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _check_hash(digest, manifest)
    _check_outputs(shapes_of(folder / WEIGHTS_FILE), manifest)
    return manifest


def load_verified(folder: Path) -> tuple[Manifest, dict[str, "Tensor"]]:
    """Return (manifest, state dict) of a model after all checks, floating-point numbers as float32.

    Raises ModelRejected.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    folder = Path(folder)
    manifest = read_manifest(folder)
    with _weights_file(folder) as file:
        content = file.read()
    _check_hash(hashlib.sha256(content).hexdigest(), manifest)
    try:
        state = load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelRejected("weights_unreadable", f"The weights cannot be read: {error}.") from error
    _check_outputs(_shapes(state), manifest)
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    if broken := sorted(name for name, value in state.items() if not _is_finite(value)):
        raise ModelRejected("weights_not_finite", f"Some weights are not finite numbers: {broken[0]}.")
    return manifest, state


def save(
    folder: Path,
    manifest: Manifest,
    state: Mapping[str, "Tensor"],
    *,
    half: bool = False,
    beside: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Write a new model folder and return its manifest with the weights' hash.

    Numbers keep the precision they come in. With ``half``, for a model that is to be small, kernels are rounded to
    half precision; biases and normalisation, small and wide in range, stay as they are. ``beside``: other files that
    the manifest speaks of, by name. The folder appears complete or not at all. FileExistsError if it is there
    already: a model version never changes. Raises ModelRejected where the manifest, the outputs or a number would be
    refused.
    """
    from safetensors.torch import save as to_bytes

    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    stored = {name: _for_storage(name, value, half) for name, value in state.items()}
    content = to_bytes(stored)
    manifest = replace(manifest, weights_sha256=hashlib.sha256(content).hexdigest())
    check_manifest(manifest)
    _check_outputs(_shapes(stored), manifest)

    with whole_folder(folder) as draft:
        (draft / WEIGHTS_FILE).write_bytes(content)
        for name, other in (beside or {}).items():
            (draft / name).write_bytes(other)
        (draft / MANIFEST_FILE).write_text(to_text(manifest.to_json()), encoding="utf-8")
    return manifest


def _is_finite(value: "Tensor") -> bool:
    # The extremes of values with a NaN among them are NaN; far less memory than a mask of all values.
    return value.numel() == 0 or all(extreme.isfinite() for extreme in value.aminmax())


def _for_storage(name: str, value: "Tensor", half: bool) -> "Tensor":
    value = value.detach().cpu().contiguous()
    if value.is_floating_point() and not _is_finite(value):
        raise ModelRejected("weights_not_finite", f"Some weights are not finite numbers: {name}.")
    if not half or not value.is_floating_point() or value.dim() < 2:
        return value
    rounded = value.half()
    if not _is_finite(rounded):
        raise ModelRejected(
            "too_large_for_half",
            f"{name} has numbers above 65504, which half precision cannot hold. Store it in the precision it came in.",
        )
    return rounded


@contextmanager
def _weights_file(folder: Path) -> Iterator[BufferedReader]:
    try:
        with (folder / WEIGHTS_FILE).open("rb") as file:
            yield file
    except FileNotFoundError:
        raise ModelRejected("weights_missing", f"There is no {WEIGHTS_FILE} in the model's folder.") from None
    except OSError as error:
        raise ModelRejected(
            "weights_unreadable", f"{WEIGHTS_FILE} cannot be read: {reason(error)}."
        ) from error


def _check_hash(sha256: str, manifest: Manifest) -> None:
    if sha256 != manifest.weights_sha256:
        raise ModelRejected(
            "wrong_hash", f"{WEIGHTS_FILE} is not the file the manifest describes: its SHA-256 differs."
        )


def _check_outputs(shapes: Mapping[str, Sequence[int]], manifest: Manifest) -> None:
    for name in OUTPUTS_FIRST:
        if name not in shapes:
            raise ModelRejected("weights_incomplete", f"The weights lack {name}.")
        outputs = shapes[name][0] if shapes[name] else 0
        if outputs != manifest.outputs:
            raise ModelRejected(
                "wrong_outputs",
                f"The network has {outputs} outputs, the manifest names {manifest.outputs}.",
            )


def _shapes(state: Mapping[str, "Tensor"]) -> dict[str, Sequence[int]]:
    return {name: value.shape for name, value in state.items()}
