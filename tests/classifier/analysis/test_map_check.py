"""The check of heatmaps: those of a network that is put at random are others, and it is told how far; every model that
comes here gets it by itself, once for all copies of the same weights."""

import io
import json
import shutil
import zipfile

import pytest
import torch
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from classifier.analysing import map_check
from classifier.models import ModelVersion
from classifier.networks import heatmap_check, weights
from classifier.services.models import map_checks, proof, registry
from classifier.services.models.upload import register_upload
from skinclinic.engine import jobs
from skinclinic.models import Job
from tests import factories
from tests.skinclinic.pages import audited, messages_of, url


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.setattr(map_check, "DISEASE_KEYS", ("bcc", "nevus", "wart"))


def found(size: float = 0.3) -> dict:
    """Figures as they are kept."""
    row = {"compared": 3, "mean": -0.1, "least": -0.4, "most": 0.2, "size": size}
    return {"pictures": 3, "rows": [{"randomised": step, **row} for step in heatmap_check.STEPS]}


def send(folder, clinic, user, **said) -> ModelVersion:
    """A model as an admin uploads it, and as if it had been run."""
    manifest = json.loads((folder / "manifest.json").read_text()) | said
    content = (folder / weights.WEIGHTS_FILE).read_bytes()
    version, _again = register_upload(
        SimpleUploadedFile("model.safetensors", content),
        SimpleUploadedFile("manifest.json", json.dumps(manifest).encode()),
        clinic=clinic,
        user=user,
    )
    Job.objects.filter(kind=proof.JOB).update(state=Job.State.DONE)
    map_checks.begin(version)
    return version


def waiting() -> int:
    return Job.objects.filter(kind=map_checks.JOB, state=Job.State.QUEUED).count()


def test_maps_of_a_network_put_at_random_have_little_in_common(lite_dir):
    before = torch.random.get_rng_state()
    found = map_check.check_maps(lite_dir)
    assert heatmap_check.is_sound(found) and heatmap_check.is_evaluable(found)
    assert found == map_check.check_maps(lite_dir), "the same seed gives the same figures"
    assert torch.equal(before, torch.random.get_rng_state())
    rows = {row["randomised"]: row for row in found["rows"]}
    assert found["pictures"] == 3
    assert list(rows) == list(heatmap_check.STEPS)
    for row in rows.values():
        assert -1 <= row["least"] <= row["mean"] <= row["most"] <= 1 and row["compared"] == 3
        assert abs(row["mean"]) < 0.6


def test_maps_that_ignore_the_last_layer_are_told_as_alike(lite_dir, monkeypatch):
    monkeypatch.setattr(map_check, "_shuffle", lambda kernel, chance: None)
    for row in map_check.check_maps(lite_dir)["rows"]:
        assert (row["mean"], row["least"]) == (pytest.approx(1), pytest.approx(1))


def test_figures_that_cannot_be_are_refused():
    sound = found()
    assert heatmap_check.is_sound(sound)
    flat = {"compared": 0, **dict.fromkeys(heatmap_check.FIGURES)}
    nothing = {"pictures": 3, "rows": [row | flat for row in sound["rows"]]}
    assert heatmap_check.is_sound(nothing) and not heatmap_check.is_evaluable(nothing)
    first, *others = sound["rows"]
    for wrong in (
        {"compared": 4}, {"compared": True}, {"mean": 0.5}, {"mean": -0.35}, {"least": -1.1}, {"most": float("nan")},
        {"size": None}, {"compared": 0}, {"randomised": "all"}, {"mean": "0"},
    ):  # fmt: skip
        assert not heatmap_check.is_sound(sound | {"rows": [first | wrong, *others]}), wrong
    for wrong in ({"rows": others}, {"rows": None}, {"rows": [1, 2, 3]}, {"pictures": -1}, {"pictures": "3"}):
        assert not heatmap_check.is_sound(sound | wrong), wrong


@pytest.mark.django_db
def test_what_is_sent_is_checked_by_itself_once_for_all_copies_of_its_weights(
    client_for, clinician, outsider, admin_user, clinic, other_clinic, lite_dir
):
    own = registry.register(lite_dir, clinic=clinic)
    page = client_for(clinician).get(url("model", own.pk)).content.decode()
    assert "Computed once the model has worked" in page and "hx-select" in page
    map_checks.begin(own)
    page = client_for(clinician).get(url("model", own.pk)).content.decode()
    assert "Being computed" in page and "hx-select" in page and url("model-check-maps", own.pk) not in page
    theirs = send(lite_dir, other_clinic, outsider)
    row = Job.objects.get(kind=map_checks.JOB)
    assert row.clinic is None and jobs.queue_of(row.kind) == jobs.BATCH
    jobs.run_waiting(map_checks.JOB)
    page = client_for(clinician).get(url("model", own.pk)).content.decode()
    assert (
        "Adebayo" in page and "all kernels" in page and "model’s description says; not computed" not in page
    )
    own.refresh_from_db()
    theirs.refresh_from_db()
    assert own.map_check == theirs.map_check != {} and heatmap_check.is_sound(own.map_check)
    third = send(lite_dir, factories.make_clinic("Third"), admin_user)
    assert ModelVersion.objects.get(pk=third.pk).map_check == own.map_check and not waiting()
    # Prepared in another way its pictures give other maps.
    said = json.loads((lite_dir / "manifest.json").read_text())["preprocessing"]
    send(lite_dir, factories.make_clinic("Fourth"), admin_user, preprocessing=said | {"resize": "bilinear"})
    assert waiting() == 1


