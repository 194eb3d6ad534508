"""What a model says of itself: ``manifest.json`` beside its weights. Pure, no torch."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any

from classifier.networks import heatmap_check
from classifier.networks.architectures import ARCHITECTURES, is_known
from classifier.networks.preprocess import Preprocessing
from classifier.networks.stated import in_words
from classifier.networks.stated import is_count as _is_count
from classifier.networks.stated import is_number as _is_number
from skinclinic.files.reasons import reason
from skinclinic.files.whole import write_whole
from skinclinic.vocabulary.diseases import DISEASE_KEYS

MANIFEST_FILE = "manifest.json"
PHOTOS_FILE = "training-photos.csv"
FAMILIARITY_FILE = "familiarity.safetensors"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
LARGEST_MANIFEST = 1_000_000
DEEPEST = 50
USUAL_THRESHOLDS = "balanced"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ModelRejected(ValueError):
    """A model that must not be used. ``code`` is stable, ``message`` says to a person what is wrong."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def usual_thresholds(names: Iterable[str]) -> str | None:
    """Of the names of a model's threshold sets, oldest first, the one by which diseases are listed where nobody has
    chosen another: "balanced", else the first; None of none."""
    known = list(names)
    return USUAL_THRESHOLDS if USUAL_THRESHOLDS in known else next(iter(known), None)


@dataclass(frozen=True)
class Manifest:
    """Everything known of a model version.

    ``disease_keys`` are the 12 in their fixed order; the network's outputs are these, then
    ``background_classes``. ``thresholds`` is {set name: {"purpose", "cohort", "n", "date", "optimistic",
    "values": {disease key: threshold}}}. ``validated_on`` is {"text", "cohorts": [{"name", "n", "auc"}]}.
    ``metrics`` is free. ``training`` says how it was trained from a dataset: group of runs, dataset with its hash,
    photos, plan, curves, libraries (see classifier.training.record). ``training_photos`` describes the file of the
    hashes of the photos it was trained on, {"file", "sha256", "photos", "complete"} (see training_photos); {} where
    there is none. ``familiarity`` describes the file by which photos unlike the training photos are told (see
    familiarity.describe); {} where there is none. ``heatmap_check`` says how its heatmaps change when parts of it are
    put at random (see heatmap_check); {} where nobody has looked. ``maps`` says how its maps come about where not as
    those of this package's own networks.
    ``weights_sha256`` is filled in when the model is saved.
    """

    name: str
    architecture: str
    preprocessing: Preprocessing
    trained_on: str
    disease_keys: tuple[str, ...] = DISEASE_KEYS
    background_classes: tuple[str, ...] = ()
    weights_sha256: str = ""
    trained_at: str = ""
    validated_on: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    training_photos: dict[str, Any] = field(default_factory=dict)
    familiarity: dict[str, Any] = field(default_factory=dict)
    heatmap_check: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, dict[str, Any]] = field(default_factory=dict)
    licence: str = ""
    intended_use: str = ""
    limits: str = ""
    demo: bool = False
    maps: str = ""

    @property
    def outputs(self) -> int:
        """Number of the network's outputs: diseases and background classes."""
        return len(self.disease_keys) + len(self.background_classes)

    def to_json(self) -> dict[str, Any]:
        """Return the manifest with JSON types only, as it stands in the file."""
        said = asdict(self)
        for name in ("maps", "familiarity", "heatmap_check"):
            if not said[name]:
                del said[name]
        return {
            **said,
            "preprocessing": self.preprocessing.to_json(),
            "disease_keys": list(self.disease_keys),
            "background_classes": list(self.background_classes),
        }


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``manifest.json`` in a model's folder; raises ModelRejected."""
    path = Path(folder) / MANIFEST_FILE
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_MANIFEST + 1)
    except FileNotFoundError:
        raise ModelRejected(
            "manifest_missing", f"There is no {MANIFEST_FILE} in the model's folder."
        ) from None
    except OSError as error:
        raise ModelRejected(
            "manifest_unreadable", f"{MANIFEST_FILE} cannot be read: {reason(error)}."
        ) from error
    if len(text) > LARGEST_MANIFEST:
        raise ModelRejected("manifest_unreadable", f"{MANIFEST_FILE} is larger than a megabyte.")
    try:
        content = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_each_once
        )
        _check_depth(content)
    except (ValueError, RecursionError) as error:
        raise ModelRejected("manifest_unreadable", f"{MANIFEST_FILE} is not JSON: {error}.") from error
    return parse_manifest(content)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into a model's folder, whole or not at all. Raises OSError."""
    write_whole(Path(folder) / MANIFEST_FILE, to_text(manifest.to_json()))


