"""The models pages: who may look, add, publish and roll back, and that a refused upload leaves nothing."""

import hashlib
import io
import json
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from safetensors.numpy import load, save

from classifier.models import ModelVersion, Publication, ThresholdSet
from classifier.networks import training_photos, weights
from classifier.networks.training_photos import TrainingPhoto
from classifier.services.models import proof, registry
from classifier.services.models import upload as model_upload
from skinclinic.archive.models import Import
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Photo
from skinclinic.services import step_up
from tests import factories
from tests.skinclinic.pages import NASTY, messages_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def upload_dir(tmp_path_factory):
    return factories.make_model_dir(tmp_path_factory.mktemp("upload") / "uploaded", name="uploaded", seed=7)


def sound(upload_dir) -> dict:
    """The two files of a sound model, as a form sends them."""
    return {
        "weights": SimpleUploadedFile("model.safetensors", (upload_dir / weights.WEIGHTS_FILE).read_bytes()),
        "manifest": SimpleUploadedFile("manifest.json", (upload_dir / weights.MANIFEST_FILE).read_bytes()),
    }


@pytest.fixture
def files(upload_dir):
    return sound(upload_dir)


@pytest.fixture
def own_version(clinic, upload_dir, admin_user):
    return registry.register(upload_dir, clinic=clinic, user=admin_user)


def left_behind(settings) -> list[Path]:
    return [path for path in settings.MODELS_DIR.rglob("*") if path.is_file() or path.name.startswith(".")]


def test_every_member_may_look(client_for, coordinator, model_version):
    client = client_for(coordinator)
    page = client.get(url("models")).content.decode()
    assert "tiny" in page and "Demo model" in page
    assert url("model-register") not in page
    page = client.get(url("model", model_version.pk)).content.decode()
    assert model_version.weights_sha256 in page
    assert "nothing: random weights" in page
    assert "0.100" in page
    assert url("model-publish", model_version.pk) not in page


def test_page_without_any_model(client_for, admin_user):
    assert b"No model yet" in client_for(admin_user).get(url("models")).content


@pytest.mark.parametrize("person", ["clinician", "coordinator", "curator"])
def test_only_admins_change_models(client_for, request, person, model_version, files):
    client = client_for(request.getfixturevalue(person))
    assert client.get(url("model-register")).status_code == 403
    assert client.post(url("model-register"), files).status_code == 403
    assert client.post(url("model-publish", model_version.pk)).status_code == 403
    assert client.post(url("model-rollback"), {"from_version": model_version.pk}).status_code == 403
    assert ModelVersion.objects.count() == 1
    assert not Publication.objects.exists()


def test_outsiders_do_not_see_the_clinics_models(client_for, outsider, own_version):
    client = client_for(outsider)
    assert "uploaded" not in client.get(url("models")).content.decode()
    assert client.get(url("model", own_version.pk)).status_code == 404
    assert client.post(url("model-publish", own_version.pk)).status_code == 404


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_ids_of_nothing_are_not_found(client_for, admin_user, pk):
    client = client_for(admin_user)
    assert client.get(f"/models/{pk}/").status_code == 404
    assert client.post(f"/models/{pk}/publish/").status_code == 404


def test_wrong_methods(client_for, admin_user, model_version):
    client = client_for(admin_user)
    assert client.get(url("model-publish", model_version.pk)).status_code == 405
    assert client.get(url("model-rollback")).status_code == 405
    assert client.post(url("models")).status_code == 405
    assert client.put(url("model-register")).status_code == 405


def test_admin_adds_a_model(client_for, admin_user, clinic, files, settings):
    client = client_for(admin_user)
    response = client.post(url("model-register"), files)
    version = ModelVersion.objects.get(clinic=clinic)
    assert response.url == url("model", version.pk)
    assert version.registered_by == admin_user
    assert version.path.is_relative_to(settings.MODELS_DIR / f"clinic-{clinic.pk}")
    assert {path.name for path in version.path.iterdir()} == {"manifest.json", "model.safetensors"}
    assert len(left_behind(settings)) == 2, "no draft is left"
    assert b"uploaded" in client.get(url("models")).content
    assert registry.published(clinic) is None, "adding is not publishing"


