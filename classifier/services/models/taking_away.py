"""A model as files that leave the server: what any installation of this product, or another program, can read again."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from django.utils.translation import override

from classifier.models import ModelVersion
from classifier.networks.manifest import FAMILIARITY_FILE, MANIFEST_FILE, PHOTOS_FILE, to_text
from classifier.networks.weights import WEIGHTS_FILE, ModelRejected
from classifier.services.models import card_file, map_checks
from skinclinic.models import Clinic
from skinclinic.web.zip_stream import Member

CARD_FILE = "model-card.json"
_AT_ONCE = 1 << 20
# What may lie beside the weights, and what the manifest calls it.
_BESIDE = {PHOTOS_FILE: "training_photos", FAMILIARITY_FILE: "familiarity"}


def members(version: ModelVersion, clinic: Clinic) -> list[Member]:
    """Weights (safetensors), description and, where there are any, the hashes of the training photos and what these
    are like, as they lie in the model's folder; into the description comes how its heatmaps were checked here; and its
    card as ``clinic`` knows it. Raises ModelRejected where a file is missing."""
    found = [card_member(version, clinic)]
    for name in (MANIFEST_FILE, WEIGHTS_FILE, *_BESIDE):
        path = version.path / name
        try:
            told = _told(version, path) if name == MANIFEST_FILE else None
            found.append(
                Member(name, path.stat().st_size, partial(pieces, path))
                if told is None
                else Member(name, len(told), partial(iter, [told]))
            )
        except OSError:
            if name not in _BESIDE or version.manifest.get(_BESIDE[name]):
                raise ModelRejected(
                    "weights_missing", f"There is no {name} of the model {version.name} on this server."
                ) from None
    return found


def _told(version: ModelVersion, path: Path) -> bytes | None:
    """The description with what was found since; None where the file says all."""
    found = map_checks.figures(version)
    try:
        said = json.loads(path.read_bytes())
    except ValueError:
        return None
    if not found or not isinstance(said, dict) or said.get("heatmap_check") == found:
        return None
    return to_text(said | {"heatmap_check": found}).encode()


def card_member(version: ModelVersion, clinic: Clinic) -> Member:
    """The model's card as ``clinic`` knows it, as a file among others."""
    with override("en"):
        card = card_file.as_json(version, clinic)
    return Member(CARD_FILE, len(card), lambda: iter([card]))


def pieces(path: Path) -> Iterator[bytes]:
    """A file's content, a part at a time."""
    with path.open("rb") as file:
        while piece := file.read(_AT_ONCE):
            yield piece