def to_text(said: dict[str, Any]) -> str:
    """What a manifest says, as it stands in the file."""
    return f"{json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False)}\n"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    """Of JSON's numbers those that can be stored."""
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, of which nobody would know which of two values is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = {name for name in names if names.count(name) > 1}
        raise ValueError(f"it says {in_words(sorted(twice))} more than once")
    return found


def _check_depth(content: object) -> None:
    level: list[Any] = [content]
    depth = 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"what it says lies more than {DEEPEST} deep in itself")
        lists = [value.values() if isinstance(value, dict) else value for value in level if _holds(value)]
        level, depth = list(chain.from_iterable(lists)), depth + 1


def _holds(value: object) -> bool:
    return isinstance(value, dict | list)


def parse_manifest(content: object) -> Manifest:
    """Check the content of a manifest file and return it; raises ModelRejected."""
    if not isinstance(content, dict):
        raise ModelRejected("manifest_incomplete", "The manifest must be a JSON object.")
    values = {f.name: content[f.name] for f in fields(Manifest) if f.name in content}
    required = ("name", "architecture", "disease_keys", "preprocessing", "weights_sha256", "trained_on")
    if missing := [name for name in required if name not in values]:
        raise ModelRejected("manifest_incomplete", f"The manifest lacks {', '.join(missing)}.")
    _check_types(values)
    try:
        values["preprocessing"] = Preprocessing.from_json(values["preprocessing"])
    except ValueError as error:
        raise ModelRejected(
            "bad_preprocessing", f"The manifest's preprocessing is wrong: {error}."
        ) from error
    for name in ("disease_keys", "background_classes"):
        values[name] = tuple(values.get(name, ()))
    manifest = Manifest(**values)
    check_manifest(manifest)
    return manifest


_TYPES = {
    "disease_keys": list,
    "background_classes": list,
    "preprocessing": dict,
    "validated_on": dict,
    "metrics": dict,
    "training": dict,
    "training_photos": dict,
    "familiarity": dict,
    "heatmap_check": dict,
    "thresholds": dict,
    "demo": bool,
}


def _check_types(values: dict[str, Any]) -> None:
    for name, value in values.items():
        expected = _TYPES.get(name, str)
        if not isinstance(value, expected):
            kind = type(value).__name__
            raise ModelRejected("manifest_incomplete", f"{name} must be a {expected.__name__}, not a {kind}.")
    for name in ("disease_keys", "background_classes"):
        if not all(isinstance(key, str) and key for key in values.get(name, ())):
            raise ModelRejected("manifest_incomplete", f"{name} must hold names only.")


def check_manifest(manifest: Manifest) -> None:
    """Check name, architecture, labels and thresholds; raises ModelRejected."""
    if not NAME_PATTERN.fullmatch(manifest.name):
        raise ModelRejected(
            "bad_name", f"{manifest.name!r} is no model name: use a-z, 0-9, dot, hyphen and underscore."
        )
    if not is_known(manifest.architecture):
        raise ModelRejected(
            "unknown_architecture",
            f"The architecture {manifest.architecture!r} is not known; known are "
            f"{', '.join(ARCHITECTURES)}, and torchvision's and timm's as torchvision:NAME and timm:NAME.",
        )
    _check_labels(manifest)
    _check_training_photos(manifest.training_photos)
    _check_familiarity(manifest.familiarity)
    if manifest.heatmap_check and not heatmap_check.is_sound(manifest.heatmap_check):
        raise ModelRejected(
            "bad_heatmap_check",
            f"heatmap_check must say how many pictures were looked at and, for {', '.join(heatmap_check.STEPS)} in "
            f"this order, how many were compared and {', '.join(heatmap_check.FIGURES)} of their rank correlations, "
            "-1 to 1. Leave it out, and it is computed here.",
        )
    for name, entry in manifest.thresholds.items():
        _check_threshold_set(name, entry)


