"""Models trained elsewhere become model versions: registered, published and used; or nothing is left behind."""

import json

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from safetensors.torch import load_file, save_file

from classifier import runtimes
from classifier.models import ModelVersion
from classifier.networks import network, outside, weights
from classifier.runtimes import cuda
from classifier.services.models import map_checks, registry
from skinclinic import imaging
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories
from tests.cases import each
from tests.classifier import caffe_net, lively
from tests.classifier.caffe_case import LABELS, MEAN_BGR, caffe_input
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db

MEAN = ",".join(map(str, MEAN_BGR))


@pytest.fixture
def caffe_options(caffe):
    return {"prototxt": caffe.prototxt, "caffemodel": caffe.caffemodel, "labels": caffe.labels, "name": "han"}


@pytest.fixture(scope="module")
def torch_file(tmp_path_factory):
    """A ResNet-18 with a last layer of 13 outputs under torchvision's names."""
    made = lively.make("resnet18", 13)
    state = {name: value for name, value in made.backbone.state_dict().items()}
    state |= {"fc.weight": made.head.weight[:, :, 0, 0].contiguous(), "fc.bias": made.bias}
    path = tmp_path_factory.mktemp("torch") / "resnet18.safetensors"
    save_file(state, path)
    return path


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(["other", *DISEASE_KEYS]))
    return path


def run(command, **options) -> None:
    """Run it with options as they are typed."""
    call_command(command, *(f"--{name.replace('_', '-')}={value}" for name, value in options.items()))


def stored_files(settings) -> list[str]:
    folder = settings.MODELS_DIR
    kept = [path for path in folder.rglob("*") if path.is_file() and "shipped" not in path.parts]
    return sorted(str(path.relative_to(folder)) for path in kept)


def test_the_clinic_uses_an_imported_caffe_network(
    caffe, caffe_options, model_version, clinic, clinician, admin_user, client_for, capsys
):
    run("import_caffemodel", **caffe_options, mean=MEAN, trained_on="19,398 photos", licence="CC BY-NC 4.0")
    said = capsys.readouterr().out
    assert "han (resnet50-caffe" in said
    assert "12 diseases and 3 background classes" in said
    assert "224 x 224, less a mean of 101.5, 111.2, 131 (bgr" in said

    version = ModelVersion.objects.get(name="han")
    manifest = version.manifest
    assert manifest["trained_on"] == "19,398 photos"
    assert manifest["licence"] == "CC BY-NC 4.0"
    assert manifest["validated_on"] == {"text": "Not stated."}
    assert manifest["intended_use"] == "Not stated."
    assert manifest["background_classes"] == ["psoriasis", "eczema, chronic", "건선"]
    assert manifest["preprocessing"]["channel_order"] == "bgr"
    np.testing.assert_allclose(np.multiply(manifest["preprocessing"]["mean"], 255), MEAN_BGR)
    sources = manifest["metrics"]["imported_from"]
    assert [entry["name"] for entry in sources] == ["deploy.prototxt", "net.caffemodel", "labels.txt"]
    assert registry.published(clinic) == model_version, "nothing is in use before it is published"

    registry.publish(factories.proven(version), clinic=clinic, user=admin_user)
    row = factories.make_analysis(factories.make_photo(clinic, clinician), clinician)
    assert row.is_done and row.model_version == version
    assert (row.map_height, row.map_width) == (7, 7)
    assert set(row.scores) == set(DISEASE_KEYS)
    assert sum(row.scores.values()) + row.background == pytest.approx(1, abs=1e-5)
    page = client_for(clinician).get(url("photo", row.photo_id))
    assert page.status_code == 200
    assert "19,398 photos" in page.content.decode()
    assert client_for(admin_user).get(url("model", version.pk)).status_code == 200


