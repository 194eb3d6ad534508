"""Which folder holds the model of a name: among those that came with the product, those for all clinics and those of
each clinic. Files only, no database."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from classifier.networks import weights
from classifier.networks.manifest import MANIFEST_FILE, ModelRejected, read_manifest
from skinclinic.files.whole import DRAFT

_CLINIC_FOLDER = re.compile(r"clinic-(\d+)")
_SHIPPED = "shipped"
_HASH_SHOWN = 8


@dataclass(frozen=True)
class Found:
    """``names``: that it answers to. ``clinic``: number of the clinic whose it is, or None where all may use it."""

    path: Path
    names: frozenset[str]
    weights_sha256: str
    clinic: int | None = None


def find_model(
    name: str,
    models_dir: Path,
    *,
    clinic: int | None = None,
    clinic_name: Callable[[int], str] = "number {}".format,
) -> Path:
    """Return the folder of the model ``name``; a path with a slash in it is the folder of a model anywhere.

    ``clinic``: the number of the clinic whose models are asked for, before those for all. ``clinic_name`` says how a
    person calls one. Raises ModelRejected("unknown_model"), naming those there are, and ("ambiguous_model") with the
    choices where clinics have other models of the same name.
    """
    if "/" in name and (Path(name) / MANIFEST_FILE).is_file():
        return Path(name)
    for_all, of_clinics = _for_all(Path(models_dir)), _of_clinics(Path(models_dir))
    if clinic is not None:
        of_clinics = [found for found in of_clinics if found.clinic == clinic]
    named = [found for found in of_clinics if name in found.names]
    if clinic is None or not named:
        # What all may use comes first, an own model before a shipped one.
        named = [found for found in for_all if name in found.names][:1] + named
    if not named:
        known = sorted({shown for found in [*for_all, *of_clinics] for shown in found.names})
        raise ModelRejected(
            "unknown_model", f"There is no model {name!r}; there are: {', '.join(known) or 'none'}."
        )
    if len({found.weights_sha256 for found in named}) > 1:
        raise ModelRejected("ambiguous_model", _choices(name, named, clinic_name))
    return named[0].path


def is_folder_of_others(name: str) -> bool:
    """Whether a model of this name, for all clinics, would lie where a clinic's own or the product's models do."""
    return name == _SHIPPED or _CLINIC_FOLDER.fullmatch(name) is not None


def _choices(name: str, named: list[Found], clinic_name: Callable[[int], str]) -> str:
    lines = [
        f"{found.weights_sha256[:_HASH_SHOWN]}, "
        + (
            "for all clinics: "
            if found.clinic is None
            else f"of the clinic {clinic_name(found.clinic)}: --clinic, or "
        )
        + f"--model {found.path}"
        for found in named
    ]
    return (
        f"Several models are called {name!r}. Say whose with --clinic SLUG, or give the model's folder:\n  "
        + "\n  ".join(lines)
        + "."
    )


def _for_all(models_dir: Path) -> list[Found]:
    """By their folders' names: those registered here before those that came with the product; then what earlier
    releases brought."""
    own = [path for path in _folders(models_dir, "*") if not path.name.startswith(DRAFT)]
    found = [
        Found(path, frozenset({path.name}), _sha256(path)) for path in [*own, *weights.shipped_folders()]
    ]
    return found + [one for path in _folders(models_dir, f"{_SHIPPED}/*") if (one := _described(path))]


def _of_clinics(models_dir: Path) -> list[Found]:
    """By the names in their descriptions; their folders' names have something random behind."""
    found = [
        _described(path) for path in _folders(models_dir, "clinic-*/*") if not path.name.startswith(DRAFT)
    ]
    return [one for one in found if one and one.clinic is not None]


def _folders(models_dir: Path, pattern: str) -> list[Path]:
    return sorted(path.parent for path in models_dir.glob(f"{pattern}/{MANIFEST_FILE}"))


def _described(path: Path) -> Found | None:
    """None for a folder whose description cannot be read, which no model is registered with."""
    try:
        manifest = read_manifest(path)
    except ModelRejected:
        return None
    clinic = _CLINIC_FOLDER.fullmatch(path.parent.name)
    names = {manifest.name}
    if not clinic:
        # As it is registered beside a later release's (see classifier.services.models.registry.add).
        names = {f"{manifest.name[:70]}-{manifest.weights_sha256[:_HASH_SHOWN]}"}
    return Found(path, frozenset(names), manifest.weights_sha256, int(clinic[1]) if clinic else None)


def _sha256(path: Path) -> str:
    """As described; of a description that cannot be read "", which is told when the model is opened."""
    try:
        return read_manifest(path).weights_sha256
    except ModelRejected:
        return ""
