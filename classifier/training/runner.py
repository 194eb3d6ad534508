"""One training in one folder (see ``folder``): its description goes in, a model's folder comes out."""

import fcntl
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from classifier.networks import outside, weights
from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.manifest import ModelRejected
from classifier.networks.network import MappedClassifier, build, maps_in_words
from classifier.training import checkpoint, familiar, initial, record
from classifier.training.errors import TrainingRefused, TrainingStopped
from classifier.training.folder import DONE, FAILED, LOCK, MODEL, OUTCOME, PROGRESS, REFUSED, STOPPED, read
from classifier.training.photos import check_files, validation_side
from classifier.training.plan import Plan
from classifier.training.trainer import Progress, Trainer
from classifier.training.world import World, joined
from skinclinic.files.reasons import reason
from skinclinic.files.whole import write_whole

log = logging.getLogger(__name__)

LOCK_SECONDS = 120
REPORT_EVERY_SECONDS = 1.0


def run(folder: Path, should_stop: Callable[[], bool] = lambda: False) -> str:
    """Train in a folder, alone or as one of the processes of torchrun, and note the outcome; return its state."""
    outcome = {"state": DONE, "code": "", "message": ""}
    is_first = True
    try:
        with joined() as world, _alone(folder, world):
            is_first = world.is_first
            _train(folder, world, should_stop)
    except TrainingStopped:
        outcome["state"] = STOPPED
    except TrainingRefused as error:
        outcome |= {"state": REFUSED, "code": error.code, "message": error.message}
    except OSError as error:
        log.exception("the training failed")
        outcome |= {
            "state": FAILED,
            "code": "storage",
            "message": f"The disk did not take or give a file: {reason(error)}.",
        }
    except (RuntimeError, MemoryError) as error:
        number = uuid.uuid4().hex[:8]
        log.exception("the training failed (number %s)", number)
        outcome |= {"state": FAILED, "code": _code(error), "message": _message(error, number)}
    if is_first:
        write_whole(folder / OUTCOME, json.dumps(outcome))
    return outcome["state"]


def _message(error: Exception, number: str) -> str:
    """What a library says is for the log."""
    if _code(error) == "out_of_memory":
        return "There was not enough memory. Choose a smaller batch or smaller images."
    return f"The training failed in a way that nobody foresaw (number {number}); the log says how."


def _code(error: Exception) -> str:
    out_of_memory = isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError))
    return "out_of_memory" if out_of_memory else "training_failed"


def _train(folder: Path, world: World, should_stop: Callable[[], bool]) -> None:
    found = read(folder)
    plan, samples = found.plan, found.samples
    if (folder / MODEL).is_dir():
        return
    if world.is_first:
        check_files(samples)
    validates = validation_side(samples, plan.validation_share, plan.split_seed)
    network, start = begin(plan)
    reporter = _Reporter(folder)
    trainer = Trainer(
        network, samples, validates, plan, world, folder, report=reporter.report, should_stop=should_stop
    )
    state = trainer.run()
    if world.is_first:
        reporter.write(trainer.progress)
        manifest = record.write_manifest(
            found.about,
            plan,
            samples,
            validates,
            start,
            trainer.progress,
            world,
            maps=maps_in_words(network),
        )
        manifest, beside = familiar.told(manifest, state, samples, validates, world.device)
        weights.save(folder / MODEL, manifest, state, beside=beside)
        checkpoint.remove(folder)
    world.wait()


def begin(plan: Plan) -> tuple[MappedClassifier, dict[str, Any]]:
    """The network a plan starts from, and where its weights come from. Raises TrainingRefused."""
    _check_outside(plan)
    torch.manual_seed(plan.seed)
    network = build(plan.architecture, plan.outputs, dropout=plan.dropout)
    return network, initial.start(network, plan.architecture, plan.init)


def _check_outside(plan: Plan) -> None:
    """Of a network of torchvision or timm, whether it can be cut and takes images of this size."""
    if plan.architecture in ARCHITECTURES:
        return
    side = plan.image_size
    try:
        outside.check_same(plan.architecture, side)
    except ModelRejected as error:
        raise TrainingRefused(error.code, error.message) from error
    except (RuntimeError, AssertionError, ValueError) as error:
        raise TrainingRefused(
            "image_size", f"{plan.architecture} does not take images of {side} x {side} pixels ({error})."
        ) from error


class _Reporter:
    """Writes the progress at most once a second and after every epoch."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.written, self.epochs = 0.0, 0

    def report(self, progress: Progress) -> None:
        is_due = time.monotonic() - self.written >= REPORT_EVERY_SECONDS
        if is_due or len(progress.curves) != self.epochs:
            self.write(progress)

    def write(self, progress: Progress) -> None:
        self.written, self.epochs = time.monotonic(), len(progress.curves)
        content = {name: value for name, value in vars(progress).items() if name != "losses"}
        write_whole(self.folder / PROGRESS, json.dumps(content))


@contextmanager
def _alone(folder: Path, world: World) -> Iterator[None]:
    """Hold the folder, so that a training whose watcher died and its successor never write at once."""
    if not world.is_first:
        yield
        return
    with (folder / LOCK).open("w") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise TrainingRefused(
                        "already_running", "Another process is busy with this training."
                    ) from None
                time.sleep(0.5)
        yield
