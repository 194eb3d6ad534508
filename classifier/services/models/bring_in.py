"""Models that were trained elsewhere, registered from the command line."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from classifier.analysing.proving import prove
from classifier.models import ModelVersion
from classifier.networks import finding, weights
from classifier.networks.weights import Manifest, ModelRejected
from classifier.services.models import map_checks, registry
from skinclinic.models import Clinic

if TYPE_CHECKING:
    from torch import Tensor


def register_import(
    state: Mapping[str, "Tensor"], manifest: Manifest, *, clinic: Clinic | None, half: bool = False
) -> tuple[ModelVersion, bool]:
    """Store and register a network; return the version and whether it is new.

    ``half``: see weights.save. ``clinic`` None makes it available to every clinic; none uses it before it is
    published there. It is run once first. Raises ModelRejected, and OSError where it cannot be written; nothing is
    left behind then.
    """
    if clinic is None and finding.is_folder_of_others(manifest.name):
        raise ModelRejected(
            "bad_name",
            f"{manifest.name!r} is the name of a folder that holds other models. Choose another name, or say whose the "
            "model is with --clinic SLUG.",
        )
    if clinic is None and not registry.available_to_all().exists():
        # The first of the product's models is what clinics use before they publish one.
        registry.register_shipped()
    folder = _new_folder(manifest.name, clinic)
    try:
        manifest = weights.save(folder, manifest, state, half=half)
    except FileExistsError:
        raise _name_taken(manifest.name) from None
    version = None
    try:
        known = registry.find(manifest, clinic)
        if known is None:
            prove(folder)
        if known is None and ModelVersion.objects.filter(clinic=clinic, name=manifest.name).exists():
            raise _name_taken(manifest.name)
        version = registry.register(folder, clinic=clinic)
    finally:
        if version is None or version.path.resolve() != folder.resolve():
            shutil.rmtree(folder, ignore_errors=True)
    map_checks.begin(version)
    return version, known is None


def source_files(*paths: Path) -> list[dict]:
    """Name and SHA-256 of the files a model was made from, for its manifest."""
    found = []
    for path in paths:
        with Path(path).open("rb") as file:
            found.append({"name": Path(path).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()})
    return found


def _new_folder(name: str, clinic: Clinic | None) -> Path:
    """A clinic's models lie apart; one for all lies where ``classify --model NAME`` finds it."""
    if clinic is not None:
        return registry.new_folder(registry.clinic_models_dir(clinic), name)
    return settings.MODELS_DIR / name


def _name_taken(name: str) -> ModelRejected:
    return ModelRejected("name_taken", f"There is a model named {name!r} already. Choose another name.")
