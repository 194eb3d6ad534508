"""Models made ready for other programs: a job writes them, admins of the clinic take them away, and they go again."""

import importlib.util
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import ModelExport
from classifier.services.models import exports
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent
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
    assert (said["state"], said["progress"], said["outputs"], said["size"]) == ("done", 1.0, ["logits"], 3)
    assert said["kept_until"] > said["finished_at"]
    with unpacked(admin.get(f"{address}file/")) as archive:
        assert archive.read("model.onnx") == b"abc"
    page = admin.get(url("model", model_version.pk)).content.decode()
    assert "no heatmaps" in page
    for state, found in (("done", [said["id"]]), ("waiting", [])):
        listed = admin.get("/api/model-exports/", {"state": state}).json()["results"]
        assert [one["id"] for one in listed] == found
    assert client_for(clinician).get("/api/model-exports/").json()["results"] == []


def _written(row):
    from classifier.runtimes.exporting import Exported

    exports.folder_of(row).mkdir(parents=True, exist_ok=True)
    (exports.folder_of(row) / "model.onnx").write_bytes(b"abc")
    return Exported(row.model_version.name, ("logits",), "PyTorch")
