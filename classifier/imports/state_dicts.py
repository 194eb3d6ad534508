"""Parameters saved by PyTorch: state dicts (.pth, .pt) and safetensors, of public networks and of ours."""

import argparse
import functools
import math
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from classifier.imports.checkpoints import state_dict_of
from classifier.imports.parts import Parts
from classifier.networks import network
from classifier.networks.architectures import design_of
from classifier.networks.manifest import ModelRejected
from classifier.networks.numbers import check_places, read_header
from classifier.networks.stated import in_words
from classifier.networks.weights import WEIGHTS_FILE

LARGEST_BYTES = 4 * 1024**3
_OWN_PREFIX = "backbone."
_KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_TORCHSCRIPT = re.compile(r"^[^/]+/(code/|constants\.pkl$)")
# What a checkpoint of timm's or torchvision's training scripts holds beside tensors: options, which are plain values.
_HARMLESS = [argparse.Namespace]


def load_backbone(path: Path, architecture: str) -> dict[str, Tensor]:
    """Return parameters to start a training of ``architecture`` from: what its ``.backbone`` loads, float32.

    ``path``: a state dict or safetensors of the public network, with any last layer or none, or a model
    folder or weights file of ours. Raises ModelRejected, naming all that is missing, extra or of another shape.
    """
    backbone, _last = _load(path, architecture)
    return {name: value.float() if value.is_floating_point() else value for name, value in backbone.items()}


def load_parts(path: Path, architecture: str, part: str | None = None) -> Parts:
    """Return the whole network; ``part``: which of several in the file, see ``checkpoints``. Raises ModelRejected as
    `load_backbone`, and where there is no last layer."""
    backbone, last = _load(path, architecture, part)
    if not last:
        raise ModelRejected(
            "no_last_layer",
            "The weights have no last layer, so they cannot name a disease. "
            "Train one on your own dataset from them: train --init FILE.",
        )
    features = design_of(architecture).features
    shapes = {name: tuple(value.shape) for name, value in last.items()}
    outputs = shapes.get("weight", (0,))[:1]
    if shapes != {"weight": (*outputs, features), "bias": outputs}:
        raise ModelRejected(
            "weights_do_not_fit",
            f"The last layer must have weights of outputs x {features} and a bias for each output.",
        )
    parts = Parts(backbone, *(_as_numbers(last, {})[name] for name in ("weight", "bias")))
    if problems := parts.problems():
        raise ModelRejected("weights_do_not_fit", ". ".join(problems) + ".")
    return parts