def unrunnable(upload_dir) -> dict:
    """The files of a model with a variance below zero, which is finite and has no root."""
    state = load((upload_dir / weights.WEIGHTS_FILE).read_bytes())
    state["backbone.stem.1.running_var"] = np.full_like(state["backbone.stem.1.running_var"], -5)
    content = save(state)
    said = json.loads((upload_dir / weights.MANIFEST_FILE).read_text())
    manifest = json.dumps(said | {"weights_sha256": hashlib.sha256(content).hexdigest()}).encode()
    return {
        "weights": SimpleUploadedFile("model.safetensors", content),
        "manifest": SimpleUploadedFile("manifest.json", manifest),
    }


@pytest.mark.django_db(transaction=True)
def test_a_model_that_does_not_run_is_not_registered_and_the_layer_told(
    client_for, admin_user, outsider, clinic, upload_dir, settings
):
    client = client_for(admin_user)
    page = client.post(url("model-register"), unrunnable(upload_dir))
    version = ModelVersion.objects.get(clinic=clinic)
    assert "once that has worked" in messages_of(page)
    assert "Being run on a test photo" in client.get(url("models")).content.decode()
    assert not registry.available(clinic).exists()
    jobs.run_waiting(proof.JOB)
    assert not ModelVersion.objects.exists() and left_behind(settings) == []
    page = client.get(url("models")).content.decode()
    assert "Not registered" in page and "uploaded: The network" in page
    assert "backbone.stem.1.running_var" in page
    page = client.get(url("model", version.pk))
    assert page.url == url("models") and "backbone.stem.1" in messages_of(page)
    told = client.get(f"/api/models/{version.pk}/")
    assert (told.status_code, told.json()["error"]["code"]) == (404, "does_not_run")
    assert client_for(outsider).get(f"/api/models/{version.pk}/").json()["error"]["code"] == "not_found"
    assert client_for(outsider).get(url("model", version.pk)).status_code == 404
    # The name is free for one that runs.
    client.post(url("model-register"), sound(upload_dir))
    jobs.run_waiting(proof.JOB)
    assert registry.available(clinic).get().name == "uploaded"


