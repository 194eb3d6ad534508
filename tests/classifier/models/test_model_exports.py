"""Models made ready for other programs: a job writes them, admins of the clinic take them away, and they go again."""

import importlib.util
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import ModelExport
from classifier.runtimes.exporting import Exported
from classifier.services.models import exports
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Job
from tests import results
from tests.skinclinic.pages import audited, messages_of, url

pytestmark = pytest.mark.django_db


def unpacked(response) -> zipfile.ZipFile:
    content = b"".join(response.streaming_content)
    assert len(content) == int(response["Content-Length"])
    return zipfile.ZipFile(io.BytesIO(content))


def test_an_admin_has_a_model_written_and_takes_it_away_until_it_is_deleted(
    client_for, admin_user, clinician, model_version, monkeypatch
):
    page, ask = url("model", model_version.pk), url("model-export", model_version.pk)
    assert ask not in client_for(clinician).get(page).content.decode()
    assert client_for(clinician).post(ask, {"format": "onnx"}).status_code == 403
    admin = client_for(admin_user)
    assert "no such format" in messages_of(admin.post(ask, {"format": "pickle"}))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnx" else real(name))
    admin.post(ask, {"format": "onnx"})
    admin.post(ask, {"format": "onnx"})
    row = ModelExport.objects.get()
    assert "The engine converts" in admin.get(page).content.decode() and audited("model.export")
    file = url("model-export-file", row.pk)
    assert "not made yet" in messages_of(admin.get(file))
    jobs.run_waiting(exports.JOB)
    assert "pip install onnx" in admin.get(page).content.decode()
    monkeypatch.undo()
    admin.post(url("work", "model-export", row.pk), {"act": "retry"})
    jobs.run_waiting(exports.JOB)
    seen = admin.get(page).content.decode()
    assert file in seen and "ONNX opset" in seen and "no heatmaps" not in seen
    assert client_for(clinician).get(file).status_code == 403
    with unpacked(admin.get(file)) as archive:
        assert sorted(archive.namelist()) == ["manifest.json", "model-card.json", "model.onnx"]
        assert json.loads(archive.read("manifest.json"))["weights_sha256"] == model_version.weights_sha256
    assert AuditEvent.objects.get(action="model.fetch").facts == {"format": "onnx"}
    # The cache may be emptied at any time.
    folder = exports.folder_of(row)
    folder.rename(folder.with_name(f"0-gone-{row.format}"))
    assert file not in admin.get(page).content.decode()
    admin.post(ask, {"format": "onnx"})
    assert ModelExport.objects.get().state == ModelExport.State.WAITING
    folder.with_name(f"0-gone-{row.format}").rename(folder)
    other = exports.parent() / "0-of-nobody"
    other.mkdir()
    ModelExport.objects.update(finished_at=timezone.now() - exports.KEPT_FOR + timedelta(minutes=5))
    exports.forget_old()
    assert folder.is_dir() and not other.exists()
    ModelExport.objects.update(finished_at=timezone.now() - exports.KEPT_FOR - timedelta(minutes=5))
    exports.forget_old()
    assert not folder.exists() and not ModelExport.objects.exists()


def test_programs_ask_wait_and_fetch(client_for, admin_user, clinician, model_version, monkeypatch):
    """What cannot be converted is told as such, with a number that the log knows."""
    asked = {"model_version": model_version.pk, "format": "onnx"}
    assert client_for(clinician).post("/api/model-exports/", asked).status_code == 403
    admin = client_for(admin_user)
    assert admin.post("/api/model-exports/", {**asked, "format": "pt"}).json()["error"]["code"] == "invalid"
    assert admin.post("/api/model-exports/", {**asked, "model_version": 10**6}).status_code == 404
    made = admin.post("/api/model-exports/", asked)
    assert (made.status_code, made.json()["state"], made.json()["size"]) == (202, "waiting", 0)
    address = f"/api/model-exports/{made.json()['id']}/"
    assert admin.get(f"{address}file/").json()["error"]["code"] == "not_made"
    assert admin.post(f"{address}cancel/").json()["state"] == "stopped"
    assert admin.post(f"{address}cancel/").json()["error"]["code"] == "not_busy"
    assert admin.post("/api/model-exports/", asked).json()["state"] == "waiting"

    def fail(*args):
        raise RuntimeError("aten::layer of a stack")

    with monkeypatch.context() as patched:
        patched.setattr(exports, "make", fail)
        jobs.run_waiting(exports.JOB)
    error = admin.get(address).json()["error"]
    assert (
        error["code"] == "does_not_convert"
        and "number" in error["message"]
        and "aten" not in error["message"]
    )
    with monkeypatch.context() as patched:
        patched.setattr(exports, "make", lambda row, say: _written(row))
        admin.post("/api/model-exports/", asked)
        jobs.run_waiting(exports.JOB)
    said = admin.get(address).json()
    assert (said["state"], said["progress"], said["outputs"], said["size"]) == ("done", 1.0, ["logits"], 5)
    assert said["kept_until"] > said["finished_at"]
    with unpacked(admin.get(f"{address}file/")) as archive:
        assert archive.read("model.onnx") == b"abc"
    page = admin.get(url("model", model_version.pk)).content.decode()
    assert "no heatmaps" in page
    for state, found in (("done", [said["id"]]), ("waiting", [])):
        listed = admin.get("/api/model-exports/", {"state": state}).json()["results"]
        assert [one["id"] for one in listed] == found
    assert client_for(clinician).get("/api/model-exports/").json()["results"] == []