def test_a_photo_gets_the_scores_that_caffe_gives_it(caffe, caffe_options, tmp_path, capsys):
    run("import_caffemodel", **caffe_options, mean=MEAN)
    capsys.readouterr()
    file = tmp_path / "photo.png"
    caffe.photos[0].save(file)
    call_command("classify", str(file), model="han", json=True)
    (answer,) = json.loads(capsys.readouterr().out)
    # A photo is stored as JPEG, and that is what the network sees.
    stored = imaging.open_rgb(imaging.accept(file.read_bytes()).jpeg)
    expected = caffe_net.forward(caffe.net, caffe.blobs, caffe_input(stored)[None])["prob"][0]
    for key in DISEASE_KEYS:
        assert answer["scores"][key] == pytest.approx(expected[LABELS.index(key)], abs=2e-3)


def test_without_a_mean_it_is_that_of_imagenet(caffe_options):
    run("import_caffemodel", **caffe_options)
    mean = ModelVersion.objects.get(name="han").manifest["preprocessing"]["mean"]
    np.testing.assert_allclose(np.multiply(mean, 255), [103.0626, 115.9029, 123.1516], atol=1e-3)


@pytest.mark.parametrize("mean", ["104", "1,2,3,4", "a,b,c", "nan,1,2"])
def test_a_mean_that_is_none_is_refused(mean, caffe_options, settings):
    with pytest.raises(CommandError, match="mean"):
        run("import_caffemodel", **caffe_options, mean=mean)
    assert stored_files(settings) == []


def test_a_caffe_network_that_does_not_fit_leaves_nothing(caffe, caffe_options, tmp_path, settings):
    spoilt = tmp_path / "deploy.prototxt"
    spoilt.write_text(caffe.prototxt.read_text().replace("res5c_branch2a", "res5c_other"))
    with pytest.raises(CommandError) as caught:
        run("import_caffemodel", **{**caffe_options, "prototxt": spoilt})
    assert "res5c_branch2a" in str(caught.value) and "res5c_other" in str(caught.value)
    assert stored_files(settings) == []
    assert not ModelVersion.objects.filter(name="han").exists()


def test_labels_of_another_number_are_refused(caffe_options, tmp_path, settings):
    few = tmp_path / "few.txt"
    few.write_text("\n".join(DISEASE_KEYS))
    with pytest.raises(CommandError, match="15 outputs, but the labels name 12"):
        run("import_caffemodel", **{**caffe_options, "labels": few})
    assert stored_files(settings) == []


def test_weights_of_torchvision_become_a_model(torch_file, labels, clinic, tmp_path, settings):
    run(
        "import_weights",
        weights=torch_file,
        architecture="resnet18",
        labels=labels,
        name="ours",
        clinic=clinic.slug,
        image_size=128,
    )
    version = ModelVersion.objects.get(name="ours")
    assert version.clinic == clinic
    assert map_checks.job(version), "its heatmaps are checked by itself"
    assert version.path.is_relative_to(registry.clinic_models_dir(clinic))
    manifest, state = weights.load_verified(version.path)
    assert manifest.background_classes == ("other",)
    assert manifest.preprocessing.input_size == 128
    # The first output was "other"; with us it is the last.
    order = [*range(1, 13), 0]
    images = lively.images(2)
    with torch.inference_mode():
        answer = network.restore(manifest, state).eval()(images)[0].softmax(1)
        expected = lively.make("resnet18", 13)(images)[0][:, order].softmax(1)
    torch.testing.assert_close(answer, expected, rtol=0, atol=5e-3)
    assert float(expected.std()) > 0.03


def test_mean_and_deviation_may_be_given(torch_file, labels):
    options = {"weights": torch_file, "architecture": "resnet18", "labels": labels, "name": "ours"}
    run("import_weights", **options, mean="0.1,0.2,0.3", std="0.4,0.5,0.6")
    how = ModelVersion.objects.get(name="ours").manifest["preprocessing"]
    assert (how["mean"], how["std"]) == ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])