def test_a_model_is_taken_away_whole_by_admins_and_written_down(
    client_for, admin_user, clinician, clinic, upload_dir, settings
):
    version = registry.register(upload_dir, clinic=clinic)
    assert client_for(clinician).get(url("model-download", version.pk)).status_code == 403
    assert (
        url("model-download", version.pk)
        not in client_for(clinician).get(url("model", version.pk)).content.decode()
    )
    client = client_for(admin_user)
    page = client.get(url("model", version.pk)).content.decode()
    assert url("model-download", version.pk) in page and "float32" in page and "exact" in page
    sent = client.get(url("model-download", version.pk))
    content = b"".join(sent.streaming_content)
    assert len(content) == int(sent["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in ("manifest.json", "model.safetensors"):
            assert archive.read(name) == (upload_dir / name).read_bytes()
        card = json.loads(archive.read("model-card.json"))
    assert card == client.get(url("model-card", version.pk)).json()
    assert AuditEvent.objects.get(action="model.fetch").subject_key == version.pk
    version.folder = "nowhere"
    version.save()
    assert "on this server" in messages_of(client.get(url("model-download", version.pk)))


def test_the_model_card_for_programs_says_what_is_stated_and_null_for_the_rest(
    client_for, clinician, clinic, upload_dir
):
    version = registry.register(upload_dir, clinic=clinic)
    client = client_for(clinician)
    assert url("model-card", version.pk) in client.get(url("model", version.pk)).content.decode()
    card = client.get(f"/api/models/{version.pk}/card/").json()
    assert card == client.get(url("model-card", version.pk)).json()
    assert card["schema"] == "skinclinic-model-card/1"
    assert (card["model"]["name"], card["model"]["weights_sha256"]) == (version.name, version.weights_sha256)
    assert len(card["model"]["diseases"]) == 12 and card["model"]["is_demo"] == version.is_demo
    assert card["training_data"]["stated"] == (version.manifest.get("trained_on") or None)
    assert card["ethical_considerations"] is card["training_data"]["dataset"] is None
    assert card["evaluations_here"] == []
    assert card["heatmap_check"] is card["unlike_training_photos"] is None
    (thresholds,) = card["threshold_sets"][:1]
    assert thresholds["values"] == version.thresholds_for(clinic.pk)[0].values


def with_list(files, upload_dir, tmp_path, *photos) -> dict:
    """The files of a model that brings a list of its training photos."""
    training_photos.add(tmp_path, weights.read_manifest(upload_dir), photos, is_complete=True)
    manifest, listed = ((tmp_path / name).read_bytes() for name in ("manifest.json", "training-photos.csv"))
    return files | {
        "manifest": SimpleUploadedFile("manifest.json", manifest),
        "training_photos": SimpleUploadedFile("training-photos.csv", listed),
    }


def test_a_model_brings_the_hashes_of_its_photos(client_for, admin_user, clinic, files, upload_dir, tmp_path):
    client = client_for(admin_user)
    sent = with_list(files, upload_dir, tmp_path, TrainingPhoto("a" * 64), TrainingPhoto("b" * 64))
    without = {name: file for name, file in sent.items() if name != "training_photos"}
    refused = client.post(url("model-register"), without)
    assert refused.status_code == 422 and b"training-photos.csv" in refused.content
    assert not ModelVersion.objects.exists()
    for file in sent.values():
        file.seek(0)
    client.post(url("model-register"), sent)
    version = ModelVersion.objects.get(clinic=clinic)
    assert version.manifest["training_photos"]["photos"] == 2
    assert len(training_photos.read(version.path, weights.check_files(version.path))) == 2
    assert "uploaded/training-photos.csv (2)" in client.get(url("model", version.pk)).content.decode()


def test_a_list_that_the_description_does_not_name_is_refused(client_for, admin_user, files, settings):
    sent = files | {
        "training_photos": SimpleUploadedFile("training-photos.csv", b"content_sha256,upload_sha256,phash\n")
    }
    assert client_for(admin_user).post(url("model-register"), sent).status_code == 422
    assert not ModelVersion.objects.exists() and left_behind(settings) == []


def test_adding_the_same_again_says_so(client_for, admin_user, clinic, files, settings):
    client = client_for(admin_user)
    client.post(url("model-register"), files)
    for file in files.values():
        file.seek(0)
    response = client.post(url("model-register"), files)
    assert "here already" in messages_of(response)
    assert ModelVersion.objects.count() == 1
    assert len(left_behind(settings)) == 2


def test_weights_with_another_description_say_what_of_it_was_taken_over(
    client_for, admin_user, clinic, files
):
    client = client_for(admin_user)
    sent = {name: file.read() for name, file in files.items()}

    def again(**changes):
        description = json.loads(sent["manifest"]) | changes
        return client.post("/api/models/", {
            "weights": SimpleUploadedFile("w.safetensors", sent["weights"]),
            "manifest": SimpleUploadedFile("manifest.json", json.dumps(description).encode()),
        })  # fmt: skip

    first = again()
    assert first.status_code == 201 and "again" not in first.json()
    stood = json.loads(sent["manifest"])["thresholds"]
    other = stood["balanced"] | {"values": dict.fromkeys(stood["balanced"]["values"], 0.3)}
    told = again(thresholds={"balanced": other, "ward 3": other}, limits="none at all")
    assert told.status_code == 200
    assert told.json()["again"] == {"added": ["ward 3"], "kept": ["balanced"], "ignored": ["limits"]}
    assert ThresholdSet.objects.get(name="balanced").values == stood["balanced"]["values"]
    assert AuditEvent.objects.filter(action="threshold.make", subject_name="ward 3").count() == 1
    nothing = client.post(url("model-register"), {
        "weights": SimpleUploadedFile("w.safetensors", sent["weights"]),
        "manifest": SimpleUploadedFile("manifest.json", sent["manifest"]),
    })  # fmt: skip
    assert "here already" in messages_of(nothing) and "thresholds" not in messages_of(nothing)


def test_adding_the_same_again_mends_missing_files(client_for, admin_user, files):
    client = client_for(admin_user)
    client.post(url("model-register"), files)
    version = ModelVersion.objects.get()
    (version.path / weights.WEIGHTS_FILE).unlink()
    for file in files.values():
        file.seek(0)
    client.post(url("model-register"), files)
    version = ModelVersion.objects.get()
    assert registry.check(version.path)


def changed_manifest(files, **changes):
    content = json.loads(files["manifest"].read()) | changes
    return files | {"manifest": SimpleUploadedFile("manifest.json", json.dumps(content).encode())}


BAD = {
    "wrong hash": (lambda f: changed_manifest(f, weights_sha256="0" * 64), "SHA-256"),
    "outputs": (lambda f: changed_manifest(f, background_classes=["x"]), "outputs"),
    "name": (lambda f: changed_manifest(f, name="../../etc"), "model name"),
    "name with markup": (lambda f: changed_manifest(f, name="<b>x</b>"), "model name"),
    "NUL": (lambda f: changed_manifest(f, limits="\x00"), "no text"),
    "not JSON": (lambda f: f | {"manifest": SimpleUploadedFile("manifest.json", b"{")}, "not JSON"),
    "nested": (lambda f: f | {"manifest": SimpleUploadedFile("m.json", b"[" * 100_000)}, "not JSON"),
    "large manifest": (
        lambda f: f | {"manifest": SimpleUploadedFile("m.json", b" " * 1_100_000)},
        "larger than 1 MB",
    ),
    "pickle": (lambda f: f | {"weights": SimpleUploadedFile("model.safetensors", b"\x80\x05N.")}, "SHA-256"),
    "empty": (lambda f: f | {"weights": SimpleUploadedFile("model.safetensors", b"")}, "empty"),
    "no weights": (lambda f: {"manifest": f["manifest"]}, "required"),
    "no manifest": (lambda f: {"weights": f["weights"]}, "required"),
    "text": (lambda f: {"weights": "text", "manifest": "\x00"}, "required"),
}


@pytest.mark.parametrize("case", BAD)
def test_uploads_that_are_no_model_are_refused_and_leave_nothing(
    client_for, admin_user, files, settings, case
):
    spoil, reason = BAD[case]
    response = client_for(admin_user).post(url("model-register"), spoil(files))
    assert response.status_code == 422
    assert reason in str(response.context["form"].errors)
    assert not ModelVersion.objects.exists()
    assert left_behind(settings) == []


def test_weights_over_the_limit_leave_nothing(client_for, admin_user, files, settings, monkeypatch):
    monkeypatch.setattr(model_upload, "WEIGHTS_MAX_BYTES", 1024)
    response = client_for(admin_user).post(url("model-register"), files)
    assert response.status_code == 422
    assert left_behind(settings) == []


def test_a_full_disk_is_said(client_for, admin_user, files, settings, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    response = client_for(admin_user).post(url("model-register"), files)
    assert response.status_code == 507
    assert b"disk is full" in response.content
    assert left_behind(settings) == []


def test_a_taken_name_leaves_nothing(client_for, admin_user, clinic, own_version, tmp_path, settings):
    other = factories.make_model_dir(tmp_path / "other", name="uploaded", seed=8)
    response = client_for(admin_user).post(
        url("model-register"),
        {
            "weights": SimpleUploadedFile("w", (other / weights.WEIGHTS_FILE).read_bytes()),
            "manifest": SimpleUploadedFile("m", (other / weights.MANIFEST_FILE).read_bytes()),
        },
    )
    assert response.status_code == 422
    assert "own name" in str(response.context["form"].errors)
    assert left_behind(settings) == []


def test_sweeping_beside_an_upload_that_is_just_finishing(settings):
    """Its draft is seen, and then has its final name."""
    gone, old = (settings.MODELS_DIR / "clinic-1" / f".draft-{name}" for name in ("a-gone", "b-old"))
    old.mkdir(parents=True)
    gone.symlink_to(settings.MODELS_DIR / "nowhere")
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    model_upload.sweep_drafts()
    assert not old.exists()


def test_drafts_of_crashed_uploads_are_swept(settings):
    old, young = (settings.MODELS_DIR / "clinic-1" / f".draft-{age}" for age in ("old", "young"))
    for draft in (old, young):
        draft.mkdir(parents=True)
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    model_upload.sweep_drafts()
    assert not old.exists()
    assert young.exists()


def test_only_signed_in_people_may_send_large_bodies(client, client_for, admin_user, announced_only):
    size = str(100 * 1024 * 1024)
    response = client.post(url("model-register"), CONTENT_LENGTH=size)
    assert response.status_code == 413
    response = client_for(admin_user).post(url("model-register"), CONTENT_LENGTH=str(10**10))
    assert response.status_code == 413
    assert b"581 MB" in response.content


@pytest.mark.parametrize("address", ["/models/register/", "/archive/imports/new/", "/api/models/"])
def test_a_large_body_of_somebody_without_the_right_is_not_looked_at(
    client_for, clinician, admin_user, address, monkeypatch
):
    """Not even by the check of its token, which reads the whole form."""
    read = []
    load = WSGIRequest._load_post_and_files
    monkeypatch.setattr(
        WSGIRequest, "_load_post_and_files", lambda self: read.append(self.path) or load(self)
    )
    file = SimpleUploadedFile("photos.zip", bytes(2 * 2**20))
    assert client_for(clinician).post(address, {"archive": file}).status_code == 403
    assert read == []
    file.seek(0)
    assert client_for(admin_user).post(address, {"archive": file}).status_code in (200, 400, 422)
    # The API has a reader of its own.
    assert read or address.startswith("/api/")


def test_a_clinic_keeps_no_more_than_it_may(client_for, admin_user, files, clinic, settings, model_version):
    """Photos, models and files of imports: each refused in words, nothing stored, and told to admins."""
    client = client_for(admin_user)
    settings.CLINIC_PHOTOS, settings.CLINIC_MODELS_GB, settings.CLINIC_IMPORTS_GB = 1, 0, 0
    first, second = (SimpleUploadedFile("a.jpg", factories.jpeg_bytes(seed)) for seed in (1, 2))
    assert client.post("/photos/", {"file": first}).status_code == 201
    for address in ("/photos/", "/api/photos/"):
        second.seek(0)
        refused = client.post(address, {"file": second}, headers={"Accept": "application/json"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "quota")
        assert "may keep 1 photos and has 1" in refused.json()["error"]["message"]
    page = client.post(url("model-register"), files)
    assert page.status_code == 507 and "may keep 0.0 GB" in page.content.decode()
    for file in files.values():
        file.seek(0)
    assert client.post("/api/models/", files).json()["error"]["code"] == "quota"
    table = SimpleUploadedFile("t.csv", b"image,label\n1.jpg,bcc\n")
    page = client.post(url("import-new"), {"name": "x", "format": "csv", "role": "train", "table": table})
    assert page.status_code == 422
    assert Photo.objects.count() == 1 and left_behind(settings) == [] and not Import.objects.exists()
    told = client.get(url("clinic-settings")).content.decode()
    assert "Files of imports" in told and "Models of this clinic" in told


def test_a_program_with_a_token_may_send_large_bodies(client, admin_user, settings):
    settings.UPLOAD_MAX_BYTES = -(2**20)
    token, reading = (factories.make_token(admin_user, scope=scope) for scope in ("write", "read"))
    for key, status in [(token, 400), (reading, 413), ("wrong", 413), ("", 413)]:
        headers = {"Authorization": f"Token {key}"} if key else {}
        assert client.post("/api/models/", {"a": "b"}, headers=headers).status_code == status


def test_admin_publishes_and_rolls_back(
    client_for, admin_user, clinic, model_version, own_version, monkeypatch
):
    client = client_for(admin_user)
    early = client.post(url("model-publish", own_version.pk), {"reason": "better on nevi"})
    assert "run on a test photo first" in "".join(messages_of(early))
    assert "run on a test photo first" in client.get(early.url).content.decode()
    factories.proven(own_version)
    assert "test photo" not in client.get(early.url).content.decode()
    with monkeypatch.context() as patch:
        patch.setattr(step_up, "is_fresh", lambda request: False)
        for asked in (
            client.post(url("model-publish", own_version.pk), {"reason": "better on nevi"}),
            client.post(url("model-rollback"), {"from_version": model_version.pk}),
        ):
            assert (asked.status_code, "Confirm that it is you" in asked.content.decode()) == (403, True)
        for name in (f"{own_version.pk}/publish", "roll-back"):
            asked = client.post(f"/api/models/{name}/")
            assert (asked.status_code, asked.json()["error"]["code"]) == (403, "confirm_needed")
    assert registry.published(clinic) == model_version
    response = client.post(url("model-publish", own_version.pk), {"reason": "better on nevi"})
    assert response.url == url("models")
    assert registry.published(clinic) == own_version
    page = client.get(url("models")).content.decode()
    assert "better on nevi" in page
    assert "Roll back to tiny" in page

    client.post(url("model-rollback"), {"from_version": own_version.pk, "reason": "worse on warts"})
    assert registry.published(clinic) == model_version
    assert "rolled back to" in client.get(url("models")).content.decode()
    response = client.post(url("model-rollback"), {"from_version": own_version.pk})
    assert "meanwhile" in messages_of(response)
    response = client.post(url("model-rollback"), {"from_version": model_version.pk})
    assert "no earlier model" in messages_of(response)


def test_publishing_twice_says_so(client_for, admin_user, model_version):
    client = client_for(admin_user)
    client.post(url("model-publish", model_version.pk))
    response = client.post(url("model-publish", model_version.pk))
    assert "in use already" in messages_of(response)


def test_publishing_a_model_whose_files_are_gone_says_so(client_for, admin_user, clinic, files):
    client = client_for(admin_user)
    client.post(url("model-register"), files)
    version = ModelVersion.objects.get()
    (version.path / weights.WEIGHTS_FILE).unlink()
    assert b"missing on this server" in client.get(url("model", version.pk)).content
    response = client.post(url("model-publish", version.pk))
    assert "no model.safetensors" in messages_of(response)
    assert not Publication.objects.exists()


@pytest.mark.parametrize("reason", [text for text in NASTY if text.startswith(("\x00", "x", "a"))])
def test_reasons_that_are_no_line_of_text(client_for, admin_user, model_version, reason):
    client = client_for(admin_user)
    assert "one line" in messages_of(client.post(url("model-publish", model_version.pk), {"reason": reason}))
    response = client.post(url("model-rollback"), {"from_version": model_version.pk, "reason": reason})
    assert "Nothing was changed" in messages_of(response)
    assert not Publication.objects.exists()


@pytest.mark.parametrize("from_version", ["", "x", "\x00", "9" * 1_000_000])
def test_roll_backs_to_nothing_are_refused(client_for, admin_user, model_version, from_version):
    response = client_for(admin_user).post(url("model-rollback"), {"from_version": from_version})
    assert "Nothing was changed" in messages_of(response)


def test_a_manifest_with_odd_values_can_be_shown(client_for, admin_user, clinic, upload_dir):
    version = registry.register(upload_dir, clinic=clinic)
    version.manifest |= {
        "validated_on": {"text": 5, "cohorts": [1, {"name": "<b>x</b>", "n": "many", "auc": True}]},
        "trained_on": "<script>alert(1)</script>",
        "preprocessing": [],
        "background_classes": "abc",
    }
    version.save()
    page = client_for(admin_user).get(url("model", version.pk)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;b&gt;x" in page


def test_the_page_makes_a_constant_number_of_queries(
    client_for, admin_user, clinic, own_version, model_version, django_assert_max_num_queries
):
    client = client_for(admin_user)
    factories.proven(own_version)
    for _number in range(5):
        registry.publish(own_version, clinic=clinic, user=admin_user)
        registry.publish(model_version, clinic=clinic, user=admin_user)
    with django_assert_max_num_queries(14):
        client.get(url("models"))
