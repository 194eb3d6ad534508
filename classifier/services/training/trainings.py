"""Trainings: asked for, carried out run by run, stopped and resumed.

A run's job is the truth of its state. Stopping fails its job with the code "stopped"; resuming queues it again,
and it goes on from its checkpoint.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db import transaction

from classifier.analysing.proving import prove
from classifier.models import ModelVersion, Training, TrainingRun
from classifier.networks import training_photos
from classifier.networks.architectures import ARCHITECTURES, design_of, is_known
from classifier.networks.manifest import NAME_PATTERN, read_manifest
from classifier.networks.weights import Manifest, ModelRejected
from classifier.services.evaluation import seen
from classifier.services.models import map_checks, registry
from classifier.services.training import data as training_data
from classifier.training.folder import MODEL
from classifier.training.plan import (
    FEW_PHOTOS,
    IMAGENET,
    LARGEST_IMAGE,
    RANDOM,
    SMALLEST_IMAGE,
    Plan,
    settings_for,
)
from skinclinic.archive.models import DatasetVersion
from skinclinic.engine import jobs
from skinclinic.files import whole
from skinclinic.models import Clinic, Job, User
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

JOB, QUEUE = "train", jobs.TRAINING
STOPPED = "stopped"
MOST_RUNS, MOST_EPOCHS, MOST_BATCH, LARGEST_SEED = 20, 1000, 4096, 2**31 - 1
DEFAULT_ARCHITECTURE = "resnet152"
DEFAULT_EPOCHS, DEFAULT_BATCH = 30, 16


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for. ``image_size``, ``frozen_blocks`` None: what suits network and data.

    ``init``: "imagenet", "random", or the path of a file or model folder on this server.
    """

    name: str
    architecture: str = DEFAULT_ARCHITECTURE
    init: str = IMAGENET
    runs: int = 1
    epochs: int = DEFAULT_EPOCHS
    batch: int = DEFAULT_BATCH
    image_size: int | None = None
    seed: int = 0
    max_steps: int = 0
    frozen_blocks: int | None = None

    def choices(self, photos: int) -> dict:
        """The numbers in full, as they are stored."""
        frozen = self.frozen_blocks
        if frozen is None:
            frozen = design_of(self.architecture).blocks // 2 if photos < FEW_PHOTOS else 0
        return {
            "runs": self.runs,
            "epochs": self.epochs,
            "batch": self.batch,
            "image_size": self.image_size or design_of(self.architecture).input_size,
            "seed": self.seed,
            "max_steps": self.max_steps,
            "frozen_blocks": 0 if self.init == RANDOM else frozen,
        }


def request(wanted: Wanted, version: DatasetVersion, user: User | None) -> Training:
    """Store a training and its jobs. Raises Refused."""
    check(wanted)
    found = training_data.offer(version)
    if found.problem:
        raise Refused("dataset", found.problem)
    with transaction.atomic():
        Clinic.objects.select_for_update().get(pk=version.clinic_id)
        training = Training(
            clinic=version.clinic,
            name=wanted.name,
            dataset_version=version,
            architecture=wanted.architecture,
            init=wanted.init,
            choices=wanted.choices(found.photos),
            created_by=user,
        )
        runs = [
            TrainingRun(training=training, number=number, seed=wanted.seed + number - 1)
            for number in range(1, wanted.runs + 1)
        ]
        _check_names(training, runs)
        training.save()
        for run in runs:
            run.training = training
            run.job = jobs.enqueue(
                JOB, f"{training.pk}:{run.number}", subject=training.pk, clinic=training.clinic
            )
            run.save()
    return training


