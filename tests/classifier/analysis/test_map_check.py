"""The check of heatmaps: those of a network that is put at random are others, and it is told how far."""

import pytest
import torch

from classifier.analysing import map_check, map_check_kinds
from classifier.models import ModelVersion
from classifier.services.models import map_checks
from skinclinic.engine import jobs
from tests.skinclinic.pages import audited, messages_of, url


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.setattr(map_check, "DISEASE_KEYS", ("bcc", "nevus", "wart"))


def test_maps_of_a_network_put_at_random_have_little_in_common(lite_dir):
    before = torch.random.get_rng_state()
    found = map_check.check_maps(lite_dir)
    assert found == map_check.check_maps(lite_dir), "the same seed gives the same figures"
    assert torch.equal(before, torch.random.get_rng_state())
    rows = {row["randomised"]: row for row in found["rows"]}
    assert found["pictures"] == 3
    assert list(rows) == [map_check_kinds.LAST_LAYER, map_check_kinds.LAST_TENTH, map_check_kinds.ALL]
    for row in rows.values():
        assert -1 <= row["least"] <= row["mean"] <= row["most"] <= 1
        assert abs(row["mean"]) < 0.6


def test_maps_that_ignore_the_last_layer_are_told_as_alike(lite_dir, monkeypatch):
    monkeypatch.setattr(map_check, "_shuffle", lambda kernel, chance: None)
    for row in map_check.check_maps(lite_dir)["rows"]:
        assert (row["mean"], row["least"]) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.django_db
def test_an_admin_has_it_checked_and_every_member_sees_it(client_for, admin_user, clinician, model_version):
    page = url("model", model_version.pk)
    check = url("model-check-maps", model_version.pk)
    seen = client_for(clinician).get(page).content.decode()
    assert "Not checked yet" in seen and check not in seen
    assert client_for(clinician).post(check).status_code == 403
    admin = client_for(admin_user)
    assert "being checked" in messages_of(admin.post(check))
    admin.post(check)
    assert "Being checked" in admin.get(page).content.decode() and audited("model.check_maps")
    jobs.run_waiting(map_checks.JOB)
    seen = client_for(clinician).get(page).content.decode()
    assert "Adebayo" in seen and "all kernels" in seen and "Not checked yet" not in seen
    assert len(ModelVersion.objects.get(pk=model_version.pk).map_check["rows"]) == 3


@pytest.mark.django_db
def test_a_check_that_fails_can_be_asked_for_again(client_for, admin_user, model_version, tmp_path):
    folder, model_version.folder = model_version.folder, str(tmp_path)
    model_version.save()
    admin = client_for(admin_user)
    admin.post(url("model-check-maps", model_version.pk))
    jobs.run_waiting(map_checks.JOB)
    assert "The check failed" in admin.get(url("model", model_version.pk)).content.decode()
    ModelVersion.objects.filter(pk=model_version.pk).update(folder=folder)
    admin.post(url("model-check-maps", model_version.pk))
    jobs.run_waiting(map_checks.JOB)
    assert ModelVersion.objects.get(pk=model_version.pk).map_check
