"""Registering model versions, publishing them to a clinic and rolling back."""

import json
import logging
import shutil
import uuid
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from classifier.models import ModelVersion, Publication, ThresholdSet
from classifier.networks import familiarity, training_photos, weights
from classifier.networks.structure import check_structure
from classifier.networks.weights import Manifest, ModelRejected
from classifier.services.analysis import unlike
from classifier.services.models import promises, proof
from skinclinic.engine.readiness import readiness_check
from skinclinic.files import whole
from skinclinic.kept_queries import kept
from skinclinic.models import Clinic, User
from skinclinic.services import audit
from skinclinic.services.people import lock

log = logging.getLogger(__name__)


class PublishedMeanwhile(Exception):
    """Somebody else has published another model since the page was opened."""


def check(folder: Path) -> Manifest:
    """Check everything about a model that needs no torch. Raises ModelRejected."""
    manifest = weights.check_files(folder)
    check_structure(Path(folder) / weights.WEIGHTS_FILE, manifest)
    _check_storable(manifest)
    _check_set_names(manifest)
    _check_promises(manifest)
    return manifest


def _check_promises(manifest: Manifest) -> None:
    """Refuse thresholds that say of themselves that they cover the truth: only an evaluation here can count that."""
    for name, entry in manifest.thresholds.items():
        if promises.COVERAGE in entry or entry.get("rule") == promises.COVERAGE:
            raise ModelRejected(
                "promised_thresholds",
                f"The threshold set {name!r} promises to cover the truth. That is counted from an evaluation here, and "
                f"no manifest can say it: take “{promises.COVERAGE}” out of the set, and make such thresholds here.",
            )


