"""Trainings of a tiny dataset: repeatable, resumable, patients kept apart, alone and by two processes."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from classifier.analysing.proving import prove
from classifier.imports.state_dicts import load_backbone
from classifier.networks import outside, torchvision_ops, weights
from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.network import build
from classifier.training import checkpoint, initial, parts, runner, world
from classifier.training import folder as files
from classifier.training.errors import TrainingRefused
from classifier.training.photos import Views, validation_side
from classifier.training.plan import (
    Plan,
    Sample,
    fingerprint,
    photos_fingerprint,
    settings_for,
)
from classifier.training.settings import Settings
from classifier.training.today import today
from skinclinic import imaging
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories
from tests.cases import each

ABOUT = {
    "name": "tiny-run",
    "group": "g-1",
    "run": 1,
    "runs": 2,
    "dataset": {"name": "Tumours", "version": 3, "sha256": "d" * 64},
    "sources": [{"name": "Test archive", "licence": "CC BY 4.0"}],
}


def plan(**changes) -> Plan:
    """One epoch of three steps of four small pictures."""
    return Plan(
        **{
            "architecture": "efficientnet_lite0",
            "init": "random",
            "seed": 5,
            "split_seed": 1,
            "image_size": 32,
            "frozen_blocks": 0,
            "background": ("Rosacea",),
            "settings": Settings(epochs=2, batch=4, drawn_in_batch=0),
        }
        | changes
    )


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> list[Sample]:
    """20 photos of 10 patients: bcc, nevus and a background disease."""
    folder = tmp_path_factory.mktemp("photos")
    found = []
    for n in range(20):
        data = factories.jpeg_bytes(n, 80, 64)
        path = folder / f"{n}.jpg"
        path.write_bytes(data)
        label = (0, DISEASE_KEYS.index("nevus"), 12)[n // 2 % 3]
        box = imaging.largest_centred_square(80, 64)
        found.append(Sample(str(path), imaging.sha256(data), box, label, f"patient {n // 2}"))
    return found


def train(folder: Path, samples, a_plan=None, should_stop=lambda: False) -> str:
    if not (folder / files.RUN).exists():
        files.prepare(folder, ABOUT, a_plan or plan(), samples)
    return runner.run(folder, should_stop)


def outcome(folder: Path) -> dict:
    return json.loads((folder / files.OUTCOME).read_text())


def state_of(folder: Path) -> dict:
    return load_file(folder / files.MODEL / weights.WEIGHTS_FILE)


def same(first: dict, second: dict) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.fixture(scope="module")
def finished(samples, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    assert train(folder, samples) == files.DONE
    return folder


def test_a_run_leaves_a_model_with_everything_known_of_it(finished, samples):
    manifest = weights.check_files(finished / files.MODEL)
    assert (manifest.name, manifest.background_classes) == ("tiny-run", ("Rosacea",))
    training = manifest.training
    assert training["group"] == "g-1" and training["dataset"] == ABOUT["dataset"]
    assert training["photos"]["count"] + training["validation"]["count"] == 20
    assert training["photos"]["patients"] + training["validation"]["patients"] == 10
    assert training["photos_sha256"] == photos_fingerprint(samples)
    assert [entry["epoch"] for entry in training["curves"]] == [1, 2]
    assert all(np.isfinite(entry["loss"]) for entry in training["curves"])
    assert training["libraries"]["torch"] == torch.__version__
    assert training["plan"]["seed"] == 5 and training["device"].startswith("CPU")
    cohort = manifest.validated_on["cohorts"][0]
    assert cohort["n"] == training["validation"]["count"]
    assert cohort["auc"] == training["curves"][-1]["macro_auc"]
    assert "It has seen no photo of scc" in manifest.limits and "Rosacea" in manifest.trained_on
    assert "CC BY 4.0" in manifest.licence
    assert checkpoint.load(finished) is None, "the checkpoint is not needed any more"
    assert outcome(finished)["state"] == files.DONE


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(finished, samples, tmp_path):
    train(tmp_path / "again", samples)
    train(tmp_path / "other", samples, plan(seed=6))
    assert same(state_of(finished), state_of(tmp_path / "again"))
    assert not same(state_of(finished), state_of(tmp_path / "other"))


@pytest.mark.parametrize("after", [1, 3, 5])
def test_a_training_that_was_stopped_ends_with_the_same_weights(finished, samples, tmp_path, after):
    """Stopped in the middle of an epoch and at its end."""
    asked = []
    state = train(tmp_path, samples, should_stop=lambda: asked.append(1) or len(asked) == after)
    assert (state, outcome(tmp_path)["state"]) == (files.STOPPED, files.STOPPED)
    assert checkpoint.load(tmp_path)["progress"]["step"] == after
    assert not (tmp_path / files.MODEL).exists()
    assert train(tmp_path, samples) == files.DONE
    assert same(state_of(finished), state_of(tmp_path))
    manifest = weights.read_manifest(tmp_path / files.MODEL)
    assert manifest.training["resumed"] == 1
    uninterrupted = weights.read_manifest(finished / files.MODEL)
    assert manifest.training["curves"] == uninterrupted.training["curves"]


def test_a_checkpoint_of_another_training_is_refused(samples, tmp_path):
    asked = []
    train(tmp_path, samples, should_stop=lambda: asked.append(1) or len(asked) == 2)
    files.prepare(tmp_path, ABOUT, plan(seed=77), samples)
    assert runner.run(tmp_path) == files.REFUSED
    assert outcome(tmp_path)["code"] == "other_checkpoint"


def test_steps_can_be_limited(samples, tmp_path):
    train(tmp_path, samples, plan(max_steps=2))
    training = weights.read_manifest(tmp_path / files.MODEL).training
    assert training["steps"] == 2 and len(training["curves"]) == 1


def test_a_changed_or_missing_photo_is_named(samples, tmp_path):
    wrong = [replace(samples[0], sha256="0" * 64), *samples[1:]]
    assert train(tmp_path / "changed", wrong) == files.REFUSED
    assert outcome(tmp_path / "changed")["code"] == "photo_changed"
    gone = [replace(samples[0], path=str(tmp_path / "gone.jpg")), *samples[1:]]
    assert train(tmp_path / "gone", gone) == files.REFUSED
    assert outcome(tmp_path / "gone")["code"] == "photo_missing"
    assert outcome(tmp_path / "gone")["message"].endswith("cannot be read: No such file or directory.")


def test_a_full_disk_is_said_without_the_servers_paths(samples, tmp_path, monkeypatch):
    def full(*place, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "model"))

    monkeypatch.setattr(runner, "_train", full)
    assert train(tmp_path, samples) == files.FAILED
    told = outcome(tmp_path)
    assert (told["code"], told["message"]) == (
        "storage", "The disk did not take or give a file: No space left on device.",
    )  # fmt: skip


def test_patients_never_stand_on_both_sides(samples):
    side = validation_side(samples, 0.2, 3)
    for group in {sample.group for sample in samples}:
        assert (
            len({bool(out) for sample, out in zip(samples, side, strict=True) if sample.group == group}) == 1
        )
    assert 2 <= side.sum() <= 6
    backwards = validation_side(samples[::-1], 0.2, 3)
    assert np.array_equal(side, backwards[::-1]), "whatever order the photos come in"
    with pytest.raises(TrainingRefused, match="at least two patients"):
        validation_side([replace(sample, group="one") for sample in samples], 0.2, 3)


def test_a_disease_of_one_patient_is_learnt_not_kept_for_validation(samples):
    rare = [replace(sample, label=3) if sample.group == "patient 4" else sample for sample in samples]
    for seed in range(10):
        side = validation_side(rare, 0.2, seed)
        assert not any(out for sample, out in zip(rare, side, strict=True) if sample.label == 3)


def test_random_views_follow_from_the_seed_alone(samples):
    views = Views(samples, plan().preprocessing)
    first, again, other = views[0, (1, 2)], views[0, (1, 2)], views[0, (1, 3)]
    assert np.array_equal(first[0], again[0]) and not np.array_equal(first[0], other[0])
    assert first[0].shape == (3, 32, 32) and first[1] == samples[0].label


@pytest.mark.parametrize("architecture", ["efficientnet_lite0", "resnet152"])
def test_held_back_blocks_are_the_first_ones(architecture):
    network = build(architecture, 13)
    _stem, blocks = parts.stem_and_blocks(network.backbone)
    assert len(blocks) == ARCHITECTURES[architecture].blocks
    parts.hold_back(network, len(blocks) // 2)
    free = [any(p.requires_grad for p in block.parameters()) for block in blocks]
    assert free == [n >= len(blocks) // 2 for n in range(len(blocks))]
    assert network.head.weight.requires_grad


def test_every_architecture_has_its_number_of_blocks():
    for name, design in ARCHITECTURES.items():
        with torch.device("meta"):
            assert len(parts.stem_and_blocks(build(name, 1).backbone)[1]) == design.blocks, name


def test_a_network_made_for_caffe_gets_its_channels_in_caffes_order(samples):
    seen = plan(architecture="resnet50-caffe").preprocessing
    assert (seen.channel_order, seen.input_size) == ("bgr", 32)
    assert Views(samples, seen)[0, (1, 2)][0].shape == (3, 32, 32)


def test_pretrained_parts_held_back_and_normalisation_stay_as_they_are(samples, tmp_path):
    torch.manual_seed(3)
    before = build("efficientnet_lite0", 5).state_dict()
    save_file(before, tmp_path / "start.safetensors")
    train(tmp_path / "run", samples, plan(init=str(tmp_path / "start.safetensors"), frozen_blocks=8))
    after = state_of(tmp_path / "run")
    kept = {name for name, value in after.items() if name in before and _is_same(value, before[name])}
    front = ("backbone.stem.", *(f"backbone.blocks.{n}." for n in range(8)))
    assert {name for name in before if name.startswith(front) or "running_" in name} <= kept
    assert "backbone.top.0.weight" not in kept
    start = weights.read_manifest(tmp_path / "run" / files.MODEL).training["start"]
    assert start == {
        "init": "start.safetensors",
        "sha256": initial.state_hash(load_backbone(tmp_path / "start.safetensors", "efficientnet_lite0")),
        "weights_sha256": hashlib.sha256((tmp_path / "start.safetensors").read_bytes()).hexdigest(),
    }


def _is_same(stored, before) -> bool:
    return stored.shape == before.shape and torch.equal(stored, before)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "init_missing"),
        (b"", "weights_unreadable"),
        ({"one": torch.zeros(1)}, "weights_do_not_fit"),
        ({"one": "text"}, "weights_unreadable"),
    ],
)
def test_starting_weights_that_do_not_serve_are_refused(tmp_path, content, code):
    path = tmp_path / "start.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(TrainingRefused) as refused:
        initial.start(build("efficientnet_lite0", 13), "efficientnet_lite0", str(path))
    assert refused.value.code == code and "start.pth" in refused.value.message
    assert str(tmp_path) not in refused.value.message


def test_without_internet_the_way_round_is_named(monkeypatch):
    torchvision_ops.declare_missing()
    from torchvision.models import ResNet152_Weights

    def offline(self, **_):
        raise OSError("no route")

    monkeypatch.setattr(ResNet152_Weights, "get_state_dict", offline)
    monkeypatch.setattr(initial, "PACKAGES", {"efficientnet_lite0": ("no-such-package", "x.pth")})
    for architecture in ("resnet152", "efficientnet_lite0", "resnet50-caffe"):
        with pytest.raises(TrainingRefused, match="--init PATH"):
            initial.start(build(architecture, 13), architecture, "imagenet")


def test_a_plan_and_its_fingerprint_survive_the_file(samples, tmp_path):
    files.prepare(tmp_path, ABOUT, plan(), samples)
    found = files.read(tmp_path)
    assert found.plan == plan() and found.samples == samples
    assert fingerprint(found.plan, found.samples) == fingerprint(plan(), samples)
    assert fingerprint(plan(seed=9), samples) != fingerprint(plan(), samples)


def test_rates_follow_the_network_and_its_start():
    fine = settings_for("resnet152", "imagenet", epochs=3, batch=8)
    assert (fine.epochs, fine.batch, fine.drawn_in_batch) == (3, 8, 0)
    assert fine.rate < settings_for("resnet152", "random", epochs=3, batch=8).rate


def run_processes(folder: Path, processes: int) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k not in ("WORLD_SIZE", "RANK")}
    return subprocess.run(
        [sys.executable, "-m", "classifier.training", str(folder), "--processes", str(processes)],
        env=environment | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_two_processes_train_together(samples, tmp_path):
    """Without mixup and dropout the gradient of a batch is the mean of its halves'."""
    plain = plan(
        dropout=0.0,
        init=str(tmp_path / "start.safetensors"),
        settings=Settings(epochs=1, batch=4, drawn_in_batch=0, mixup=0.0),
    )
    torch.manual_seed(3)
    save_file(build("efficientnet_lite0", 13).state_dict(), tmp_path / "start.safetensors")
    for name in ("one", "two"):
        files.prepare(tmp_path / name, ABOUT, plain, samples)
    assert runner.run(tmp_path / "one") == files.DONE
    done = run_processes(tmp_path / "two", 2)
    assert done.returncode == 0, done.stderr
    training = weights.read_manifest(tmp_path / "two" / files.MODEL).training
    assert training["device"].startswith("CPU") and "2 ×" in training["device"]
    one, two = state_of(tmp_path / "one"), state_of(tmp_path / "two")
    for name, value in one.items():
        assert torch.allclose(value.float(), two[name].float(), atol=5e-3), name
    alone = weights.read_manifest(tmp_path / "one" / files.MODEL).training["curves"]
    assert training["curves"][0]["loss"] == pytest.approx(alone[0]["loss"], rel=1e-3)
    assert training["curves"][0]["validation_loss"] == pytest.approx(alone[0]["validation_loss"], rel=1e-2)


