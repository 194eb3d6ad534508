"""A training killed in mid-work ends with the weights of one that was left in peace."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from classifier.models import ModelVersion, TrainingRun
from classifier.services.training import trainings
from classifier.training import checkpoint
from classifier.training import folder as files
from classifier.training.plan import Plan, Sample
from classifier.training.settings import Settings
from skinclinic import imaging
from skinclinic.archive.models import Entry
from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.engine import jobs
from skinclinic.files import whole
from skinclinic.models import Job, Lesion
from tests import factories
from tests.engine import wait_until

pytestmark = pytest.mark.timeout(2400)
EPOCHS = 6


def prepare(folder, source) -> None:
    source.mkdir(exist_ok=True)
    samples = []
    for n in range(12):
        path = source / f"{n}.jpg"
        path.write_bytes(factories.jpeg_bytes(n, 80, 64))
        box = imaging.largest_centred_square(80, 64)
        samples.append(Sample(str(path), imaging.sha256(path.read_bytes()), box, n % 2, f"patient {n}"))
    about = {
        "name": "tiny", "group": "tiny", "run": 1, "runs": 1,
        "dataset": {"name": "Tumours", "version": 1, "sha256": "d" * 64},
    }  # fmt: skip
    plan = Plan(
        "efficientnet_lite0", "random", seed=3, split_seed=3, image_size=32, frozen_blocks=0,
        settings=Settings(epochs=EPOCHS, batch=4, drawn_in_batch=0),
    )  # fmt: skip
    files.prepare(folder, about, plan, samples)


def start(folder) -> subprocess.Popen:
    command = [sys.executable, "-m", "classifier.training", str(folder)]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""})


def epochs_done(folder) -> int:
    with contextlib.suppress(OSError):
        return len(json.loads((folder / files.PROGRESS).read_text())["curves"])
    return 0


def test_kill_9_of_the_process_that_trains(tmp_path, request):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        prepare(folder, tmp_path / "photos")
    # Beside the others, which it does not meet.
    undisturbed = start(whole)
    request.addfinalizer(undisturbed.kill)
    kills = 0
    for after in (1, 3):
        process = start(killed)
        wait_until(lambda after=after: epochs_done(killed) >= after, 600, f"epoch {after} is done")
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (killed / files.MODEL).exists(), "the kill came too late to prove anything"
        kills += 1
    at_the_kill = checkpoint.load(killed)["progress"]["step"]
    assert at_the_kill > 0
    assert start(killed).wait(600) == 0
    assert undisturbed.wait(600) == 0
    one = load_file(whole / files.MODEL / "model.safetensors")
    two = load_file(killed / files.MODEL / "model.safetensors")
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    manifest = json.loads((killed / files.MODEL / "manifest.json").read_text())
    assert manifest["training"]["resumed"] == kills
    alone = json.loads((whole / files.MODEL / "manifest.json").read_text())
    assert manifest["training"]["curves"] == alone["training"]["curves"]
    assert manifest["weights_sha256"] == alone["weights_sha256"]


def test_a_half_written_checkpoint_is_never_read(tmp_path):
    folder = tmp_path / "run"
    prepare(folder, tmp_path / "photos")
    draft = whole.new_draft(folder / checkpoint.FILE)
    draft.write_bytes(b"half a check")
    assert start(folder).wait(600) == 0
    assert not draft.exists(), "it has as many bytes as a whole one"
    assert json.loads((folder / files.OUTCOME).read_text())["state"] == files.DONE


def test_kill_9_of_the_worker(engine, clinic, curator):
    """Its training ends by itself and another worker goes on from the checkpoint."""
    engine.environment["JOB_LEASE_SECONDS"] = "5"
    for n in range(12):
        patient = factories.make_patient(clinic, f"P-{n}")
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, is_archived=True)
        photo = factories.make_photo(clinic, curator, seed=n, lesion=lesion)
        factories.make_entry(photo, curator, label=("bcc", "nevus")[n % 2], review="accepted")
    draft = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(draft, Entry.objects.filter(clinic=clinic))
    frozen = freezing.freeze(draft, curator)
    first = engine.start_worker("training")
    engine.start_reconciler(every=1)
    wanted = trainings.Wanted(
        "tiny", architecture="efficientnet_lite0", init="random", epochs=EPOCHS * 2, batch=4, image_size=32
    )
    training = trainings.request(wanted, frozen, curator)
    run = training.runs.get()

    def epochs() -> int:
        return len(TrainingRun.objects.get(pk=run.pk).progress.get("curves", []))

    wait_until(lambda: epochs() >= 2, 240, "two epochs are done")
    assert jobs.engine_online(trainings.QUEUE) and not jobs.engine_online()
    first.send_signal(signal.SIGKILL)
    first.wait()
    seen = epochs()
    engine.start_worker("training")
    wait_until(lambda: Job.objects.get(kind="train").state == "done", 600, "another worker finishes")
    version = ModelVersion.objects.get(name="tiny")
    assert len(version.manifest["training"]["curves"]) == EPOCHS * 2
    assert version.manifest["training"]["resumed"] >= 1, "it went on instead of beginning again"
    assert seen < EPOCHS * 2
    assert Job.objects.get(kind="train").attempts == 2
    wait_until(lambda: not run.folder.exists(), 240, "the checkpoints are gone")