@pytest.mark.django_db
def test_what_a_description_says_is_shown_as_that_and_goes_with_the_model(
    client_for, admin_user, outsider, clinic, other_clinic, lite_dir
):
    own = send(lite_dir, clinic, admin_user, heatmap_check=found())
    assert not waiting() and own.map_check == {}
    admin = client_for(admin_user)
    page = admin.get(url("model", own.pk)).content.decode()
    assert (
        "model’s description says; not computed" in page
        and "−0.10" in page.replace("-", "−")
        and "Compute it on this server" in page
    )
    assert admin.get(url("model-card", own.pk)).json()["heatmap_check"] == found() | {"computed_here": False}
    # Computed here it takes that place, also in the description that is fetched.
    admin.post(url("model-check-maps", own.pk))
    jobs.run_waiting(map_checks.JOB)
    own.refresh_from_db()
    assert own.map_check["rows"] != found()["rows"]
    page = admin.get(url("model", own.pk)).content.decode()
    assert (
        "model’s description says; not computed" not in page and url("model-check-maps", own.pk) not in page
    )
    sent = b"".join(admin.get(url("model-download", own.pk)).streaming_content)
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        said = json.loads(archive.read("manifest.json"))
        assert json.loads(archive.read("model-card.json"))["heatmap_check"]["computed_here"]
    assert said["heatmap_check"] == own.map_check
    # A clinic that has the same weights without it takes it over with the description.
    theirs = send(lite_dir, other_clinic, outsider, trained_on="elsewhere")
    ModelVersion.objects.filter(pk=theirs.pk).update(map_check={})
    theirs = send(lite_dir, other_clinic, outsider, heatmap_check=said["heatmap_check"])
    assert map_checks.figures(ModelVersion.objects.get(pk=theirs.pk)) == own.map_check


@pytest.mark.django_db
def test_the_models_of_the_product_bring_it_and_old_ones_get_it_with_the_next_release(
    client_for, clinician, model_version, monkeypatch, tmp_path, lite_dir
):
    shipped = weights.SHIPPED_DIR / weights.default_name()
    said = weights.read_manifest(shipped).heatmap_check
    assert heatmap_check.is_sound(said) and heatmap_check.is_evaluable(said) and said["pictures"] == 12
    old = {"pictures": 12, "rows": [{"randomised": "last_layer", "mean": 0.1, "least": 0.0, "most": 0.2}]}
    ModelVersion.objects.filter(pk=model_version.pk).update(map_check=old)
    assert "Not computed yet" in client_for(clinician).get(url("model", model_version.pk)).content.decode()
    call_command("register_models", stdout=io.StringIO())
    version = ModelVersion.objects.get(weights_sha256=weights.read_manifest(shipped).weights_sha256)
    assert map_checks.figures(version) == said
    assert [row.subject for row in Job.objects.filter(kind=map_checks.JOB)] == [model_version.pk]
    # The command writes it beside the weights, and tells what is registered here.
    folder = shutil.copytree(lite_dir, tmp_path / "one")
    own = registry.register(folder)
    before = (folder / weights.WEIGHTS_FILE).read_bytes()
    call_command("check_heatmaps", model=str(folder), stdout=(told := io.StringIO()))
    assert "last_layer: mean" in told.getvalue() and (folder / weights.WEIGHTS_FILE).read_bytes() == before
    assert weights.check_files(folder).heatmap_check == ModelVersion.objects.get(pk=own.pk).map_check != {}


@pytest.mark.django_db
def test_heatmaps_without_any_form_are_told_to_be_not_evaluable(client_for, clinician, model_version):
    flat = {"compared": 0, **dict.fromkeys(heatmap_check.FIGURES)}
    rows = [row | flat for row in found()["rows"]]
    ModelVersion.objects.filter(pk=model_version.pk).update(map_check={"pictures": 3, "rows": rows})
    page = client_for(clinician).get(url("model", model_version.pk)).content.decode()
    assert "Not evaluable: its heatmaps are the same at every place" in page and "None" not in page


@pytest.mark.django_db
def test_weights_that_come_again_are_checked_though_their_first_model_is_gone(
    clinic, admin_user, other_clinic, outsider, lite_dir
):
    first = send(lite_dir, clinic, admin_user)
    theirs = send(lite_dir, other_clinic, outsider)
    first.delete()
    jobs.run_waiting(map_checks.JOB)
    theirs.refresh_from_db()
    assert theirs.map_check, "computed with the copy that is left"
    theirs.delete()
    again = send(lite_dir, clinic, admin_user)
    assert waiting() == 1
    again.delete()
    jobs.run_waiting(map_checks.JOB)
    assert not Job.objects.filter(kind=map_checks.JOB, state=Job.State.FAILED).exists()
    send(lite_dir, clinic, admin_user)
    assert waiting() == 1


@pytest.mark.django_db
def test_a_check_that_failed_says_why_and_can_be_asked_for_again(
    client_for, admin_user, clinician, model_version, tmp_path
):
    page = url("model", model_version.pk)
    check = url("model-check-maps", model_version.pk)
    seen = client_for(clinician).get(page).content.decode()
    assert "Not computed yet" in seen and check not in seen
    assert client_for(clinician).post(check).status_code == 403
    folder, model_version.folder = model_version.folder, str(tmp_path)
    model_version.save()
    admin = client_for(admin_user)
    assert "being checked" in messages_of(admin.post(check))
    admin.post(check)
    assert "Being computed" in admin.get(page).content.decode() and audited("model.check_maps")
    jobs.run_waiting(map_checks.JOB)
    seen = admin.get(page).content.decode()
    assert "Not evaluable: the check failed" in seen and "manifest.json" in seen and "Try again" in seen
    ModelVersion.objects.filter(pk=model_version.pk).update(folder=folder)
    admin.post(check)
    jobs.run_waiting(map_checks.JOB)
    assert len(ModelVersion.objects.get(pk=model_version.pk).map_check["rows"]) == 3
