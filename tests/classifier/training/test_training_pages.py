"""Trainings as a clinic asks for, follows, stops and resumes them; what a dataset gives and lacks."""

import itertools
import json
import re
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from classifier.models import ModelVersion, Training
from classifier.networks import outside, training_photos, weights
from classifier.presenters.training_chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, chart
from classifier.presenters.training_progress import duration
from classifier.services.models import map_checks, registry
from classifier.services.training import data as training_data
from classifier.services.training import process as training_process
from classifier.services.training import trainings
from classifier.training.folder import MODEL
from skinclinic.archive.models import DuplicatePair, Entry
from skinclinic.archive.services.datasets import counted, datasets, dividing, freezing, large
from skinclinic.backups.sealing import Key
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job, Lesion
from skinclinic.services.refused import Refused
from tests import factories
from tests.cases import each
from tests.engine import run_to_the_end
from tests.skinclinic.pages import NASTY, messages_of

pytestmark = pytest.mark.django_db

LABELS = ("bcc", "nevus", "Rosacea")


def make_draft(clinic, curator):
    """A draft of 22 photos of 20 patients, two of them with two photos: bcc, nevus and a background disease."""
    for n in range(22):
        person = n % 20
        code = f"P-{person}"
        patient = clinic.patients.filter(code=code).first() or factories.make_patient(clinic, code)
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, is_archived=True)
        photo = factories.make_photo(clinic, curator, seed=n, lesion=lesion)
        factories.make_entry(photo, curator, label=LABELS[person % 3], is_proven=True, review="accepted")
    draft = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(draft, Entry.objects.filter(clinic=clinic))
    return draft


@pytest.fixture
def dataset(clinic, curator):
    return make_draft(clinic, curator)


@pytest.fixture(scope="module")
def divided(standing):
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        draft = make_draft(clinic, curator)
        dividing.split(draft, "patient", 0.75, seed=1)
        standing.keep(clinic=clinic, curator=curator, frozen=freezing.freeze(draft, curator))


@pytest.fixture
def frozen(divided, given):
    return given["frozen"]


WANTED = trainings.Wanted(
    "skin", architecture="efficientnet_lite0", init="random", epochs=1, batch=4, image_size=32
)


def ask(frozen, curator, **changes) -> Training:
    from dataclasses import replace

    return trainings.request(replace(WANTED, **changes), frozen, curator)


def form_data(frozen, **changes) -> dict:
    return {
        "name": "skin", "dataset": frozen.pk, "architecture": "efficientnet_lite0", "init": "random", "runs": 2,
        "epochs": 3, "image_size": "", "batch": 4, "seed": 7,
    } | changes  # fmt: skip


def test_only_the_training_side_is_used_and_joined_photos_share_a_group(frozen, clinic, curator):
    cancers = frozen.items.filter(split="train", label="bcc")
    first = cancers.first()
    second = cancers.exclude(person=first.person).first()
    assert first.person != second.person
    DuplicatePair.objects.create(
        clinic=clinic,
        first=min(first.entry, second.entry, key=lambda e: e.pk),
        second=max(first.entry, second.entry, key=lambda e: e.pk),
        distance=1,
        verdict=DuplicatePair.Verdict.SAME_LESION,
    )
    samples, background = training_data.samples(frozen)
    assert background == ["Rosacea"]
    assert {sample.sha256 for sample in samples} == set(
        frozen.items.filter(split="train").values_list("content_sha256", flat=True)
    )
    person = dict(frozen.items.values_list("content_sha256", "person"))
    groups = {}
    for sample in samples:
        groups.setdefault(person[sample.sha256], set()).add(sample.group)
    assert all(len(names) == 1 for names in groups.values()), "a patient is one group"
    assert groups[first.person] == groups[second.person], "one lesion is one group"
    assert len(set().union(*groups.values())) == len(groups) - 1


def test_photos_that_are_no_plain_files_are_copied_for_the_training_and_again_when_it_goes_on(
    frozen, settings, tmp_path
):
    there = {sample.sha256: Path(sample.path).read_bytes() for sample in training_data.samples(frozen)[0]}
    settings.PHOTO_KEY = Key.new_text()
    copies = tmp_path / training_process.COPIES
    samples, _background = training_data.samples(frozen, copies)
    assert {Path(sample.path).parent for sample in samples} == {copies}
    assert {sample.sha256: Path(sample.path).read_bytes() for sample in samples} == there
    shutil.rmtree(copies)
    training_data.fetch_again(frozen, copies)
    assert {sample.sha256: Path(sample.path).read_bytes() for sample in samples} == there


