"""Registering, publishing and rolling back model versions."""

import json
import pickle
import re
import shutil
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from safetensors.numpy import load, save

from classifier.models import ModelVersion, Publication, ThresholdSet
from classifier.networks import structure, weights
from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.numbers import check_numbers
from classifier.networks.weights import ModelRejected
from classifier.services.models import map_checks, proof, registry
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Job
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import audited

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def second_dir(tmp_path_factory):
    return factories.make_model_dir(tmp_path_factory.mktemp("second") / "second", name="second", seed=2)


@pytest.fixture
def first(model_dir):
    return registry.register(model_dir)


@pytest.fixture
def second(first, second_dir):
    return registry.register(second_dir)


@pytest.fixture
def third(second, tmp_path):
    return registry.register(factories.make_model_dir(tmp_path / "third", name="third", seed=3))


@pytest.fixture
def copy_of(tmp_path):
    """copy_of(folder) -> a copy that may be spoilt"""

    def make(folder: Path) -> Path:
        return Path(shutil.copytree(folder, tmp_path / f"copy-of-{folder.name}"))

    return make


def change_manifest(folder: Path, **changes):
    file = folder / weights.MANIFEST_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def put_weights(folder: Path, content: bytes):
    import hashlib

    (folder / weights.WEIGHTS_FILE).write_bytes(content)
    change_manifest(folder, weights_sha256=hashlib.sha256(content).hexdigest())


@each("architecture", list(ARCHITECTURES))
def test_fingerprints_are_those_of_the_networks(architecture):
    import torch

    from classifier.networks import network

    with torch.device("meta"):
        state = network.build(architecture, 15).state_dict()
    shapes = {name: list(value.shape) for name, value in state.items()}
    assert structure.fingerprint(shapes) == ARCHITECTURES[architecture].fingerprint


def test_registering_twice_gives_one_version(model_dir, first):
    assert registry.register(model_dir) == first
    assert ModelVersion.objects.count() == 1
    assert {entry.name for entry in first.threshold_sets.all()} == {"balanced", "screening"}
    assert ThresholdSet.objects.count() == 2


def test_new_threshold_sets_are_added_and_old_ones_stay(model_dir, first, copy_of):
    copy = copy_of(model_dir)
    thresholds = json.loads((copy / weights.MANIFEST_FILE).read_text())["thresholds"]
    changed = {key: 0.9 for key in thresholds["balanced"]["values"]}
    thresholds["balanced"]["values"] = changed
    thresholds["strict"] = {"values": changed}
    change_manifest(copy, thresholds=thresholds)
    registry.register(copy)
    assert set(first.threshold_sets.get(name="balanced").values.values()) == {0.1}
    assert set(first.threshold_sets.get(name="strict").values.values()) == {0.9}


def test_a_clinic_keeps_its_own_copy_of_the_same_weights(model_dir, first, clinic, other_clinic):
    own = registry.register(model_dir, clinic=clinic)
    assert own != first
    assert set(registry.available(clinic)) == {first, own}
    assert set(registry.available(other_clinic)) == {first}


def test_other_weights_under_a_taken_name_are_refused(model_dir, clinic, tmp_path):
    registry.register(model_dir, clinic=clinic)
    other = factories.make_model_dir(tmp_path / "other", name="tiny", seed=9)
    with pytest.raises(ModelRejected, match="own name") as caught:
        registry.register(other, clinic=clinic)
    assert caught.value.code == "name_taken"


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """A folder of shipped models of the test's own."""
    monkeypatch.setattr(weights, "SHIPPED_DIR", tmp_path / "shipped")
    return tmp_path / "shipped"


def test_shipped_models_are_copied_and_found_again(shipped, model_dir, settings):
    shutil.copytree(model_dir, shipped / "tiny")
    version = registry.register_shipped()
    assert version.path.is_relative_to(settings.MODELS_DIR)
    assert registry.register_shipped() == version
    assert len(list((settings.MODELS_DIR / "shipped").iterdir())) == 1


