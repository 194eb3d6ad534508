"""How far a training is, on disk: whole or not there at all."""

from pathlib import Path
from typing import Any

import torch

from skinclinic.files.whole import drafts, sweep, whole_file

FILE = "checkpoint.pt"


def save(folder: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint, in the place of the last one."""
    with whole_file(folder / FILE) as file:
        torch.save(content, file)


def load(folder: Path) -> dict[str, Any] | None:
    """The last checkpoint, or None where there is none. Holds tensors and plain values only.

    What a killed training left half written is deleted: it has as many bytes, and nobody else writes here.
    """
    sweep(drafts(folder / FILE), after=0)
    try:
        content: dict[str, Any] = torch.load(folder / FILE, map_location="cpu", weights_only=True)
        return content
    except FileNotFoundError:
        return None


def remove(folder: Path) -> None:
    """Delete the checkpoint of a finished training."""
    (folder / FILE).unlink(missing_ok=True)
