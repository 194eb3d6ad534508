"""How far a training is, on disk: whole or not there at all."""

import os
from pathlib import Path
from typing import Any

import torch

FILE = "checkpoint.pt"


def save(folder: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint: to a draft, flushed to the disk, then under its name."""
    draft = folder / f".{FILE}.draft"
    with draft.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def load(folder: Path) -> dict[str, Any] | None:
    """The last checkpoint, or None where there is none. Holds tensors and plain values only."""
    try:
        content: dict[str, Any] = torch.load(folder / FILE, map_location="cpu", weights_only=True)
        return content
    except FileNotFoundError:
        return None


def remove(folder: Path) -> None:
    """Delete the checkpoint of a finished training."""
    for name in (FILE, f".{FILE}.draft"):
        (folder / name).unlink(missing_ok=True)