def test_importing_again_gives_the_same_version(torch_file, labels, clinic, settings, capsys):
    options = {"weights": torch_file, "architecture": "resnet18", "labels": labels, "clinic": clinic.slug}
    run("import_weights", **options, name="first")
    before = stored_files(settings)
    run("import_weights", **options, name="second")
    assert "first (resnet18" in capsys.readouterr().out.splitlines()[-3]
    assert stored_files(settings) == before
    assert ModelVersion.objects.get(clinic=clinic).name == "first"


@pytest.mark.parametrize("for_a_clinic", [True, False])
def test_a_name_that_is_taken_is_refused(for_a_clinic, torch_file, labels, clinic, settings):
    options = {"weights": torch_file, "architecture": "resnet18", "name": "ours"}
    options |= {"clinic": clinic.slug} if for_a_clinic else {}
    run("import_weights", **options, labels=labels)
    before = stored_files(settings)
    labels.write_text("\n".join([*DISEASE_KEYS, "other"]))
    with pytest.raises(CommandError, match="named 'ours' already"):
        run("import_weights", **options, labels=labels)
    assert stored_files(settings) == before
    assert ModelVersion.objects.filter(name="ours").count() == 1


def test_a_registration_that_fails_leaves_nothing(torch_file, labels, settings, monkeypatch, model_version):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry, "register", full)
    with pytest.raises(CommandError, match="No space left"):
        run("import_weights", weights=torch_file, architecture="resnet18", labels=labels, name="ours")
    assert stored_files(settings) == []


def test_too_little_memory_is_said_and_leaves_nothing(
    torch_file, labels, settings, monkeypatch, model_version
):
    def fail(*arguments):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(network.MappedClassifier, "classify", fail)
    with pytest.raises(CommandError, match="not enough memory"):
        run("import_weights", weights=torch_file, architecture="resnet18", labels=labels, name="ours")
    assert stored_files(settings) == []


@pytest.mark.parametrize("text", ["a\x00b", "half a letter \udcff"])
def test_a_text_no_database_can_store_leaves_nothing(text, torch_file, labels, settings):
    options = {"weights": torch_file, "architecture": "resnet18", "labels": labels, "name": "ours"}
    with pytest.raises(CommandError, match="no text"):
        run("import_weights", **options, trained_on=text)
    assert stored_files(settings) == []


def test_an_import_never_becomes_the_first_of_the_products_models(torch_file, labels, clinic):
    assert not ModelVersion.objects.exists()
    run("import_weights", weights=torch_file, architecture="resnet18", labels=labels, name="ours")
    assert registry.published(clinic).name == weights.default_name()


def test_without_labels_it_is_said_how_to_go_on(torch_file, settings):
    with pytest.raises(CommandError) as caught:
        run("import_weights", weights=torch_file, architecture="resnet18", name="ours")
    assert "13 outputs" in str(caught.value)
    assert "--labels FILE" in str(caught.value) and "train --init FILE" in str(caught.value)
    assert stored_files(settings) == []


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"name": "../elsewhere"}, "no model name"),
        ({"name": "clinic-7"}, "folder that holds other models"),
        ({"name": "shipped"}, "folder that holds other models"),
        ({"part": "model_ema"}, "no network under 'model_ema'; there are: ."),
        ({"clinic": "nowhere"}, "There is no clinic 'nowhere'"),
        ({"weights": "/none/such.pth"}, "cannot be read"),
        ({"image_size": 5000}, "from 32 to 1024"),
        ({"image_size": 0}, "from 32 to 1024"),
        ({"std": "0,1,1"}, "std must be positive"),
        ({"architecture": "resnet34"}, "missing: layer1.2"),
        ({"labels": "/none/labels"}, "labels cannot be read"),
    ],
)
def test_wrong_options_are_refused(wrong, expected, torch_file, labels, settings):
    options = {"weights": torch_file, "architecture": "resnet18", "labels": labels, "name": "ours"} | wrong
    with pytest.raises(CommandError) as caught:
        run("import_weights", **options)
    assert expected in str(caught.value)
    assert stored_files(settings) == []