def test_an_offer_says_what_a_dataset_lacks(frozen):
    offer = training_data.offer(frozen)
    assert offer.photos == frozen.items.filter(split="train").count() > 12 and offer.patients == 15
    assert offer.photos + offer.kept_for_test == 22
    assert offer.background == ["Rosacea"] and not offer.problem
    assert "Squamous cell carcinoma" in offer.lacks[0] and "Basal" not in offer.lacks[0]


def test_unfit_datasets_are_refused_with_the_reason(dataset, curator, clinic):
    with pytest.raises(Refused, match="draft"):
        ask(dataset, curator)
    frozen = freezing.freeze(dataset, curator)
    assert any("not divided" in text for text in training_data.offer(frozen).lacks)
    dataset.dataset.role = "test"
    dataset.dataset.save()
    frozen.refresh_from_db()
    with pytest.raises(Refused, match="testing only"):
        ask(frozen, curator)
    dataset.dataset.role = "both"
    dataset.dataset.save()
    frozen.dataset.refresh_from_db()
    frozen.items.filter(pk=frozen.items.first().pk).update(entry=None)
    with pytest.raises(Refused, match="deleted"):
        ask(frozen, curator)
    assert not Training.objects.exists() and not Job.objects.filter(kind="train").exists()


def test_photos_of_a_lesion_are_left_out_together_where_no_patient_is_known(clinic, curator):
    lesions = [Lesion.objects.create(clinic=clinic, is_archived=True) for _n in range(8)]
    for n in range(16):
        photo = factories.make_photo(clinic, curator, seed=300 + n, lesion=lesions[n // 2])
        factories.make_entry(photo, curator, label=LABELS[n // 2 % 2], review="accepted")
    draft = datasets.create(clinic, curator, "Lesions")
    datasets.set_members(draft, Entry.objects.filter(clinic=clinic))
    frozen = freezing.freeze(draft, curator)
    samples, _background = training_data.samples(frozen)
    group_of = {sample.sha256: sample.group for sample in samples}
    by_lesion = {}
    for sha256, lesion in frozen.items.values_list("content_sha256", "lesion"):
        by_lesion.setdefault(lesion, set()).add(group_of[sha256])
    assert len(by_lesion) == 8 and all(len(groups) == 1 for groups in by_lesion.values())
    assert len(set(group_of.values())) == 8
    assert "16 photos are not known; each stays with its lesion" in " ".join(
        training_data.offer(frozen).lacks
    )


@pytest.mark.alike
def test_a_training_becomes_unpublished_model_versions(
    frozen, clinic, curator, client_for, model_version, django_capture_on_commit_callbacks
):
    """The real job with its real process."""
    training = ask(frozen, curator, runs=2)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.run_waiting("train") == 2
    first, second = training.runs.order_by("number")
    assert (first.job.state, second.job.state) == ("done", "done"), first.job.error
    assert (first.model_version.name, second.model_version.name) == ("skin-1", "skin-2")
    assert first.model_version.weights_sha256 != second.model_version.weights_sha256
    for run in (first, second):
        version = run.model_version
        listed = training_photos.read(version.path, weights.check_files(version.path))
        trained = training_data.training_items(version.trained_on_version)
        assert {photo.content_sha256 for photo in listed} == set(
            trained.values_list("content_sha256", flat=True)
        )
        assert version.manifest["training_photos"]["complete"]
        assert (version.clinic, version.trained_on_version, version.registered_by) == (
            clinic,
            frozen,
            curator,
        )
        said = version.manifest["training"]
        assert said["dataset"] == {"name": "Tumours", "version": 1, "sha256": frozen.sha256}
        assert (said["group"], said["run"], said["runs"]) == ("skin", run.number, 2)
        assert said["photos"]["count"] + said["validation"]["count"] == frozen.split["said"]["train"]
        assert not run.folder.exists(), "checkpoints are not kept once the model is"
        assert map_checks.job(version), "its heatmaps are checked by itself"
    assert registry.published(clinic) == model_version
    page = client_for(curator).get(reverse("model-training", args=[training.pk])).content.decode()
    assert reverse("model", args=[first.model_version.pk]) in page
    assert reverse("work", args=["training", training.pk]) not in page, "nothing to wait for"
    assert client_for(curator).get(reverse("model", args=[first.model_version.pk])).status_code == 200
    ModelVersion.objects.update(registered_by=None)
    assert "None" not in client_for(curator).get(reverse("models")).content.decode()


@pytest.mark.alike
def test_a_failure_is_said_and_can_be_resumed(frozen, curator, client_for, tmp_path):
    gone = tmp_path / "gone.pth"
    training = ask(frozen, curator, init=str(gone))
    jobs.run_waiting("train")
    run = training.runs.get()
    assert (run.job.state, run.job.error_code) == ("failed", "init_missing")
    assert (
        "gone.pth" in client_for(curator).get(reverse("model-training", args=[training.pk])).content.decode()
    )
    gone.write_bytes(b"")
    client_for(curator).post(reverse("work", args=["training", training.pk]), {"act": "retry"})
    jobs.run_waiting("train")
    run.job.refresh_from_db()
    assert run.job.error_code == "weights_unreadable"


def test_stopping_and_resuming(frozen, curator, client_for, monkeypatch):
    client, training = client_for(curator), ask(frozen, curator, runs=2)
    address = reverse("work", args=["training", training.pk])
    first, second = training.runs.order_by("number")
    jobs.claim("train", 1)
    trainings.note(
        first, {"step": 2, "steps": 8, "epochs": 3, "seconds": 60.0, "photos_a_second": 1, "curves": []}
    )
    client.post(address, {"act": "cancel"})
    for run in (first, second):
        run.refresh_from_db()
        run.training.refresh_from_db()
    assert (trainings.state(first), trainings.state(second)) == ("stopping", "stopped")
    assert trainings.is_stopped(training)
    page = client.get(reverse("model-training", args=[training.pk])).content.decode()
    assert "Stopping" in page and "about 3 minutes left" in page
    jobs.finish(first.job, JobError("stopped", "Stopped."))
    response = client.get(reverse("work", args=["training", training.pk]))
    assert response["HX-Refresh"] == "true"
    response = client.post(address, {"act": "retry"})
    assert "2 runs go on" in messages_of(response)
    assert set(Job.objects.filter(kind="train").values_list("state", flat=True)) == {"queued"}
    assert "Choose stop or resume" in messages_of(client.post(address, {"act": "burn"}))


def test_a_process_that_dies_is_tried_again(frozen, curator, monkeypatch):
    ask(frozen, curator)

    def dies(folder, processes):
        import subprocess

        return subprocess.Popen(["sh", "-c", "kill -9 $$"], stdin=subprocess.PIPE)

    monkeypatch.setattr(training_process, "_start", dies)
    assert run_to_the_end("train") == jobs.MAX_ATTEMPTS
    row = Job.objects.get(kind="train")
    assert row.state == "failed" and "-9" in row.error


def test_curves_are_sent_only_when_there_are_new_points(frozen, curator, client_for):
    training = ask(frozen, curator)
    run = training.runs.get()
    (_row,) = jobs.claim("train", 1)
    entry = {"epoch": 1, "step": 3, "loss": 2.5, "validation_loss": 2.25, "macro_auc": 0.625, "auc": {}}
    progress = {"step": 4, "steps": 9, "epochs": 3, "seconds": 4.0, "photos_a_second": 4, "curves": [entry]}
    trainings.note(run, progress)
    address = reverse("work", args=["training", training.pk])
    fresh = client_for(curator).get(address, {"points": "0"})
    assert "polyline" in fresh.content.decode() and "HX-Refresh" not in fresh
    assert "0.625" in fresh.content.decode() and "2.250" in fresh.content.decode()
    same = client_for(curator).get(address, {"points": "1"}).content.decode()
    assert "polyline" not in same and "44 %" in same


def test_the_form_asks_for_a_training(frozen, curator, client_for):
    client = client_for(curator)
    page = client.get(reverse("model-training-new")).content.decode()
    said = frozen.split["said"]
    assert f"{said['train']} photos of 15 patients" in page
    assert f"{said['test']} photos kept for the test" in page
    response = client.post(reverse("model-training-new"), form_data(frozen))
    training = Training.objects.get()
    assert response.url == reverse("model-training", args=[training.pk])
    assert training.choices == {
        "runs": 2, "epochs": 3, "batch": 4, "image_size": 224, "seed": 7, "max_steps": 0, "frozen_blocks": 0,
    }  # fmt: skip
    assert [run.seed for run in training.runs.all()] == [7, 8]
    again = client.post(reverse("model-training-new"), form_data(frozen))
    assert again.status_code == 422 and "already" in again.content.decode()


def test_a_taken_model_name_is_refused(frozen, curator, client_for, clinic, tmp_path):
    registry.register(factories.make_model_dir(tmp_path / "m", name="skin-2", seed=9), clinic=clinic)
    response = client_for(curator).post(reverse("model-training-new"), form_data(frozen))
    assert response.status_code == 422 and "skin-2" in response.content.decode()
    assert not Training.objects.exists()


def test_going_on_from_a_model_needs_its_network(frozen, curator, client_for, model_version):
    client = client_for(curator)
    data = form_data(frozen, init=f"model:{model_version.pk}", architecture="resnet152")
    response = client.post(reverse("model-training-new"), data)
    assert response.status_code == 422 and "efficientnet_lite0" in response.content.decode()
    client.post(reverse("model-training-new"), data | {"architecture": "efficientnet_lite0"})
    training = Training.objects.get()
    assert training.init == str(model_version.path)
    assert training.choices["frozen_blocks"] == 8, "few photos: the first half stays as it is"
    base = trainings.about(training.runs.first())["base"]
    assert base == {"name": model_version.name, "weights_sha256": model_version.weights_sha256}


@each("field", ["name", "dataset", "architecture", "init", "runs", "epochs", "image_size", "seed"])
@each("value", [*NASTY, "-1", "99999999999999999999", "model:1x"])
@pytest.mark.alike
def test_no_field_breaks_the_form(frozen, curator, client_for, field, value):
    response = client_for(curator).post(reverse("model-training-new"), form_data(frozen, **{field: value}))
    assert response.status_code in (302, 400, 422)
    assert response.status_code == 302 or not Training.objects.exists()


def test_who_may_do_what(frozen, curator, clinician, coordinator, client_for):
    training = ask(frozen, curator)
    act, page = (
        reverse("work", args=["training", training.pk]),
        reverse("model-training", args=[training.pk]),
    )
    for user in (clinician, coordinator):
        assert client_for(user).get(page).status_code == 200
        assert client_for(user).get(reverse("model-training-new")).status_code == 403
        assert client_for(user).post(act, {"act": "cancel"}).status_code == 403
    assert 'value="cancel"' not in client_for(clinician).get(page).content.decode()
    assert 'value="cancel"' in client_for(curator).get(page).content.decode()


def test_without_a_frozen_dataset_the_page_says_what_to_do(curator, client_for):
    page = client_for(curator).get(reverse("model-training-new")).content.decode()
    assert "No frozen dataset yet" in page and reverse("datasets") in page


def test_no_worker_is_said(frozen, curator, client_for):
    address = reverse("model-training", args=[ask(frozen, curator).pk])
    assert "No worker for trainings" in client_for(curator).get(address).content.decode()
    jobs.worker_alive("here:1")
    assert "No worker for trainings" in client_for(curator).get(address).content.decode()
    jobs.worker_alive("here:2", "training")
    assert "No worker for trainings" not in client_for(curator).get(address).content.decode()


def test_a_worker_for_trainings_is_no_sign_that_photos_are_analysed(frozen, curator, client_for):
    ask(frozen, curator)
    jobs.worker_alive("here:2", "training")
    assert not jobs.engine_online()
    page = client_for(curator).get(reverse("engine-status")).content.decode()
    assert re.search(r"offline", page) and "1 waiting" not in page


def run_command(frozen, **changes) -> str:
    import io

    out = io.StringIO()
    values = {
        "dataset": "Tumours", "arch": "efficientnet_lite0", "init": "random", "epochs": 1, "batch_size": 4,
        "image_size": 32, "name": "by-command",
    } | changes  # fmt: skip
    call_command("train", stdout=out, **values)
    return out.getvalue()


@pytest.mark.alike
def test_the_command_trains_registers_and_repeats(frozen, clinic):
    said = run_command(frozen, runs=2)
    assert "mean ± SD of 2 runs" in said and "epoch 1 of 1" in said
    versions = ModelVersion.objects.filter(clinic=clinic).order_by("name")
    assert [version.name for version in versions] == ["by-command-1", "by-command-2"]
    assert "epoch" not in run_command(frozen, runs=2), "asked again, there is nothing to do"
    with pytest.raises(CommandError, match="other settings"):
        run_command(frozen, runs=2, epochs=2)
    # The same seed under another name: the very same weights, which are registered once.
    run_command(frozen, name="once-more")
    assert ModelVersion.objects.filter(clinic=clinic).count() == 2
    assert Training.objects.get(name="once-more").runs.get().model_version == versions[0]


def test_the_command_says_what_is_wrong(frozen, tmp_path):
    with pytest.raises(CommandError, match="no frozen dataset"):
        run_command(frozen, dataset="Elsewhere")
    with pytest.raises(CommandError, match="there is no file"):
        run_command(frozen, init=str(tmp_path / "gone"))
    with pytest.raises(CommandError, match="name"):
        run_command(frozen, name="No Model Name")
    with pytest.raises(CommandError, match="epochs"):
        run_command(frozen, epochs=0)
    # Made anew, and by itself (tests/transactions.py), whatever tests came before.
    outside.design.cache_clear()
    with pytest.raises(CommandError, match="architecture: .*squeezenet1_0"):
        run_command(frozen, arch="torchvision:squeezenet1_0")


def test_a_command_leaves_alone_what_a_worker_trains(frozen, curator):
    ask(frozen, curator, name="by-command")
    assert jobs.claim("train", 1)
    with pytest.raises(CommandError, match="being trained by a worker"):
        run_command(frozen)


def test_a_model_that_cannot_be_registered_fails_with_the_reason(frozen, curator, monkeypatch):
    training = ask(frozen, curator)

    def spoilt(run, **_):
        (run.folder / MODEL).mkdir(parents=True)
        (run.folder / MODEL / "manifest.json").write_text(json.dumps({"name": "x"}))

    monkeypatch.setattr(training_process, "train", spoilt)
    jobs.run_waiting("train")
    row = training.runs.get().job
    assert (row.state, row.error_code) == ("failed", "manifest_incomplete")
    assert not any(
        path.name.startswith(".draft") for path in registry.clinic_models_dir(training.clinic).iterdir()
    )


def test_charts_place_values_inside_the_plot():
    drawn = chart([Series(1, [(1, 2.0), (4, 0.5)]), Series(8, [(1, 1.0)], is_dashed=True)], 4)
    first, second = drawn.lines
    assert first.points.split()[0].startswith(f"{LEFT}.0,") and first.last[0] == WIDTH - RIGHT
    places = [float(point.split(",")[1]) for point in first.points.split()]
    assert TOP <= places[0] < places[1] <= HEIGHT - BOTTOM
    assert (second.colour, second.is_dashed) == (2, True)
    values = [float(text) for _place, text in drawn.y_ticks]
    assert values[0] <= 0.5 and values[-1] >= 2.0 and values == sorted(values)
    assert chart([], 1).lines == []


def test_numbers_of_lines_that_end_together_stand_apart():
    drawn = chart([Series(n, [(1, 0.5), (2, 0.5)]) for n in (1, 2, 3)], 2, low=0.5, high=1.0)
    places = sorted(line.label_y for line in drawn.lines)
    assert all(below - above >= 9 for above, below in itertools.pairwise(places))
    assert places[-1] <= HEIGHT - BOTTOM


def test_durations_are_as_exact_as_needed():
    assert [duration(n) for n in (5, 59.9, 61, 5340, 7200)] == [
        "less than a minute", "less than a minute", "about 1 minute", "about 89 minutes", "about 2 hours",
    ]  # fmt: skip


def test_choosing_a_large_dataset_counts_none_of_its_photos(frozen, curator, client_for, monkeypatch):
    at_once = training_data.offer(frozen)
    monkeypatch.setattr(large, "MOST_AT_ONCE", 3)
    client = client_for(curator)
    assert "Its photos are being counted" in client.get(reverse("model-training-new")).content.decode()
    with pytest.raises(Refused, match="being counted"):
        trainings.request(WANTED, frozen, curator)
    jobs.run_waiting(counted.JOB)
    assert training_data.offer(frozen) == at_once and not at_once.problem
    for page in ("model-training-new", "evaluation-new"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(page)).status_code == 200
        assert not [
            one for one in queries if 'version_id" IN (' in one["sql"] and "datasetitem" in one["sql"]
        ]