def test_a_release_with_other_weights_changes_no_clinic(shipped, model_dir, clinic):
    shutil.copytree(model_dir, shipped / "tiny")
    old = registry.register_shipped()
    shutil.rmtree(shipped / "tiny")
    factories.make_model_dir(shipped / "tiny", name="tiny", seed=5)
    new = registry.register_shipped()
    assert new != old
    assert new.name != old.name
    assert registry.published(clinic) == old
    assert registry.model_missing(clinic) == "", "the old weights are still there"


def test_shipped_copies_that_were_deleted_come_back(shipped, model_dir, clinic, settings):
    shutil.copytree(model_dir, shipped / "tiny")
    version = registry.register_shipped()
    shutil.rmtree(settings.MODELS_DIR)
    assert "missing" in registry.model_missing(clinic)
    assert registry.register_shipped() == version
    assert registry.model_missing(clinic) == ""


def test_nothing_shipped_is_said(shipped):
    with pytest.raises(ModelRejected) as caught:
        registry.register_shipped()
    assert caught.value.code == "no_model"


def test_the_home_may_be_moved(shipped, model_dir, clinic, settings, tmp_path):
    shutil.copytree(model_dir, shipped / "tiny")
    registry.register_shipped()
    settings.MODELS_DIR = Path(shutil.move(settings.MODELS_DIR, tmp_path / "elsewhere"))
    assert registry.model_missing(clinic) == ""


def flip_a_byte(folder):
    file = folder / weights.WEIGHTS_FILE
    content = bytearray(file.read_bytes())
    content[-1] ^= 255
    file.write_bytes(bytes(content))


def header_and_data(folder):
    content = (folder / weights.WEIGHTS_FILE).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def with_header(folder, header, data):
    text = json.dumps(header).encode()
    put_weights(folder, struct.pack("<Q", len(text)) + text + data)


def rename_a_parameter(folder):
    header, data = header_and_data(folder)
    header["evil.weight"] = header.pop(sorted(name for name in header if name.startswith("backbone."))[0])
    with_header(folder, header, data)


def drop_a_parameter(folder):
    state = load((folder / weights.WEIGHTS_FILE).read_bytes())
    del state[sorted(name for name in state if name.startswith("backbone."))[0]]
    put_weights(folder, save(state))


def leave_a_hole(folder):
    header, data = header_and_data(folder)
    del header[sorted(name for name in header if name.startswith("backbone."))[0]]
    with_header(folder, header, data)


def append_something(folder):
    put_weights(folder, (folder / weights.WEIGHTS_FILE).read_bytes() + b"PK\x03\x04")


def cut_off(folder):
    put_weights(folder, (folder / weights.WEIGHTS_FILE).read_bytes()[:-1000])


def first_parameter(header, ending=".weight"):
    return sorted(name for name in header if name.startswith("backbone.") and name.endswith(ending))[0]


def as_whole_numbers(folder):
    header, data = header_and_data(folder)
    header[first_parameter(header)]["dtype"] = "I32"
    with_header(folder, header, data)


def fill_a_parameter(value):
    """With a number that no file's header tells."""

    def fill(folder, ending=".weight"):
        state = load((folder / weights.WEIGHTS_FILE).read_bytes())
        name = first_parameter(state, ending)
        state[name] = np.full_like(state[name], value)
        put_weights(folder, save(state))

    return fill


def in_the_place_of_another(folder):
    header, data = header_and_data(folder)
    by_size = {}
    for name, entry in header.items():
        if name.endswith(".running_mean") or name.endswith(".running_var"):
            by_size.setdefault(tuple(entry["shape"]), []).append(name)
    one, other = next(names for names in by_size.values() if len(names) > 1)[:2]
    header[one]["data_offsets"] = header[other]["data_offsets"]
    with_header(folder, header, data)