def _check_storable(manifest: Manifest) -> None:
    """Refuse texts that a database cannot store."""
    try:
        text = json.dumps(manifest.to_json(), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = b"\\u0000"
    if b"\\u0000" in text:
        raise ModelRejected("manifest_unreadable", "The manifest has characters that are no text.")


def _check_set_names(manifest: Manifest) -> None:
    """Refuse names of threshold sets that would be cut off, of which two may become one."""
    longest = ThresholdSet._meta.get_field("name").max_length or 0
    if wrong := [name for name in manifest.thresholds if not name.strip() or len(name) > longest]:
        raise ModelRejected(
            "bad_thresholds",
            f"A threshold set needs a name of 1 to {longest} characters, which {wrong[0][:200]!r} is not. Call it "
            "something else in the manifest.",
        )


def register(folder: Path, *, clinic: Clinic | None = None, user: User | None = None) -> ModelVersion:
    """Register the model in ``folder`` after checking it; one with the same weights is returned as it is.

    ``clinic`` None makes it available to every clinic. Raises ModelRejected.
    """
    manifest = check(folder)
    if known := find(manifest, clinic):
        add_beside(known, folder, manifest)
    return register_checked(manifest, folder, clinic=clinic, user=user)


def register_checked(
    manifest: Manifest, folder: Path, *, clinic: Clinic | None = None, user: User | None = None
) -> ModelVersion:
    """The same of a model that ``check`` has just read: only rows, so that it may be done in a transaction."""
    if known := find(manifest, clinic):
        return _found_again(known, folder, manifest, user)
    try:
        return add(manifest, folder, clinic=clinic, user=user)
    except IntegrityError:
        # Another process was faster.
        if known := find(manifest, clinic):
            return known
        raise ModelRejected("name_taken", _name_taken(manifest)) from None


def find(manifest: Manifest, clinic: Clinic | None) -> ModelVersion | None:
    """The version with these weights that the clinic (None: the product) has already."""
    return ModelVersion.objects.filter(clinic=clinic, weights_sha256=manifest.weights_sha256).first()


@transaction.atomic
def add(
    manifest: Manifest, folder: Path, *, clinic: Clinic | None = None, user: User | None = None
) -> ModelVersion:
    """Store a checked model's row and threshold sets. Raises ModelRejected for a name that is taken."""
    name = manifest.name
    if ModelVersion.objects.filter(clinic=clinic, name=name).exists():
        if clinic is not None:
            raise ModelRejected("name_taken", _name_taken(manifest))
        # A newer release of the product brings other weights under the same name; both stay.
        name = f"{name[:70]}-{manifest.weights_sha256[:8]}"
    version = ModelVersion.objects.create(
        clinic=clinic,
        name=name,
        weights_sha256=manifest.weights_sha256,
        folder=_relative(folder),
        architecture=manifest.architecture,
        manifest=manifest.to_json(),
        registered_by=user,
    )
    audit.record("model.add", version, by=user, facts={"weights": version.weights_sha256})
    add_thresholds(version, manifest, user)
    return version


def register_shipped() -> ModelVersion:
    """Register the models that come with the product; return the first. Raises ModelRejected if none came.

    They are copied below MODELS_DIR, so that a clinic can go on with one that a newer release has replaced.
    """
    versions = [_register_copy(folder) for folder in weights.shipped_folders()]
    if not versions:
        raise ModelRejected("no_model", "No model came with this copy of the product.")
    return versions[0]


def _register_copy(folder: Path) -> ModelVersion:
    manifest = check(folder)
    known = find(manifest, None)
    if known and (known.path / weights.WEIGHTS_FILE).is_file():
        add_beside(known, folder, manifest)
        return _found_again(known, known.path, manifest, None)
    copy = new_folder(settings.MODELS_DIR / "shipped", manifest.name)
    with whole.whole_folder(copy) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
    version = register(copy)
    if version.path != copy:
        whole.remove(copy)
    return version


def add_beside(version: ModelVersion, folder: Path, manifest: Manifest) -> None:
    """Give a model that was registered without them what lies beside its weights in ``folder`` now: the list of its
    training photos, and what these are like; and how its heatmaps were checked, where only its description says it."""
    add_photos(version, folder, manifest)
    add_familiarity(version, folder, manifest)
    if manifest.heatmap_check and not version.manifest.get("heatmap_check"):
        version.manifest = version.manifest | {"heatmap_check": manifest.heatmap_check}
        version.save(update_fields=["manifest"])


def add_photos(version: ModelVersion, folder: Path, manifest: Manifest) -> None:
    """Give a model that was registered without it the list of its training photos that lies in ``folder`` now."""
    said = manifest.training_photos
    if not said or version.manifest.get("training_photos"):
        return
    if version.path.resolve() != Path(folder).resolve():
        kept = replace(weights.read_manifest(version.path), training_photos=said)
        training_photos.put(version.path, kept, training_photos.read_bytes(folder))
    version.manifest = version.manifest | {"training_photos": said}
    version.save(update_fields=["manifest"])


def add_familiarity(version: ModelVersion, folder: Path, manifest: Manifest) -> bool:
    """What its training photos are like, of a model that was registered without; answers that are here with features
    are told anew. False where there is nothing to add."""
    said = manifest.familiarity
    if not said or version.manifest.get("familiarity"):
        return False
    if version.path.resolve() != Path(folder).resolve():
        familiarity.add(
            version.path, weights.read_manifest(version.path), familiarity.read_bytes(folder), said
        )
    version.manifest = version.manifest | {"familiarity": said}
    version.save(update_fields=["manifest"])
    unlike.tell_anew(version)
    return True


def new_folder(parent: Path, name: str) -> Path:
    """A folder below ``parent`` for a model of this name; it does not exist yet."""
    return parent / f"{name}-{uuid.uuid4().hex[:8]}"


def _found_again(version: ModelVersion, folder: Path, manifest: Manifest, user: User | None) -> ModelVersion:
    if not (version.path / weights.WEIGHTS_FILE).is_file():
        version.folder = _relative(folder)
        version.save(update_fields=["folder"])
    add_thresholds(version, manifest, user)
    return version


def add_thresholds(version: ModelVersion, manifest: Manifest, user: User | None) -> list[ThresholdSet]:
    """Store the manifest's threshold sets that are new, and return them; those there already are never changed."""
    sets = [
        ThresholdSet.objects.get_or_create(
            model_version=version,
            clinic=None,
            name=name[:60],
            defaults={
                "purpose": str(entry.get("purpose", ""))[:300],
                "cohort": str(entry.get("cohort", ""))[:600],
                "values": entry["values"],
                "details": {k: v for k, v in entry.items() if k not in ("purpose", "cohort", "values")},
                "created_by": user,
            },
        )
        for name, entry in manifest.thresholds.items()
    ]
    added = [row for row, is_new in sets if is_new]
    for row in added:
        audit.record("threshold.make", row, clinic=version.clinic_id, by=user, facts={"model": version.pk})
    return added


def _relative(folder: Path) -> str:
    """The folder as stored: relative to MODELS_DIR where it lies there, so that the home can be moved."""
    folder, models_dir = Path(folder).resolve(), settings.MODELS_DIR.resolve()
    return str(folder.relative_to(models_dir) if folder.is_relative_to(models_dir) else folder)


def _name_taken(manifest: Manifest) -> str:
    return f"There is a model named {manifest.name!r} with other weights. Give this one its own name."


def published(clinic: Clinic) -> ModelVersion | None:
    """The model version this clinic uses now; before any publication, the one that came first with the product."""
    line = current_line(clinic)
    return line.model_version if line else _default()


def current_line(clinic: Clinic) -> Publication | None:
    """The newest line of the clinic's log."""
    return next(iter(_newest_line(clinic.pk)), None)


def _default() -> ModelVersion | None:
    return next(iter(_came_first()), None)


@kept
def _newest_line(clinic: int) -> QuerySet[Publication]:
    lines = Publication.objects.filter(clinic=clinic)
    return lines.select_related("model_version", "published_by")[:1]


@kept
def _came_first() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(clinic=None).order_by("id")[:1]


def publish(
    version: ModelVersion, *, clinic: Clinic, user: User | None, reason: str = ""
) -> Publication | None:
    """Make a version the one the clinic uses from the next photo on; None when it already is.

    Raises ModelRejected when its files are no longer what was registered, or it has not run here yet.
    """
    if version.clinic_id not in (None, clinic.pk):
        raise ValueError("a clinic may only publish models of the product and its own")
    _check_registered(version)
    proof.check(version)
    return _publish(version, clinic=clinic, user=user, reason=reason)


@transaction.atomic
def _publish(version: ModelVersion, *, clinic: Clinic, user: User | None, reason: str) -> Publication | None:
    lock(clinic)
    line = current_line(clinic)
    if line and line.model_version_id == version.pk:
        return None
    log.info("clinic %s publishes model %s", clinic.slug, version.name)
    _told("model.publish", version, line, clinic, user, reason)
    return Publication.objects.create(clinic=clinic, model_version=version, published_by=user, reason=reason)


def _told(
    action: str,
    version: ModelVersion,
    line: Publication | None,
    clinic: Clinic,
    user: User | None,
    reason: str,
) -> None:
    before = line.model_version if line else _default()
    audit.record(
        action, version, clinic=clinic, by=user, reason=reason,
        before={"model": before.name if before else ""}, after={"model": version.name},
    )  # fmt: skip


def roll_back_target(clinic: Clinic) -> ModelVersion | None:
    """The version a roll-back returns to: each one undoes the newest publication not undone yet."""
    used = [_default()]
    lines = Publication.objects.filter(clinic=clinic).select_related("model_version").order_by("id")
    for line in lines:
        if line.is_rollback and len(used) > 1:
            used.pop()
        elif line.model_version != used[-1]:
            used.append(line.model_version)
    return used[-2] if len(used) > 1 else None


def roll_back(
    clinic: Clinic, *, user: User | None, from_version: int | None = None, reason: str = ""
) -> Publication | None:
    """Return to the version used before the current one; None when there is none.

    ``from_version``: primary key of the version the person saw in use; raises PublishedMeanwhile when it no
    longer is, so that a double click goes back one step, not two. Raises ModelRejected.
    """
    if target := roll_back_target(clinic):
        _check_registered(target)
    with transaction.atomic():
        lock(clinic)
        current = published(clinic)
        if from_version is not None and (current is None or current.pk != from_version):
            raise PublishedMeanwhile
        if target is None or target != roll_back_target(clinic):
            return None
        log.info("clinic %s rolls back to model %s", clinic.slug, target.name)
        _told("model.roll_back", target, current_line(clinic), clinic, user, reason)
        return Publication.objects.create(
            clinic=clinic, model_version=target, published_by=user, is_rollback=True, reason=reason
        )


def _check_registered(version: ModelVersion) -> None:
    manifest = check(version.path)
    if manifest.weights_sha256 != version.weights_sha256:
        raise ModelRejected("wrong_hash", "The weights on the disk are not those that were registered.")


def available(clinic: Clinic):
    """Versions this clinic may use: the product's and its own, but for those that were sent and have not run yet."""
    return listed(clinic).exclude(pk__in=proof.not_run())


def listed(clinic: Clinic):
    """Versions this clinic sees: the product's and its own, those included that have not run yet."""
    return available_to_all() | ModelVersion.objects.filter(clinic=clinic)


def available_to_all():
    """Versions of the product, which every clinic may publish."""
    return ModelVersion.objects.filter(clinic=None)


def clinic_models_dir(clinic: Clinic) -> Path:
    """Where a clinic's uploaded models lie."""
    return settings.MODELS_DIR / f"clinic-{clinic.pk}"


@readiness_check
def model_missing(clinic: Clinic) -> str:
    """Why the clinic's photos cannot be analysed now, or ""."""
    version = published(clinic)
    if version is None:
        return _("There is no model yet. An admin adds and publishes one on the page Models.")
    if not all((version.path / name).is_file() for name in (weights.WEIGHTS_FILE, weights.MANIFEST_FILE)):
        return _("The files of the model %(name)s are missing on this server.") % {"name": version.name}
    return ""