@each(
    "name, spoil, tensor",
    [
        ("does not run", lambda value: torch.full_like(value, -5), "backbone.bn1.running_var"),
        ("no number", lambda value: torch.full_like(value, float("nan")), "bn1.running_var"),
        ("whole numbers", lambda value: value.to(torch.int32), "bn1.running_var (int32)"),
    ],
)
def test_weights_that_cannot_work_are_not_registered_and_the_tensor_is_named(
    name, spoil, tensor, torch_file, labels, model_version, settings, tmp_path
):
    state = load_file(torch_file)
    save_file(state | {"bn1.running_var": spoil(state["bn1.running_var"])}, tmp_path / "weights")
    with pytest.raises(CommandError) as caught:
        run("import_weights", weights=tmp_path / "weights", architecture="resnet18", labels=labels, name="x")
    assert tensor in str(caught.value)
    assert ModelVersion.objects.get() == model_version and stored_files(settings) == []


@pytest.mark.parametrize(
    ("prefer", "architecture", "said"),
    [
        ("torch", "timm:convnext_atto", "closed form through layer normalisation"),
        ("cpu", "timm:convnext_atto", "closed form through layer normalisation"),
        ("cpu", "timm:efficientvit_b0", "computed by PyTorch"),
    ],
)
def test_a_network_of_timm_is_imported_and_answers_as_timm_does(
    prefer, architecture, said, labels, model_version, settings, tmp_path, monkeypatch
):
    torch.manual_seed(2)
    net = outside.whole(architecture, 13)
    with torch.no_grad():
        net.get_submodule(outside.last_of(architecture)).weight.normal_(std=0.5)
        for module in net.head.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5)
    torch.save({"state_dict": net.state_dict()}, tmp_path / "weights.pth")
    run(
        "import_weights",
        weights=tmp_path / "weights.pth",
        architecture=architecture,
        labels=labels,
        name="next",
    )
    version = ModelVersion.objects.get(name="next")
    assert (version.architecture, version.manifest["preprocessing"]["input_size"]) == (architecture, 224)
    assert said in version.manifest["maps"]
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    runtime = runtimes.open_runtime(version.path, cache_dir=settings.CACHE_DIR, prefer=prefer)
    images = lively.images(2, seed=3, side=224)
    scores, maps = runtime.forward(images.numpy())
    with torch.inference_mode():
        expected = net.eval()(images).softmax(1)[:, [*range(1, 13), 0]]
    np.testing.assert_allclose(scores, expected.numpy(), rtol=0, atol=1e-5)
    assert maps.shape == (2, 13, 7, 7) and maps.std() > 0


def test_an_image_size_that_a_network_does_not_take_is_named_with_its_own(
    labels, model_version, settings, tmp_path
):
    name = "timm:swinv2_cr_tiny_224"
    torch.save(outside.whole(name, 13).state_dict(), tmp_path / "weights.pth")
    options = {"weights": tmp_path / "weights.pth", "architecture": name, "labels": labels, "name": "x"}
    with pytest.raises(CommandError, match="200 × 200 pixels and failed.*is made for 224 × 224"):
        run("import_weights", **options, image_size=200)
    assert stored_files(settings) == []


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [
        ("timm:vit_tiny_patch16_224", "must end in feature maps, pooling"),
        ("timm:convnext_attto", "names like it: convnext_atto"),
        ("alexnet", "torchvision:NAME or timm:NAME"),
        ("torchvision:mobilenet_v3_small", "missing: .* features.0.0.weight"),
    ],
)
def test_a_network_that_cannot_be_imported_is_refused_by_name(
    architecture, reason, torch_file, labels, settings
):
    with pytest.raises(CommandError, match=reason):
        run("import_weights", weights=torch_file, architecture=architecture, labels=labels, name="x")
    assert stored_files(settings) == []
