"""How far a training is, on disk: whole or not there at all."""

from pathlib import Path

import torch

from skinclinic.files import whole

FILE = "checkpoint.pt"


def save(folder: Path, content: dict) -> None:
    """Write a checkpoint, in the place of the last one."""
    with whole.whole_file(folder / FILE) as file:
        torch.save(content, file)


def load(folder: Path) -> dict | None:
    """The last checkpoint, or None where there is none. Holds tensors and plain values only.

    What a killed training left half written is deleted: it has as many bytes, and nobody else writes here.
    """
    whole.sweep(whole.drafts(folder / FILE), after=0)
    try:
        return torch.load(folder / FILE, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None


def remove(folder: Path) -> None:
    """Delete the checkpoint of a finished training."""
    (folder / FILE).unlink(missing_ok=True)