@pytest.fixture
def written(monkeypatch):
    """Instead of the converter: small files."""
    monkeypatch.setattr(exports, "make", lambda row, say: _written(row))


def test_a_clinic_has_some_at_a_time_and_may_delete_one_for_another(
    client_for, admin_user, clinician, model_version, written, monkeypatch
):
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 2)
    versions = [model_version, *(results.make_version(f"network-{n}") for n in range(2))]
    admin, api = client_for(admin_user), "/api/model-exports/"
    for version in versions[:2]:
        admin.post(url("model-export", version.pk), {"format": "onnx"})
    jobs.run_waiting(exports.JOB)
    first = ModelExport.objects.earliest("pk")
    ask = url("model-export", versions[2].pk)
    assert "2 models made for other programs" in messages_of(admin.post(ask, {"format": "onnx"}))
    refused = admin.post(api, {"model_version": versions[2].pk, "format": "onnx"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "refused")
    assert "seven days" in refused.json()["error"]["message"] and ModelExport.objects.count() == 2
    # The same again is none more.
    assert admin.post(api, {"model_version": versions[0].pk, "format": "onnx"}).status_code == 202
    for delete in (url("model-export-delete", first.pk), f"{api}{first.pk}/"):
        assert (
            getattr(client_for(clinician), "delete" if "api" in delete else "post")(delete).status_code == 403
        )
    assert url("model-export-delete", first.pk) in admin.get(url("model", versions[0].pk)).content.decode()
    folder = exports.folder_of(first)
    assert "deleted" in messages_of(admin.post(url("model-export-delete", first.pk)))
    assert not folder.exists() and audited("model.export_delete")
    made = admin.post(api, {"model_version": versions[2].pk, "format": "onnx"})
    assert made.status_code == 202
    # Neither by stopping one and taking it up again.
    third = ModelExport.objects.get(pk=made.json()["id"])
    admin.post(f"{api}{third.pk}/cancel/")
    assert admin.post(api, {"model_version": versions[0].pk, "format": "openvino"}).status_code == 202
    assert "as many as may be" in messages_of(
        admin.post(url("work", "model-export", third.pk), {"act": "retry"}, follow=True)
    )
    # What waits is taken back; nothing is made of it.
    assert admin.delete(f"{api}{ModelExport.objects.get(format='openvino').pk}/").status_code == 204
    assert jobs.run_waiting(exports.JOB) == 0
    assert not Job.objects.filter(kind=exports.JOB, state__in=["queued", "running"]).exists()


def test_files_that_were_tampered_with_are_not_given_out(
    client_for, admin_user, model_version, written, tmp_path
):
    admin = client_for(admin_user)
    admin.post("/api/model-exports/", {"model_version": model_version.pk, "format": "onnx"})
    jobs.run_waiting(exports.JOB)
    row = ModelExport.objects.get()
    folder, file = exports.folder_of(row), url("model-export-file", row.pk)
    (folder / "of-somebody.txt").write_text("not made here")
    (folder / "a-folder").mkdir()
    with unpacked(admin.get(file)) as archive:
        assert sorted(archive.namelist()) == ["manifest.json", "model-card.json", "model.onnx"]
    secret = tmp_path / "secret"
    secret.write_text("of the server")
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(secret)
    for _again in range(2):
        assert "not there" in messages_of(admin.get(file))
        assert admin.get(f"/api/model-exports/{row.pk}/file/").json()["error"]["code"] == "not_made"
        assert admin.get(f"/api/model-exports/{row.pk}/").json()["size"] == 0
        (folder / "model.onnx").unlink(missing_ok=True)
    assert file not in admin.get(url("model", model_version.pk)).content.decode()
    admin.post("/api/model-exports/", {"model_version": model_version.pk, "format": "onnx"})
    jobs.run_waiting(exports.JOB)
    with unpacked(admin.get(file)) as archive:
        assert archive.read("model.onnx") == b"abc"


def test_a_model_that_goes_while_it_waits_leaves_nothing(client_for, admin_user, written):
    version = results.make_version("to-be-gone")
    client_for(admin_user).post("/api/model-exports/", {"model_version": version.pk, "format": "onnx"})
    version.delete()
    jobs.run_waiting(exports.JOB)
    assert Job.objects.get(kind=exports.JOB).state == "done" and not ModelExport.objects.exists()


def _written(row):
    exports.folder_of(row).mkdir(parents=True, exist_ok=True)
    (exports.folder_of(row) / "model.onnx").write_bytes(b"abc")
    (exports.folder_of(row) / "manifest.json").write_bytes(b"{}")
    return Exported(row.model_version.name, ("logits",), "PyTorch")
