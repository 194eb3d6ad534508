"""Models on disk: verified before use, refused with a reason, written whole or not at all."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from classifier.networks import heatmap_check, network, weights
from classifier.networks.weights import ModelRejected
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.classifier import lively

ARCHITECTURE = "efficientnet_lite0"


@pytest.fixture(scope="module")
def trained():
    return lively.make(ARCHITECTURE, len(DISEASE_KEYS))


@pytest.fixture
def folder(trained, tmp_path):
    weights.save(tmp_path / "lively", lively.manifest(ARCHITECTURE), trained.state_dict())
    return tmp_path / "lively"


def change_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_weights(folder, change, *, matching_hash=True):
    """Rewrite the weights after ``change``, a function that edits the state dict."""
    path = folder / "model.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)
    if matching_hash:
        change_manifest(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def refusal(folder, load=weights.load_verified) -> str:
    with pytest.raises(ModelRejected) as caught:
        load(folder)
    assert caught.value.message.endswith(".")
    assert str(caught.value) == caught.value.message
    # People are told no folder of the server.
    assert str(folder.parent) not in caught.value.message
    return caught.value.code


def test_a_saved_model_comes_back_with_every_number(folder, trained):
    manifest, state = weights.load_verified(folder)
    assert manifest == weights.check_files(folder) == weights.read_manifest(folder)
    assert manifest.outputs == 12
    assert manifest.thresholds["balanced"]["values"]["mm"] == 0.1
    assert all(value.dtype in (torch.float32, torch.int64) for value in state.values())
    assert all(torch.equal(value, state[name]) for name, value in trained.state_dict().items())
    network.load_strictly(network.build(ARCHITECTURE, 12), state)


def test_what_comes_in_half_precision_is_stored_so(trained, tmp_path):
    state = trained.state_dict()
    state |= {name: value.bfloat16() for name, value in state.items() if name.startswith("backbone.stem.0.")}
    state |= {name: value.half() for name, value in state.items() if name.startswith("head.")}
    weights.save(tmp_path / "lively", lively.manifest(ARCHITECTURE), state)
    stored = load_file(tmp_path / "lively" / "model.safetensors")
    assert {name: value.dtype for name, value in stored.items()} == {n: v.dtype for n, v in state.items()}
    loaded = weights.load_verified(tmp_path / "lively")[1]
    assert loaded["head.weight"].dtype == torch.float32


def test_half_precision_is_of_kernels_alone_and_has_to_be_asked_for(trained, tmp_path):
    folder = tmp_path / "small"
    weights.save(folder, lively.manifest(ARCHITECTURE), trained.state_dict(), half=True)
    stored = load_file(folder / "model.safetensors")
    assert stored["head.weight"].dtype == torch.float16
    assert stored["backbone.stem.0.weight"].dtype == torch.float16
    assert torch.equal(stored["backbone.top.1.running_var"], trained.backbone.top[1].running_var)
    assert torch.equal(stored["bias"], trained.bias)
    assert (folder / "model.safetensors").stat().st_size < 12_000_000
    restored = network.restore(*weights.load_verified(folder)).eval()
    with torch.inference_mode():
        expected, answer = (model(lively.images(2))[0].softmax(1) for model in (trained, restored))
    torch.testing.assert_close(answer, expected, atol=5e-3, rtol=0)


@each(
    "value, half, code",
    [(1e5, True, "too_large_for_half"), (float("nan"), False, "weights_not_finite")],
)
def test_a_number_that_cannot_be_stored_is_named(trained, tmp_path, value, half, code):
    state = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    state["backbone.stem.0.weight"].view(-1)[3] = value
    with pytest.raises(ModelRejected, match=r"backbone\.stem\.0\.weight") as caught:
        weights.save(tmp_path / "lively", lively.manifest(ARCHITECTURE), state, half=half)
    assert caught.value.code == code
    assert not (tmp_path / "lively").exists()


def test_one_changed_byte_is_noticed(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert refusal(folder) == refusal(folder, weights.check_files) == "wrong_hash"


def test_a_truncated_file_is_noticed(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert refusal(folder) == "wrong_hash"


def test_a_pickle_is_never_read(folder):
    path = folder / "model.safetensors"
    torch.save({"bias": torch.zeros(12)}, path)
    change_manifest(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert refusal(folder) == refusal(folder, weights.check_files) == "weights_unreadable"


@pytest.mark.parametrize(
    ("name", "code"), [("model.safetensors", "weights_missing"), ("manifest.json", "manifest_missing")]
)
def test_a_missing_file_is_named(folder, name, code):
    (folder / name).unlink()
    assert refusal(folder) == refusal(folder, weights.check_files) == code


def test_a_folder_in_place_of_a_file_is_unreadable(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    assert refusal(folder) == "weights_unreadable"
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()
    assert refusal(folder) == "manifest_unreadable"


def test_wrong_number_of_outputs(folder):
    change_manifest(folder, background_classes=["bare_skin"])
    assert refusal(folder) == refusal(folder, weights.check_files) == "wrong_outputs"


def test_weights_that_are_not_numbers(folder):
    change_weights(folder, lambda state: state["head.weight"].view(-1)[5].fill_(float("nan")))
    assert refusal(folder) == "weights_not_finite"


def test_weights_without_their_last_layer(folder):
    change_weights(folder, lambda state: state.pop("head.weight"))
    assert refusal(folder) == "weights_incomplete"


KEYS = list(DISEASE_KEYS)
THRESHOLDS = dict.fromkeys(KEYS, 0.5)


def prepared(**changes):
    return {"input_size": 128, "mean": [0.5] * 3, "std": [0.25] * 3} | changes


def heatmaps_of(mean):
    row = {"compared": 12, "mean": mean, "least": 0, "most": 1, "size": 1}
    return {"pictures": 12, "rows": [row | {"randomised": step} for step in heatmap_check.STEPS]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"disease_keys": [*KEYS[:-1], "psoriasis"]}, "unknown_disease"),
        ({"disease_keys": KEYS[:-1]}, "missing_disease"),
        ({"disease_keys": [KEYS[1], KEYS[0], *KEYS[2:]]}, "wrong_order"),
        ({"disease_keys": [*KEYS, "bcc"]}, "doubled_disease"),
        ({"disease_keys": "bcc"}, "manifest_incomplete"),
        ({"disease_keys": [*KEYS[:-1], 7]}, "manifest_incomplete"),
        ({"background_classes": ["cloth", "cloth"]}, "doubled_class"),
        ({"background_classes": ["bcc"]}, "doubled_class"),
        ({"architecture": "alexnet"}, "unknown_architecture"),
        ({"name": "../elsewhere"}, "bad_name"),
        ({"name": ""}, "bad_name"),
        ({"demo": "yes"}, "manifest_incomplete"),
        ({"heatmap_check": {"pictures": 12, "rows": []}}, "bad_heatmap_check"),
        ({"heatmap_check": "fine"}, "manifest_incomplete"),
        ({"preprocessing": {"input_size": 224}}, "bad_preprocessing"),
        ({"preprocessing": {"input_size": 9, "mean": [0, 0, 0], "std": [1, 1, 1]}}, "bad_preprocessing"),
        ({"preprocessing": {"input_size": 224, "mean": "abc", "std": [1, 1, 1]}}, "bad_preprocessing"),
        ({"preprocessing": prepared(std=[0.25, 0.25, True])}, "bad_preprocessing"),
        ({"preprocessing": prepared(std="111")}, "bad_preprocessing"),
        ({"preprocessing": prepared(std=[0.25, 0.25, "0.25"])}, "bad_preprocessing"),
        ({"preprocessing": prepared(std=[1e-40] * 3)}, "bad_preprocessing"),
        ({"preprocessing": prepared(std=[1e300] * 3)}, "bad_preprocessing"),
        ({"preprocessing": prepared(mean=[123.68, 116.78, 103.94])}, "bad_preprocessing"),
        ({"preprocessing": prepared(mean=[10**400] * 3)}, "bad_preprocessing"),
        ({"preprocessing": prepared(crop=0.9)}, "bad_preprocessing"),
        ({"heatmap_check": heatmaps_of(10**400)}, "bad_heatmap_check"),
        ({"thresholds": {"balanced": {"values": THRESHOLDS | {"mm": 10**400}}}}, "bad_thresholds"),
        ({"thresholds": {"balanced": {"values": {"bcc": 0.5}}}}, "bad_thresholds"),
        ({"thresholds": {"balanced": 0.5}}, "bad_thresholds"),
        ({"thresholds": {"balanced": {"values": THRESHOLDS | {"mm": 1.5}}}}, "bad_thresholds"),
        ({"thresholds": {"balanced": {"values": THRESHOLDS | {"mm": "0.5"}}}}, "bad_thresholds"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, changes, code):
    change_manifest(folder, **changes)
    assert refusal(folder, weights.read_manifest) == code


@each(
    "text, code",
    [
        (b"", "manifest_unreadable"),
        (b'{"name": ', "manifest_unreadable"),
        (b"\xff\xfe", "manifest_unreadable"),
        (b'{"metrics": {"auc": NaN}}', "manifest_unreadable"),
        (b'{"metrics": {"auc": 1e999}}', "manifest_unreadable"),
        (b'{"name": "one", "name": "two"}', "manifest_unreadable"),
        (b'{"metrics": ' + b"[" * 200 + b"]" * 200 + b"}", "manifest_unreadable"),
        (b" " * 1_000_001, "manifest_unreadable"),
        (b"[]", "manifest_incomplete"),
        (b"{}", "manifest_incomplete"),
    ],
)
def test_a_manifest_that_is_none_is_refused(folder, text, code):
    (folder / "manifest.json").write_bytes(text)
    assert refusal(folder, weights.read_manifest) == code


def test_what_is_wrong_with_the_preparation_of_photos_is_said_in_its_own_words(folder):
    for changes, said in [
        ({"mean": [123.68, 116.78, 103.94]}, "divided by 255"),
        ({"crop": 0.9}, "crop is not known here"),
    ]:
        change_manifest(folder, preprocessing=prepared(**changes))
        with pytest.raises(ModelRejected, match=said):
            weights.read_manifest(folder)
    change_manifest(folder, preprocessing={"input_size": 128})
    with pytest.raises(ModelRejected, match="it lacks mean, std"):
        weights.read_manifest(folder)


def test_a_tensor_that_is_named_twice_is_refused(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    doubled = json.dumps(header)[:-1] + f', "bias": {json.dumps(header["bias"])}}}'
    path.write_bytes(len(doubled).to_bytes(8, "little") + doubled.encode() + content[8 + length :])
    change_manifest(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert refusal(folder, weights.check_files) == "weights_unreadable"


def test_a_manifest_may_say_more_than_is_known(folder):
    change_manifest(folder, from_a_later_version={"x": 1})
    assert weights.read_manifest(folder).name == "lively"


def test_a_model_version_is_never_overwritten(folder, trained):
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(FileExistsError):
        weights.save(folder, lively.manifest(ARCHITECTURE, name="other"), trained.state_dict())
    assert (folder / "manifest.json").read_bytes() == before


def test_a_save_that_fails_leaves_nothing(trained, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full_disk)
    with pytest.raises(OSError):
        weights.save(tmp_path / "models" / "lively", lively.manifest(ARCHITECTURE), trained.state_dict())
    assert list(tmp_path.glob("models/*")) == []


def test_what_would_be_refused_is_not_saved(trained, tmp_path):
    wrong = lively.manifest(ARCHITECTURE, background_classes=("cloth",))
    with pytest.raises(ModelRejected) as caught:
        weights.save(tmp_path / "models" / "lively", wrong, trained.state_dict())
    assert caught.value.code == "wrong_outputs"
    assert list(tmp_path.glob("models/*")) == []


def test_without_a_shipped_model_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SHIPPED_DIR", tmp_path / "missing")
    with pytest.raises(ModelRejected) as caught:
        weights.default_name()
    assert caught.value.code == "no_model"


def test_checking_a_model_needs_neither_torch_nor_openvino(folder):
    script = (
        "import sys\n"
        "from classifier import runtimes\n"
        "from classifier.analysing import pipeline\n"
        "from classifier.networks import cam, manifest, preprocess, weights\n"
        "from classifier.plots import colormaps\n"
        "weights.check_files(sys.argv[1])\n"
        "print(sorted({'torch', 'openvino'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