def test_a_batch_that_cannot_be_shared_out_is_refused(samples, tmp_path):
    files.prepare(tmp_path, ABOUT, plan(settings=Settings(epochs=1, batch=5, drawn_in_batch=0)), samples)
    assert run_processes(tmp_path, 2).returncode == 1
    assert outcome(tmp_path)["code"] == "batch_not_shared_out"


def test_a_manifest_is_dated_in_the_zone_the_process_was_given(monkeypatch):
    days = set()
    for zone in ("XYZ+12", "XYZ-14"):  # as POSIX writes them: 12 hours west, 14 east
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        days.add(today())
    monkeypatch.undo()
    time.tzset()
    assert len(days) == 2


@pytest.mark.parametrize(("ampere", "half"), [(True, torch.bfloat16), (False, torch.float16)])
def test_mixed_precision_is_one_that_the_card_has(monkeypatch, ampere, half):
    """Older cards only imitate bfloat16, which PyTorch counts as support unless told otherwise."""
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: ampere or including_emulation
    )
    assert world._half(torch.device("cuda")) is half
    assert world._half(torch.device("cpu")) is None


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(TrainingRefused) as caught, world.joined():
        pass
    assert caught.value.code == "too_few_gpus"
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_network_of_timm_is_trained_from_a_file_of_its_weights(samples, tmp_path):
    """Its last layer is left out, its first blocks stay, and what comes out runs and says how its maps come about."""
    name = "timm:mobilenetv3_small_050"
    torch.manual_seed(1)
    net = outside.whole(name, 1000)
    torch.save(net.state_dict(), tmp_path / "timm.pth")
    wanted = plan(architecture=name, init=str(tmp_path / "timm.pth"), frozen_blocks=3, image_size=64)
    assert train(tmp_path / "run", samples, wanted) == files.DONE, outcome(tmp_path / "run")
    manifest = prove(tmp_path / "run" / files.MODEL)
    assert "closed form through a linear layer, Hardswish" in manifest.maps
    assert manifest.preprocessing.mean == pytest.approx((0.485, 0.456, 0.406))
    assert "timm" in manifest.training["libraries"]
    after = state_of(tmp_path / "run")
    assert torch.equal(after["backbone.net.conv_stem.weight"], net.conv_stem.weight)
    assert not torch.equal(after["backbone.net.conv_head.weight"], net.conv_head.weight)


@each(
    "changes, code",
    [
        ({"architecture": "timm:mobilenetv3_small_050", "init": "imagenet"}, "imagenet_unavailable"),
        ({"architecture": "torchvision:squeezenet1_0"}, "no_pooled_end"),
        ({"architecture": "timm:mobilenetv3_smal_050"}, "unknown_architecture"),
    ],
)
def test_networks_that_cannot_be_trained_are_refused_with_the_reason(samples, tmp_path, changes, code):
    assert train(tmp_path / code, samples, plan(**changes)) == files.REFUSED
    assert outcome(tmp_path / code)["code"] == code