def _load(
    path: Path, architecture: str, part: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(backbone, last layer as ``weight`` and ``bias`` or {}); the last layer as it is, not checked."""
    known = partial(_known, architecture)
    backbone, last = _split(architecture, state_dict_of(_read(Path(path)), known, part))
    layout = _layout(architecture)
    # Older files have no count of the batches seen, which only training asks for.
    backbone |= {
        name: torch.tensor(0)
        for name in layout.keys() - backbone.keys()
        if name.endswith("num_batches_tracked")
    }
    try:
        with torch.device("meta"):
            network.check_fit(network.build(architecture, 1).backbone, backbone)
    except ValueError as error:
        said = str(error).replace(" net.", " ")
        raise ModelRejected("weights_do_not_fit", f"For {architecture}, {said}.") from error
    return _as_numbers(backbone, layout), last


@functools.lru_cache(maxsize=8)
def _layout(architecture: str) -> dict[str, Tensor]:
    with torch.device("meta"):
        layout: dict[str, Tensor] = network.build(architecture, 1).backbone.state_dict()
        return layout


def _known(architecture: str, names: Sequence[str]) -> list[str]:
    """Those of the names that a network of this kind has in what is pooled, in its library's files or ours."""
    marks = {name: torch.empty(0) for name in names}
    of = {id(mark): name for name, mark in marks.items()}
    backbone, _last = _split(architecture, marks)
    layout = _layout(architecture)
    return [of[id(mark)] for name, mark in backbone.items() if name in layout]


def _split(architecture: str, state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(backbone under our names, last layer as ``weight`` and ``bias``), in which of the two kinds of files it be."""
    if f"{_OWN_PREFIX}{next(iter(_layout(architecture)))}" in state:
        return _split_own(state)
    return network.split_public(architecture, state)


def _split_own(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    last = {"head.weight": "weight", "bias": "bias"}
    backbone = {name.removeprefix(_OWN_PREFIX): value for name, value in state.items() if name not in last}
    found = {last[name]: value for name, value in state.items() if name in last}
    if "weight" in found and found["weight"].dim() == 4:
        found["weight"] = found["weight"].flatten(1)
    return backbone, found


def _as_numbers(state: Mapping[str, Tensor], layout: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point numbers in the precision they come in, double as float32, which networks compute in.

    Raises ModelRejected for whole numbers where a network computes with fractions, and for what is not finite.
    """
    numbers = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    counters = {name for name, value in layout.items() if not value.is_floating_point()}
    whole = [name for name, value in numbers.items() if name not in counters and value.dtype not in _KINDS]
    if whole:
        kinds = [f"{_as_in_file(name)} ({str(numbers[name].dtype).removeprefix('torch.')})" for name in whole]
        raise ModelRejected(
            "weights_not_floating",
            "Weights that are no floating-point numbers of 16, 32 or 64 bits, which a network computes with: "
            f"{in_words(kinds)}.",
        )
    _refuse_not_finite(numbers, "Weights that are not finite numbers")
    for name in counters & numbers.keys():
        numbers[name] = numbers[name].to(layout[name].dtype)
    doubles = {name: value.float() for name, value in numbers.items() if value.dtype == torch.float64}
    _refuse_not_finite(
        doubles, "Weights in double precision that are too large for float32, in which networks compute"
    )
    return numbers | doubles


def _refuse_not_finite(numbers: Mapping[str, Tensor], what: str) -> None:
    broken = [_as_in_file(name) for name, value in numbers.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelRejected("weights_not_finite", f"{what}: {in_words(broken)}.")


def _as_in_file(name: str) -> str:
    """Of a network of a library its own name for it, which a person has at hand."""
    return name.removeprefix("net.")


def _read(path: Path) -> object:
    if path.is_dir():
        path = path / WEIGHTS_FILE
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelRejected("weights_unreadable", "The weights are larger than 4 GB.")
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise ModelRejected("weights_unreadable", f"The weights cannot be read: {error}.") from error
    return _read_safetensors(path) if start[8:] == b"{" else _read_torch(path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with path.open("rb") as file:
            check_places(read_header(file))
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelRejected(
            "weights_unreadable", f"The weights are not a safetensors file: {error}."
        ) from error


def _read_torch(path: Path) -> object:
    """What ``torch.save`` wrote, tensors and plain values only: code in the file is never run."""
    try:
        _refuse_compressed(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.serialization.safe_globals(_HARMLESS):
                content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]{1,200})", str(error))
        raise ModelRejected(
            "pickle_with_code",
            f"The file is no state dict: it holds more than tensors{f' ({named[1]})' if named else ''}, such as a "
            "whole model with its code, which is never run. Save model.state_dict() where the model was trained, best "
            "as safetensors.",
        ) from error
    except ModelRejected:
        raise
    # The reader has errors of many kinds for damaged files.
    except Exception as error:
        reason = str(error).partition("\n")[0][:200]
        raise ModelRejected(
            "weights_unreadable", f"The file can be read neither as safetensors nor as PyTorch's: {reason}."
        ) from error
    return content


def _refuse_compressed(path: Path) -> None:
    """PyTorch never compresses; a file that is compressed could be a thousand times larger in memory."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(_TORCHSCRIPT.search(entry.filename) for entry in entries):
        raise ModelRejected(
            "pickle_with_code",
            "The file is a TorchScript program, which is code and never run. Save its state_dict() where the model was "
            "trained, best as safetensors.",
        )
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or (
        math.fsum(entry.file_size for entry in entries) > path.stat().st_size
    ):
        raise ModelRejected(
            "weights_unreadable", "The file is compressed, which PyTorch's own files are not."
        )