def say_of_a_set(**said):
    def say(folder):
        sets = json.loads((folder / weights.MANIFEST_FILE).read_text())["thresholds"]
        change_manifest(folder, thresholds={name: entry | said for name, entry in sets.items()})

    return say


def name_sets(name):
    def rename(folder):
        sets = json.loads((folder / weights.MANIFEST_FILE).read_text())["thresholds"]
        change_manifest(folder, thresholds={name: next(iter(sets.values()))})

    return rename


SPOILT = {
    "a promise that nobody counted": (say_of_a_set(coverage={"share": 0.95}), "promised_thresholds"),
    "the rule of one": (say_of_a_set(rule="coverage", wanted=0.95), "promised_thresholds"),
    "whole numbers": (as_whole_numbers, "weights_not_floating"),
    "no numbers": (fill_a_parameter(float("nan")), "weights_not_finite"),
    "infinite": (fill_a_parameter(float("-inf")), "weights_not_finite"),
    "one place for two": (in_the_place_of_another, "weights_overlap"),
    "wrong hash": (flip_a_byte, "wrong_hash"),
    "unknown parameter": (rename_a_parameter, "wrong_parameters"),
    "missing parameter": (drop_a_parameter, "wrong_parameters"),
    "bytes of no parameter": (leave_a_hole, "weights_unreadable"),
    "something appended": (append_something, "weights_unreadable"),
    "cut off": (cut_off, "weights_unreadable"),
    "pickle": (lambda folder: put_weights(folder, pickle.dumps({"head.weight": [1]})), "weights_unreadable"),
    "torch file": (lambda folder: put_weights(folder, b"PK\x03\x04archive/data.pkl"), "weights_unreadable"),
    "empty weights": (lambda folder: put_weights(folder, b""), "weights_unreadable"),
    "huge header": (lambda folder: put_weights(folder, b"\xff" * 64), "weights_unreadable"),
    "header is a list": (lambda folder: with_header(folder, [1], b""), "weights_unreadable"),
    "no weights": (lambda folder: (folder / weights.WEIGHTS_FILE).unlink(), "weights_missing"),
    "no manifest": (lambda folder: (folder / weights.MANIFEST_FILE).unlink(), "manifest_missing"),
    "outputs": (lambda folder: change_manifest(folder, background_classes=["other"]), "wrong_outputs"),
    "architecture": (lambda folder: change_manifest(folder, architecture="vgg"), "unknown_architecture"),
    "other architecture": (
        lambda folder: change_manifest(folder, architecture="resnet152"),
        "wrong_parameters",
    ),
    "a set's name that would be cut off": (name_sets("a" * 61), "bad_thresholds"),
    "a set without a name": (name_sets(" "), "bad_thresholds"),
    "NUL": (lambda folder: change_manifest(folder, limits="a\x00b"), "manifest_unreadable"),
    "half a surrogate": (lambda folder: change_manifest(folder, limits="\ud800"), "manifest_unreadable"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_models_are_refused(model_dir, copy_of, case):
    spoil, code = SPOILT[case]
    copy = copy_of(model_dir)
    spoil(copy)
    with pytest.raises(ModelRejected) as caught:
        registry.register(copy)
    assert caught.value.code == code
    if code in ("weights_not_floating", "weights_not_finite", "weights_overlap"):
        assert "backbone." in caught.value.message, "the tensor is named"
    assert not ModelVersion.objects.exists()


def test_numbers_of_every_kind_are_read(tmp_path):
    """Half of them in the upper half of a float: bfloat16, which NumPy does not know."""
    import torch
    from safetensors.torch import save

    file = tmp_path / weights.WEIGHTS_FILE
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        good = {"a": torch.full((3, 2), 1.5, dtype=kind), "n.num_batches_tracked": torch.tensor(3)}
        file.write_bytes(save(good))
        check_numbers(file)
        for wrong in (float("inf"), float("nan")):
            file.write_bytes(save(good | {"a": torch.tensor([1.0, wrong], dtype=kind)}))
            with pytest.raises(ModelRejected) as caught:
                check_numbers(file)
            assert caught.value.code == "weights_not_finite"


def test_a_model_of_a_clinic_is_run_before_it_is_published(model_dir, clinic, admin_user):
    version = registry.register(model_dir, clinic=clinic)
    for _once_more in range(2):
        with pytest.raises(ModelRejected) as caught:
            registry.publish(version, clinic=clinic, user=admin_user)
        assert caught.value.code == "not_run_yet"
    assert Job.objects.filter(kind=proof.JOB).count() == 1
    assert version in registry.listed(clinic) and version not in registry.available(clinic)
    assert not Job.objects.filter(kind=map_checks.JOB).exists()
    jobs.run_waiting(proof.JOB)
    assert Job.objects.get(kind=map_checks.JOB).subject == version.pk, "its heatmaps are checked next"
    assert version in registry.available(clinic)
    assert registry.publish(version, clinic=clinic, user=admin_user)
    assert audited("model.add", "model.publish")


@pytest.mark.django_db(transaction=True)
def test_a_model_that_fails_is_no_model_of_the_clinic_any_more(model_dir, copy_of, clinic, other_clinic):
    copy = copy_of(model_dir)
    # Finite, and the root of it is none.
    fill_a_parameter(-5.0)(copy, ".running_var")
    version = registry.register(copy, clinic=clinic)
    proof.ask(version)
    jobs.run_waiting(proof.JOB)
    assert not ModelVersion.objects.exists() and not copy.exists()
    (why,) = proof.refused(clinic)
    assert why.code == "scores_not_finite" and proof.refused(clinic, version.pk)
    assert why.message.startswith("tiny: ") and ".running_var" in why.message, "the tensor is named"
    assert not proof.refused(other_clinic)
    assert AuditEvent.objects.get(action="model.refuse").clinic_key == clinic.pk


def test_one_that_is_used_already_stays_whatever_a_later_run_says(model_dir, clinic, admin_user, monkeypatch):
    version = factories.proven(registry.register(model_dir, clinic=clinic))
    registry.publish(version, clinic=clinic, user=admin_user)
    row = Job.objects.get(kind=proof.JOB)
    row.state, row.error_code = Job.State.FAILED, "does_not_compute"
    proof.follow([row])
    assert ModelVersion.objects.filter(pk=version.pk).exists() and not proof.refused(clinic)


@pytest.mark.django_db(transaction=True)
def test_a_model_for_which_there_was_too_little_memory_stays(model_dir, clinic, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("classifier.networks.network.MappedClassifier.classify", fail)
    version = registry.register(model_dir, clinic=clinic)
    row = proof.ask(version)
    for _try in range(3):
        jobs.run_waiting(proof.JOB)
    row.refresh_from_db()
    assert row.error_code in ("", "out_of_memory") and row.state != Job.State.DONE
    assert ModelVersion.objects.filter(pk=version.pk).exists() and not proof.refused(clinic)


def test_what_a_library_says_of_a_failure_stays_in_the_log(
    model_dir, clinic, admin_user, monkeypatch, caplog
):
    def fail(*arguments):
        raise RuntimeError("Error(s) in loading state_dict for MappedClassifier: Missing key(s)")

    monkeypatch.setattr("classifier.analysing.pipeline.analyse", fail)
    version = registry.register(model_dir, clinic=clinic)
    row = proof.ask(version)
    jobs.run_waiting(proof.JOB)
    row.refresh_from_db()
    assert "state_dict" not in row.error and "state_dict" in caplog.text
    (number,) = re.findall(r"number ([0-9a-f]{8})", row.error)
    assert number in caplog.text
    assert registry.published(clinic) != version


def test_without_publication_the_first_shipped_model_is_used(clinic, first, second):
    assert registry.published(clinic) == first
    assert not Publication.objects.exists()


def test_without_any_model(clinic):
    assert registry.published(clinic) is None
    assert registry.roll_back(clinic, user=None) is None
    assert "no model yet" in registry.model_missing(clinic)


def test_publishing_counts_for_one_clinic(clinic, other_clinic, admin_user, first, second):
    line = registry.publish(second, clinic=clinic, user=admin_user, reason="better")
    assert registry.published(clinic) == second
    assert registry.published(other_clinic) == first
    assert (line.published_by, line.reason, line.is_rollback) == (admin_user, "better", False)


def test_publishing_what_is_in_use_writes_no_line(clinic, admin_user, first):
    registry.publish(first, clinic=clinic, user=admin_user)
    assert registry.publish(first, clinic=clinic, user=admin_user) is None
    assert Publication.objects.count() == 1


def test_a_clinic_cannot_publish_the_model_of_another(clinic, other_clinic, admin_user, model_dir):
    theirs = registry.register(model_dir, clinic=other_clinic)
    with pytest.raises(ValueError, match="its own"):
        registry.publish(theirs, clinic=clinic, user=admin_user)
    assert not Publication.objects.exists()


def test_a_model_that_was_changed_on_the_disk_is_not_published(
    clinic, admin_user, first, second_dir, copy_of
):
    version = registry.register(copy_of(second_dir))
    flip_a_byte(version.path)
    with pytest.raises(ModelRejected):
        registry.publish(version, clinic=clinic, user=admin_user)
    assert registry.published(clinic) == first


def test_each_roll_back_undoes_one_publication(clinic, admin_user, first, second, third):
    registry.publish(second, clinic=clinic, user=admin_user)
    registry.publish(third, clinic=clinic, user=admin_user)
    used = []
    for _step in range(3):
        line = registry.roll_back(clinic, user=admin_user, reason="worse")
        used.append(line and line.model_version.name)
    assert used == ["second", "tiny", None] and audited("model.roll_back")
    assert registry.published(clinic) == first
    registry.publish(third, clinic=clinic, user=admin_user)
    assert registry.roll_back_target(clinic) == first
    assert Publication.objects.filter(is_rollback=True).count() == 2


def test_a_double_click_rolls_back_once(clinic, admin_user, first, second, third):
    registry.publish(second, clinic=clinic, user=admin_user)
    registry.publish(third, clinic=clinic, user=admin_user)
    registry.roll_back(clinic, user=admin_user, from_version=third.pk)
    with pytest.raises(registry.PublishedMeanwhile):
        registry.roll_back(clinic, user=admin_user, from_version=third.pk)
    assert registry.published(clinic) == second


@pytest.mark.django_db(transaction=True)
def test_rolling_back_at_the_same_time_goes_one_step(clinic, admin_user, first, second, third):
    registry.publish(second, clinic=clinic, user=admin_user)
    registry.publish(third, clinic=clinic, user=admin_user)
    start = threading.Barrier(3)

    def go_back():
        try:
            start.wait()
            registry.roll_back(clinic, user=admin_user, from_version=third.pk)
        except registry.PublishedMeanwhile:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=go_back) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.published(clinic) == second
    assert Publication.objects.filter(is_rollback=True).count() == 1


def test_the_next_photo_gets_the_published_model_without_a_restart(
    clinic, clinician, admin_user, first, second
):
    before = factories.make_analysis(factories.make_photo(clinic, clinician, seed=1), clinician)
    registry.publish(second, clinic=clinic, user=admin_user)
    after = factories.make_analysis(factories.make_photo(clinic, clinician, seed=2), clinician)
    registry.roll_back(clinic, user=admin_user)
    again = factories.make_analysis(factories.make_photo(clinic, clinician, seed=3), clinician)
    assert [row.model_version for row in (before, after, again)] == [first, second, first]
    assert all(row.is_done for row in (before, after, again))
