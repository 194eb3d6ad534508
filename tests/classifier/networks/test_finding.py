"""A model is found by the name that pages and commands call it."""

import json

import pytest

from classifier.management.model_named import folder_of
from classifier.networks import weights
from classifier.networks.finding import find_model
from classifier.networks.weights import ModelRejected
from tests.classifier import lively


def put(folder, name="lively", sha256="a" * 64):
    """A model's folder as finding reads it: its description alone."""
    folder.mkdir(parents=True)
    said = lively.manifest("efficientnet_lite0", name=name, weights_sha256=sha256).to_json()
    (folder / "manifest.json").write_text(json.dumps(said))
    return folder


def refusal(*arguments, **options) -> ModelRejected:
    with pytest.raises(ModelRejected) as caught:
        find_model(*arguments, **options)
    return caught.value


def test_models_are_found_by_name_the_own_before_the_shipped(tmp_path, monkeypatch):
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    put(shipped / "lively", sha256="b" * 64)
    put(shipped / "first", "first")
    (shipped / "no-model").mkdir()
    own = put(models / "lively")
    monkeypatch.setattr(weights, "SHIPPED_DIR", shipped)
    assert weights.default_name() == "first"
    assert find_model("first", models) == shipped / "first"
    assert find_model("lively", models) == own
    assert find_model("lively", tmp_path / "missing") == shipped / "lively"
    assert find_model(str(own), tmp_path / "missing") == own
    error = refusal("nobody", models)
    assert error.code == "unknown_model" and "first, lively" in error.message


def test_the_model_of_a_clinic_is_found_by_its_name(tmp_path):
    own = put(tmp_path / "clinic-3" / "trained-1-0a1b2c3d", "trained-1")
    put(tmp_path / "clinic-3" / ".draft-trained-1-0a1b2c3d-00000000", "trained-1", "c" * 64)
    (tmp_path / "clinic-3" / "spoilt").mkdir()
    (tmp_path / "clinic-3" / "spoilt" / "manifest.json").write_text("{")
    assert find_model("trained-1", tmp_path) == find_model("trained-1", tmp_path, clinic=3) == own
    error = refusal("trained-1", tmp_path, clinic=4)
    assert error.code == "unknown_model" and "trained-1" not in error.message.partition(";")[2]


def test_an_earlier_releases_model_is_found_by_the_name_it_is_registered_under(tmp_path):
    old = put(tmp_path / "shipped" / "demo-0a1b2c3d", "demo", "d" * 64)
    assert find_model("demo-dddddddd", tmp_path) == old


def test_models_of_one_name_are_told_apart_by_their_clinic(tmp_path):
    everybodys = put(tmp_path / "lively")
    third = put(tmp_path / "clinic-3" / "lively-0a1b2c3d", sha256="b" * 64)
    fourth = put(tmp_path / "clinic-4" / "lively-0a1b2c3d", sha256="c" * 64)
    error = refusal("lively", tmp_path, clinic_name={3: "north", 4: "south"}.get)
    assert error.code == "ambiguous_model"
    for part in ("bbbbbbbb, of the clinic north", "south", str(everybodys), str(third), str(fourth)):
        assert part in error.message
    assert find_model("lively", tmp_path, clinic=3) == third
    assert find_model("lively", tmp_path, clinic=5) == everybodys


def test_an_empty_name_is_not_taken_for_none(tmp_path, settings):
    """As of a variable that a script has not set: another model would answer."""
    settings.MODELS_DIR = tmp_path
    with pytest.raises(ModelRejected, match="no model ''"):
        folder_of("", None)
    assert folder_of(None, None).is_dir()


def test_the_same_weights_in_two_clinics_are_one_model(tmp_path):
    put(tmp_path / "clinic-3" / "lively-0a1b2c3d")
    put(tmp_path / "clinic-4" / "lively-0a1b2c3d")
    assert find_model("lively", tmp_path).name == "lively-0a1b2c3d"
