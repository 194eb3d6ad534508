"""Models sent by an admin: streamed to a draft folder, checked, moved into place; or nothing is left behind."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from classifier.models import ModelVersion
from classifier.networks import familiarity, weights
from classifier.networks.manifest import FAMILIARITY_FILE, PHOTOS_FILE
from classifier.networks.training_photos import LARGEST_FILE
from classifier.networks.weights import ModelRejected
from classifier.services.models import proof, registry
from classifier.services.models.again import CameAgain, take_over
from skinclinic.engine.housekeeping import broom
from skinclinic.files import whole
from skinclinic.files.store import storing
from skinclinic.models import Clinic, User
from skinclinic.services import quotas

WEIGHTS_MAX_BYTES = 512 * 1024 * 1024
MANIFEST_MAX_BYTES = 1024 * 1024
MAX_BYTES = WEIGHTS_MAX_BYTES + MANIFEST_MAX_BYTES + LARGEST_FILE + familiarity.LARGEST_FILE


class Upload(Protocol):
    def chunks(self) -> Iterable[bytes]: ...


def register_upload(
    weights_file: Upload,
    manifest_file: Upload,
    photos_file: Upload | None = None,
    familiarity_file: Upload | None = None,
    *,
    clinic: Clinic,
    user: User,
) -> tuple[ModelVersion, CameAgain | None]:
    """Store and register an uploaded model; return it and, where its weights are here already, what was made of its
    description. ``photos_file``: the hashes of its training photos, where its manifest speaks of them;
    ``familiarity_file``: what these are like, likewise.

    Raises ModelRejected for a model that may not be used, OverQuota and StorageFull.
    """
    parent = registry.clinic_models_dir(clinic)
    sent = (weights_file, manifest_file, photos_file, familiarity_file)
    quotas.check_bytes(room(clinic), sum(getattr(file, "size", 0) or 0 for file in sent if file))
    with storing():
        draft = whole.new_folder_draft(parent / "upload")
        try:
            _stream(manifest_file, draft / weights.MANIFEST_FILE, MANIFEST_MAX_BYTES)
            _stream(weights_file, draft / weights.WEIGHTS_FILE, WEIGHTS_MAX_BYTES)
            if photos_file:
                _stream(photos_file, draft / PHOTOS_FILE, LARGEST_FILE)
            if familiarity_file:
                _stream(familiarity_file, draft / FAMILIARITY_FILE, familiarity.LARGEST_FILE)
            whole.flush(draft)
            return _keep(draft, parent, clinic, user)
        finally:
            whole.remove(draft)


def room(clinic: Clinic) -> quotas.Room:
    """For the models that a clinic has brought or trained."""
    used = quotas.size_of(registry.clinic_models_dir(clinic))
    return quotas.Room(_("Models of this clinic"), used, settings.CLINIC_MODELS_GB * quotas.GIGABYTE)


def _keep(draft: Path, parent: Path, clinic: Clinic, user: User) -> tuple[ModelVersion, CameAgain | None]:
    manifest = registry.check(draft)
    if (draft / PHOTOS_FILE).is_file() and not manifest.training_photos:
        raise ModelRejected(
            "photos_not_described", f"There is a {PHOTOS_FILE}, but the manifest does not speak of it."
        )
    if (draft / FAMILIARITY_FILE).is_file() and not manifest.familiarity:
        raise ModelRejected(
            "familiarity_not_described",
            f"There is a {FAMILIARITY_FILE}, but the manifest does not speak of it.",
        )
    known = registry.find(manifest, clinic)
    if known and (known.path / weights.WEIGHTS_FILE).is_file():
        registry.add_beside(known, draft, manifest)
        return known, take_over(known, manifest, user)
    folder = registry.new_folder(parent, manifest.name)
    try:
        with transaction.atomic():
            # The row first: a name that is taken is found before anything is moved.
            version = known or registry.add(manifest, folder, clinic=clinic, user=user)
            whole.put(draft, folder)
            again = take_over(known, manifest, user) if known else None
            if known:
                version = registry.register_checked(manifest, folder, clinic=clinic, user=user)
            proof.ask(version)
    except BaseException:
        whole.remove(folder)
        raise
    return version, again


def _stream(upload: Upload, path: Path, max_bytes: int) -> None:
    size = 0
    with path.open("wb") as file:
        for chunk in upload.chunks():
            size += len(chunk)
            if size > max_bytes:
                raise ModelRejected(
                    "too_large", f"{path.name} is larger than {max_bytes // (1024 * 1024)} MB."
                )
            file.write(chunk)


@broom
def sweep_drafts() -> None:
    """Remove drafts of uploads that were cut off by a crash."""
    whole.sweep(settings.MODELS_DIR.glob(f"*/{whole.DRAFT}*"))
