"""A run in a process of its own: the worker that watches it renews its lease and passes a wish to stop on.

The process is told to stop by closing its standard input, which also happens when the watcher is killed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from classifier.models import TrainingRun
from classifier.networks.manifest import ModelRejected
from classifier.services.training import data as training_data
from classifier.services.training import trainings
from classifier.training.folder import DONE, OUTCOME, PROGRESS, RUN, prepare
from classifier.training.settings import KEEP_MEMORY, SHARE_CORES
from skinclinic.engine.jobs import JobError
from skinclinic.files import whole

LOOK_EVERY_SECONDS = 0.5
SAY_AGAIN_AFTER_SECONDS = 5.0
STOP_WITHIN_SECONDS = 300.0
LOG = "training.log"
# Of photos that are no plain files here, while it trains; below a draft's name no backup takes them along.
COPIES = f"{whole.DRAFT}photos"
# What torchrun sets for its processes must not reach a training that starts processes itself.
_OF_TORCHRUN = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "GROUP_RANK",
)


class Killed(JobError):
    """The training's process died without a word, as when memory runs out."""

    def __init__(self, status: int):
        super().__init__(
            "killed", _("The training's process ended with status %(status)d.") % {"status": status}
        )


def train(
    run: TrainingRun,
    *,
    heard: Callable[[dict], None],
    should_stop: Callable[[], bool],
    processes: int = 0,
) -> None:
    """Train until the model lies in the run's folder.

    ``heard`` gets the progress when it changes and every few seconds; what it raises ends the training. Raises
    JobError for what cannot succeed or was stopped, and Killed.
    """
    folder = run.folder
    try:
        _prepare(run, folder)
        (folder / OUTCOME).unlink(missing_ok=True)
        process = _start(folder, processes)
        try:
            _watch(process, folder, heard, should_stop)
        finally:
            _end(process)
    finally:
        whole.remove(folder / COPIES)
    _judge(folder, process.returncode)


def _prepare(run: TrainingRun, folder: Path) -> None:
    version = run.training.dataset_version
    if (folder / RUN).exists():
        # Since it stopped, a patient may have said no.
        if problem := training_data.offer(version, now=True).problem:
            raise JobError("dataset_unfit", problem)
        training_data.fetch_again(version, folder / COPIES)
        return
    try:
        samples, background = training_data.samples(version, folder / COPIES)
    except training_data.Unfit as error:
        raise JobError("dataset_unfit", str(error)) from error
    try:
        about = trainings.about(run)
    except ModelRejected as error:
        raise JobError(error.code, error.message) from error
    prepare(folder, about, trainings.plan_of(run, background), samples)


def _start(folder: Path, processes: int) -> subprocess.Popen:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_TORCHRUN and not name.startswith("TORCHELASTIC_")
    }
    command = [sys.executable, "-m", "classifier.training", str(folder), "--while-watched"]
    if processes:
        command += ["--processes", str(processes)]
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env=SHARE_CORES | environment | KEEP_MEMORY,
            # Ctrl-C reaches the watcher alone, which ends the training in order.
            start_new_session=True,
        )


def _watch(process: subprocess.Popen, folder: Path, heard, should_stop) -> None:
    said, seen = 0.0, None
    stopping_since = None
    while process.poll() is None:
        time.sleep(LOOK_EVERY_SECONDS)
        stamp, progress = _progress(folder)
        if stamp != seen or time.monotonic() - said > SAY_AGAIN_AFTER_SECONDS:
            heard(progress)
            said, seen = time.monotonic(), stamp
        if stopping_since is None and should_stop():
            _close_input(process)
            stopping_since = time.monotonic()
        if stopping_since and time.monotonic() - stopping_since > STOP_WITHIN_SECONDS:
            return
    heard(_progress(folder)[1])


def _progress(folder: Path) -> tuple[int | None, dict]:
    path = folder / PROGRESS
    try:
        return path.stat().st_mtime_ns, json.loads(path.read_text())
    except FileNotFoundError:
        return None, {}


def _close_input(process: subprocess.Popen) -> None:
    """The training ends in order when its standard input does."""
    if process.stdin and not process.stdin.closed:
        process.stdin.close()


def _end(process: subprocess.Popen) -> None:
    _close_input(process)
    try:
        process.wait(STOP_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _judge(folder: Path, status: int) -> None:
    try:
        outcome = json.loads((folder / OUTCOME).read_text())
    except FileNotFoundError:
        raise Killed(status) from None
    if outcome["state"] == trainings.STOPPED:
        raise JobError(trainings.STOPPED, _("Stopped. Resume it to go on."))
    if outcome["state"] != DONE:
        raise JobError(outcome["code"], outcome["message"])
