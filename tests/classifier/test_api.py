"""The API over photos, analyses and models."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from classifier.models import Analysis, Publication
from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import jobs
from skinclinic.models import Photo
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    def make(user) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return make


def send(client, data: bytes, **fields):
    file = SimpleUploadedFile("lesion.jpg", data, "image/jpeg")
    return client.post("/api/photos/", {"file": file, **fields}, format="multipart")


def test_from_file_to_differential(api, clinician, model_version):
    client = api(clinician)
    sent = send(client, factories.jpeg_bytes(1))
    assert sent.status_code == 201
    (row,) = client.get(f"/api/analyses/?photo={sent.json()['id']}").json()["results"]
    assert (row["state"], row["scores"], row["differential"]) == ("queued", None, None)
    jobs.run_waiting("analyse")
    row = client.get(f"/api/analyses/{row['id']}/").json()
    assert row["state"] == "done"
    assert list(row["scores"]) == list(DISEASE_KEYS)
    assert sum(row["scores"].values()) + row["background"] == pytest.approx(1, abs=1e-4)
    assert [entry["disease"] for entry in row["differential"]["balanced"]] == [
        key for key in sorted(row["scores"], key=row["scores"].get, reverse=True) if row["scores"][key] > 0.1
    ]
    assert row["trained_on"] == "nothing: random weights"
    maps = client.get(f"/api/analyses/{row['id']}/maps/").json()
    assert set(maps["maps"]) == set(DISEASE_KEYS)


def test_the_same_file_again_is_a_duplicate(api, clinician, model_version):
    first = send(api(clinician), factories.jpeg_bytes(1))
    again = send(api(clinician), factories.jpeg_bytes(1))
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(("data", "code"), [(b"", "invalid"), (b"hello", 400), (b"GIF89a" + b"\0" * 99, 400)])
def test_files_that_are_no_photo_are_refused_and_leave_nothing(api, clinician, data, code):
    response = send(api(clinician), data)
    assert response.status_code == 400
    assert response.json()["error"]["message"]
    assert not Photo.objects.exists()


def test_readers_and_outsiders_cannot_send_or_crop(api, coordinator, outsider, photo, model_version):
    assert send(api(coordinator), factories.jpeg_bytes(9)).status_code == 403
    assert send(api(outsider), factories.jpeg_bytes(9), lesion=photo.lesion_id).status_code == 404
    box = {"x": 0, "y": 0, "size": 100}
    assert api(coordinator).post(f"/api/photos/{photo.pk}/crop/", box).status_code == 403
    assert api(outsider).post(f"/api/photos/{photo.pk}/crop/", box).status_code == 404
    assert Photo.objects.count() == 1


def test_a_crop_makes_a_new_analysis_and_keeps_the_old(api, clinician, analysis):
    client, address = api(clinician), f"/api/photos/{analysis.photo_id}/crop/"
    made = client.post(address, {"x": 10, "y": 20, "size": 100})
    assert made.status_code == 202
    assert made.json()["box"] == {"x": 10, "y": 20, "size": 100}
    assert Analysis.objects.count() == 2
    for bad in (
        {},
        {"x": 0, "y": 0, "size": 0},
        {"x": "a", "y": 0, "size": 100},
        {"x": 300, "y": 0, "size": 100},
    ):
        assert client.post(address, bad).status_code == 400
    assert Analysis.objects.count() == 2


def test_own_impression_comes_first(api, clinician, clinic, analysis):
    clinic.impression_first = True
    clinic.save()
    client, address = api(clinician), f"/api/analyses/{analysis.pk}/"
    hidden = client.get(address).json()
    assert hidden["impression_first"] is True
    assert (hidden["scores"], hidden["differential"], hidden["background"]) == (None, None, None)
    assert client.get(f"{address}maps/").status_code == 409
    assert client.post(f"{address}decision/", {"decision": "agree"}).status_code == 409
    lesion = client.get(f"/api/lesions/{analysis.photo.lesion_id}/").json()
    assert (lesion["top_disease"], lesion["malignant_sum"]) == (None, None)

    assert client.post(f"{address}impression/", {"disease": "nevus"}).status_code == 200
    assert client.post(f"{address}impression/", {"disease": "mm"}).status_code == 409
    assert client.get(address).json()["scores"]
    # Where no set has the usual name, the first is the usual one.
    analysis.model_version.threshold_sets.filter(name="balanced").update(name="ours")
    change = {"decision": "change", "disease": "mm"}
    refused = client.post(f"{address}decision/", change | {"thresholds": "balanced"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_such_thresholds")
    decided = client.post(f"{address}decision/", change).json()
    assert (decided["decision"], analysis.assessments.get().threshold_set.name) == ("change", "ours")
    assert client.post(f"{address}decision/", {"decision": "dismiss"}).status_code == 409
    own = client.get(f"{address}assessment/").json()
    assert own["decision"] == "change"
    assert [row["id"] for row in client.get("/api/assessments/").json()["results"]] == [own["id"]]


def test_assessments_are_ones_own(api, clinician, curator, analysis):
    made = api(clinician).post(f"/api/analyses/{analysis.pk}/impression/", {"disease": "nevus"}).json()
    assert api(curator).get("/api/assessments/").json()["results"] == []
    assert api(curator).get(f"/api/assessments/{made['id']}/").status_code == 404


def test_retry_is_for_failed_analyses(api, clinician, photo, model_version):
    analysis = request_analysis(photo, user=clinician)
    address = f"/api/analyses/{analysis.pk}/retry/"
    assert api(clinician).post(address).status_code == 409
    type(analysis.job).objects.update(state="failed", error_code="worker_died", error="It stopped.")
    assert api(clinician).post(address).json()["state"] == "queued"


def test_models_are_published_and_rolled_back_by_admins(
    api, admin_user, clinician, outsider, model_version, tmp_path
):
    folder = factories.make_model_dir(tmp_path / "second", name="second", seed=2)
    files = {
        "weights": SimpleUploadedFile("model.safetensors", (folder / "model.safetensors").read_bytes()),
        "manifest": SimpleUploadedFile("manifest.json", (folder / "manifest.json").read_bytes()),
    }
    assert api(clinician).post("/api/models/", files, format="multipart").status_code == 403
    for file in files.values():
        file.seek(0)
    made = api(admin_user).post("/api/models/", files, format="multipart")
    assert made.status_code == 201
    publish = f"/api/models/{made.json()['id']}/publish/"
    assert api(clinician).post(publish).status_code == 403
    assert api(outsider).post(publish).status_code == 404
    assert api(outsider).get(f"/api/models/{made.json()['id']}/").status_code == 404
    early = api(admin_user).post(publish, {"reason": "better"})
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_run_yet")
    jobs.run_waiting("prove-model")
    assert api(admin_user).post(publish, {"reason": "better"}).status_code == 200
    assert api(admin_user).post(publish).status_code == 409
    assert api(clinician).post("/api/models/roll-back/").status_code == 403
    assert api(admin_user).post("/api/models/roll-back/").json()["is_rollback"] is True
    assert Publication.objects.count() == 2
    assert len(api(clinician).get("/api/publications/").json()["results"]) == 2
    assert api(outsider).get("/api/publications/").json()["results"] == []


def test_trying_a_photo_without_a_record(api, clinician, outsider, clinic, model_version):
    def try_one(client):
        file = SimpleUploadedFile("me.jpg", factories.jpeg_bytes(3), "image/jpeg")
        return client.post("/api/try/", {"file": file}, format="multipart")

    assert try_one(APIClient()).status_code == 401
    sent = try_one(api(clinician))
    assert sent.status_code == 202
    assert api(clinician).get(sent.json()["url"]).json()["state"] == "queued"
    jobs.run_waiting("try")
    result = api(clinician).get(sent.json()["url"]).json()
    assert (result["state"], set(result["maps"])) == ("done", set(DISEASE_KEYS))
    assert api(clinician).delete(sent.json()["url"]).status_code == 204
    assert api(clinician).get(sent.json()["url"]).status_code == 404
    clinic.try_page_open = True
    clinic.save()
    assert try_one(APIClient()).status_code == 202