def check(wanted: Wanted) -> None:
    """Raise Refused for numbers and names that make no sense."""
    if not NAME_PATTERN.fullmatch(wanted.name) or len(wanted.name) > 70:
        raise Refused("name", _("Use a-z, 0-9, dot, hyphen and underscore, 70 characters at most."))
    if not is_known(wanted.architecture):
        known = ", ".join(ARCHITECTURES)
        raise Refused("architecture", _("This network is not known; known are %(known)s.") % {"known": known})
    try:
        design = design_of(wanted.architecture)
    except ModelRejected as error:
        raise Refused("architecture", error.message) from None
    limits = {
        "runs": (1, MOST_RUNS),
        "epochs": (1, MOST_EPOCHS),
        "batch": (2, MOST_BATCH),
        "seed": (0, LARGEST_SEED),
        "max_steps": (0, 10_000_000),
        "image_size": (SMALLEST_IMAGE, LARGEST_IMAGE),
        "frozen_blocks": (0, design.blocks),
    }
    for name, (least, most) in limits.items():
        value = getattr(wanted, name)
        if value is not None and not least <= value <= most:
            raise Refused(
                name, _("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
            )


def _check_names(training: Training, runs: list[TrainingRun]) -> None:
    if Training.objects.filter(clinic=training.clinic, name=training.name).exists():
        raise Refused("name", _("There is a training of this name already. Choose another name."))
    names = [run.model_name for run in runs]
    taken = ModelVersion.objects.filter(clinic=training.clinic, name__in=names).values_list("name", flat=True)
    if taken:
        raise Refused(
            "name",
            _("There is a model named %(name)s already. Choose another name.") % {"name": ", ".join(taken)},
        )


def same_request(training: Training, wanted: Wanted, version: DatasetVersion) -> bool:
    """Whether a stored training is the one asked for, so that asking again may go on with it."""
    photos = training_data.training_items(version).count()
    return (
        training.dataset_version_id == version.pk
        and training.architecture == wanted.architecture
        and training.init == wanted.init
        and training.choices == wanted.choices(photos)
    )


def plan_of(run: TrainingRun, background: list[str]) -> Plan:
    """All that decides the outcome of one run."""
    training, choices = run.training, run.training.choices
    return Plan(
        architecture=training.architecture,
        init=training.init,
        seed=run.seed,
        split_seed=choices["seed"],
        image_size=choices["image_size"],
        frozen_blocks=choices["frozen_blocks"],
        background=tuple(background),
        max_steps=choices["max_steps"],
        settings=settings_for(
            training.architecture, training.init, epochs=choices["epochs"], batch=choices["batch"]
        ),
    )


def about(run: TrainingRun) -> dict:
    """What the manifest says beside the plan. ``base``: the model it goes on from, whose photos it has seen, too."""
    version = run.training.dataset_version
    return {
        "base": _base(run.training.init),
        "name": run.model_name,
        "group": run.training.name,
        "run": run.number,
        "runs": run.training.choices["runs"],
        "dataset": {
            "name": version.dataset.name,
            "version": version.number,
            "sha256": version.sha256,
        },
        "sources": [
            {name: source.get(name, "") for name in ("name", "licence")} for source in version.provenance
        ],
    }


def _base(init: str) -> dict:
    if not Path(init).is_dir():
        return {}
    manifest = read_manifest(Path(init))
    return {"name": manifest.name, "weights_sha256": manifest.weights_sha256}


def state(run: TrainingRun) -> str:
    """queued, running, stopping, stopped, failed or done.

    A run is queued until its process reports: a command claims all its runs and does one after the other.
    """
    row = run.job
    if row.state == Job.State.FAILED and row.error_code == STOPPED:
        return STOPPED
    if row.state == Job.State.RUNNING and run.training.is_stopped:
        return "stopping"
    if row.state == Job.State.RUNNING and not run.progress:
        return str(Job.State.QUEUED)
    return str(row.state)


def stop(training: Training) -> None:
    """Ask every run to stop: those that wait do at once, those at work after a checkpoint."""
    Training.objects.filter(pk=training.pk).update(is_stopped=True)
    training.is_stopped = True
    for run in training.runs.select_related("job"):
        jobs.cancel(run.job, STOPPED, _("Stopped. Resume it to go on."))


def resume(training: Training) -> int:
    """Let stopped and failed runs go on from their checkpoints; return how many."""
    Training.objects.filter(pk=training.pk).update(is_stopped=False)
    training.is_stopped = False
    return sum(jobs.retry(run.job) for run in training.runs.select_related("job"))


def is_stopped(training: Training) -> bool:
    """Whether somebody asked it to stop since the row was read."""
    return Training.objects.filter(pk=training.pk, is_stopped=True).exists()


def note(run: TrainingRun, progress: dict) -> None:
    """Store what a run's process reports, so that pages show it."""
    TrainingRun.objects.filter(pk=run.pk).update(progress=progress)


def share(progress: dict) -> float:
    """How much of a run is done, 0 to 1."""
    return min(progress.get("step", 0) / max(progress.get("steps", 0), 1), 1.0)


def seconds_left(run: TrainingRun) -> float | None:
    """An estimate from the steps done; None before the first."""
    step, steps = run.progress.get("step", 0), run.progress.get("steps", 0)
    if not step:
        return None
    return run.progress["seconds"] / step * (steps - step)


def keep_model(run: TrainingRun) -> Callable[[], None]:
    """Copy, check and run once the model a training has left in its folder; returns what registers it, unpublished, in
    the job's last transaction. Raises jobs.JobError for a model that may not be used."""
    folder = registry.new_folder(registry.clinic_models_dir(run.training.clinic), run.model_name)
    # Below this name it is swept away if nobody comes to register it.
    draft = whole.new_folder_draft(folder)
    try:
        shutil.copytree(run.folder / MODEL, draft, dirs_exist_ok=True)
        _list_photos(run, draft)
        whole.flush(draft)
        manifest = registry.check(draft)
        prove(draft)
    except BaseException as error:
        whole.remove(draft)
        if isinstance(error, ModelRejected):
            raise jobs.JobError(error.code, error.message) from error
        raise
    return partial(_store_model, run, manifest, draft, folder)


def _list_photos(run: TrainingRun, folder: Path) -> None:
    """Put the hashes of all photos the model has seen beside it, so that they are known wherever it is taken."""
    manifest = read_manifest(folder)
    origin = seen.origin_of_training(run.training.dataset_version, manifest.training.get("start") or {})
    photos, is_complete = seen.photos_of(origin)
    training_photos.add(folder, manifest, photos, is_complete=is_complete)


def _store_model(run: TrainingRun, manifest: Manifest, draft: Path, folder: Path) -> None:
    training = run.training
    try:
        whole.put(draft, folder)
        version = registry.register_checked(
            manifest, folder, clinic=training.clinic, user=training.created_by
        )
    except BaseException as error:
        whole.remove(folder)
        if isinstance(error, ModelRejected):
            raise jobs.JobError(error.code, error.message) from error
        raise
    if version.path != folder:
        # The same seed on the same data once more: these weights are here already.
        transaction.on_commit(partial(whole.remove, folder))
    if version.trained_on_version_id is None:
        version.trained_on_version = training.dataset_version
        version.save(update_fields=["trained_on_version"])
    map_checks.begin(version)
    TrainingRun.objects.filter(pk=run.pk).update(model_version=version)
    transaction.on_commit(partial(whole.remove, run.folder))