def _check_labels(manifest: Manifest) -> None:
    keys = manifest.disease_keys
    if unknown := [key for key in keys if key not in DISEASE_KEYS]:
        raise ModelRejected("unknown_disease", f"The manifest names unknown diseases: {in_words(unknown)}.")
    if missing := [key for key in DISEASE_KEYS if key not in keys]:
        raise ModelRejected("missing_disease", f"The manifest lacks the diseases {', '.join(missing)}.")
    if twice := [key for key in DISEASE_KEYS if keys.count(key) > 1]:
        raise ModelRejected(
            "doubled_disease", f"The manifest names the diseases {', '.join(twice)} more than once."
        )
    if keys != DISEASE_KEYS:
        raise ModelRejected(
            "wrong_order", f"The diseases must stand in this order: {', '.join(DISEASE_KEYS)}."
        )
    background = manifest.background_classes
    if len(set(background) | set(keys)) != len(background) + len(keys):
        raise ModelRejected(
            "doubled_class", "A background class is named twice or like one of the 12 diseases."
        )


def _check_training_photos(said: dict[str, Any]) -> None:
    if not said:
        return
    count = said.get("photos")
    if (
        said.get("file") != PHOTOS_FILE
        or not _SHA256.fullmatch(str(said.get("sha256")))
        or not isinstance(count, int)
        or isinstance(count, bool)
        or count < 0
        or not isinstance(said.get("complete"), bool)
    ):
        raise ModelRejected(
            "bad_training_photos",
            f"training_photos must name the file {PHOTOS_FILE}, its sha256, how many photos it lists, and whether it "
            "is complete.",
        )


def _check_familiarity(said: dict[str, Any]) -> None:
    if not said:
        return
    shares = [said.get("realised"), *([said["unseen"]] if "unseen" in said else [])]
    if (
        said.get("file") != FAMILIARITY_FILE
        or not _SHA256.fullmatch(str(said.get("sha256")))
        or not all(_is_number(said.get(name)) and said[name] > 0 for name in ("limit", "false_alarms"))
        or not all(_is_count(said.get(name)) for name in ("photos", "patients", "folds"))
        or not all(
            isinstance(share, dict)
            and all(_is_count(share.get(name)) for name in ("alarms", "photos"))
            and all(share.get(name) is None or _is_number(share[name]) for name in ("low", "high"))
            for share in shares
        )
        or ("unseen" in said and not _is_count(said["unseen"].get("patients")))
        or not isinstance(said.get("networks", False), bool)
    ):
        raise ModelRejected(
            "bad_familiarity",
            f"familiarity must name the file {FAMILIARITY_FILE}, its sha256, the limit, the false alarms meant, "
            "photos, patients and folds, and the alarms realised; networks, where it is there, is true or false.",
        )


def _check_threshold_set(name: str, entry: object) -> None:
    values = entry.get("values") if isinstance(entry, dict) else None
    if not isinstance(values, dict) or set(values) != set(DISEASE_KEYS):
        raise ModelRejected(
            "bad_thresholds", f"The threshold set {name!r} must have one value for each of the 12 diseases."
        )
    for key, value in values.items():
        if not _is_number(value) or not 0 <= value <= 1:
            raise ModelRejected("bad_thresholds", f"The threshold of {key} in {name!r} must be from 0 to 1.")
