"""Parameters saved by PyTorch are read without running code, and what does not fit is named."""

import pickle
import zipfile
from argparse import Namespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from classifier.imports.labels import Labels, arrange, read_labels
from classifier.imports.state_dicts import load_backbone, load_parts
from classifier.networks import network, outside, torchvision_ops, weights
from classifier.networks.manifest import ModelRejected
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.classifier import lively

OUTPUTS = 14


@pytest.fixture(scope="module")
def theirs():
    """torchvision's own ResNet-18 with a head of 14 outputs."""
    torchvision_ops.declare_missing()
    from torchvision import models

    torch.manual_seed(3)
    made = models.resnet18(num_classes=OUTPUTS)
    with torch.no_grad():
        made.train()(lively.images(4))
    return made.eval()


@pytest.fixture
def state(theirs):
    return dict(theirs.state_dict())


def refused(call, *arguments) -> ModelRejected:
    with pytest.raises(ModelRejected) as caught:
        call(*arguments)
    assert caught.value.message.endswith(".")
    return caught.value


def backbone_only(state):
    return {name: value for name, value in state.items() if not name.startswith("fc.")}


WRITERS = {
    "plain": lambda state, path: torch.save(state, path),
    "legacy": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
    "safetensors": lambda state, path: save_file(state, path),
    "data parallel": lambda state, path: torch.save({f"module.{n}": v for n, v in state.items()}, path),
    "checkpoint": lambda state, path: torch.save(
        {"epoch": 3, "best": 0.9, "state_dict": state, "optimizer": {"lr": 0.1}}, path
    ),
    "parallel checkpoint": lambda state, path: torch.save(
        {"model": {"state_dict": {f"module.{n}": v for n, v in state.items()}}}, path
    ),
    "half": lambda state, path: save_file(
        {n: v.half() if v.is_floating_point() else v for n, v in state.items()}, path
    ),
    "without counts": lambda state, path: torch.save(
        {n: v for n, v in state.items() if not n.endswith("num_batches_tracked")}, path
    ),
}


@each("way", WRITERS)
def test_a_network_comes_back_from_every_way_of_saving_it(way, theirs, state, tmp_path):
    WRITERS[way](state, tmp_path / "weights")
    parts = load_parts(tmp_path / "weights", "resnet18")
    order = torch.randperm(OUTPUTS, generator=torch.Generator().manual_seed(1)).tolist()
    mapped = network.build("resnet18", OUTPUTS)
    network.load_strictly(mapped, parts.arranged(Labels(tuple(order), ("a", "b"))))
    images = lively.images(2, seed=8)
    with torch.inference_mode():
        expected, answer = theirs(images)[:, order], mapped.eval()(images)[0]
    torch.testing.assert_close(answer, expected, rtol=0, atol=2e-2 if way == "half" else 1e-4)
    assert expected.std() > 0.1


@each("way", WRITERS)
@each("with_head", [True, False])
def test_a_training_can_start_from_any_of_them(way, with_head, state, tmp_path):
    WRITERS[way](state if with_head else backbone_only(state), tmp_path / "weights")
    fresh = network.build("resnet18", 12)
    fresh.backbone.load_state_dict(load_backbone(tmp_path / "weights", "resnet18"))
    torch.testing.assert_close(fresh.backbone.conv1.weight, state["conv1.weight"], rtol=0, atol=1e-3)
    assert all(p.dtype == torch.float32 for p in fresh.backbone.parameters())


@pytest.mark.parametrize("architecture", ["resnet18", "efficientnet_lite0"])
def test_a_model_of_ours_is_a_start_too(architecture, tmp_path):
    folder = lively.save(tmp_path / "model", architecture, background_classes=("other",))
    stored = weights.load_verified(folder)[1]
    for path in (folder, folder / weights.WEIGHTS_FILE):
        backbone = load_backbone(path, architecture)
        network.load_strictly(network.build(architecture, 12).backbone, backbone)
        assert all(torch.equal(value, stored[f"backbone.{name}"]) for name, value in backbone.items())
    parts = load_parts(folder, architecture)
    assert torch.equal(parts.weight, stored["head.weight"][:, :, 0, 0])
    assert torch.equal(parts.bias, stored["bias"])


def test_without_a_last_layer_it_is_said_how_to_go_on(state, tmp_path):
    save_file(backbone_only(state), tmp_path / "weights")
    error = refused(load_parts, tmp_path / "weights", "resnet18")
    assert error.code == "no_last_layer"
    assert "train --init FILE" in error.message


def test_everything_that_does_not_fit_is_named_at_once(state, tmp_path):
    del state["layer1.0.conv2.weight"]
    state["layer2.0.downsample.0.weight"] = torch.zeros(128, 64, 3, 3)
    state["layer9.extra"] = torch.zeros(1)
    torch.save(state, tmp_path / "weights")
    for load in (load_parts, load_backbone):
        message = refused(load, tmp_path / "weights", "resnet18").message
        assert "missing: layer1.0.conv2.weight" in message
        assert "unexpected: layer9.extra" in message
        assert "wrong shape: layer2.0.downsample.0.weight" in message


def test_weights_of_another_depth_are_refused(state, tmp_path):
    torch.save(state, tmp_path / "weights")
    error = refused(load_backbone, tmp_path / "weights", "resnet50")
    assert error.code == "weights_do_not_fit"
    assert "For resnet50" in error.message


@pytest.mark.parametrize(
    "head",
    [
        {"fc.weight": torch.zeros(14, 100), "fc.bias": torch.zeros(14)},
        {"fc.weight": torch.zeros(14, 512), "fc.bias": torch.zeros(13)},
        {"fc.weight": torch.zeros(14, 512)},
        {"fc.weight": torch.zeros(()), "fc.bias": torch.zeros(14)},
        {"fc.0.weight": torch.zeros(14, 512), "fc.0.bias": torch.zeros(14)},
    ],
)
def test_a_last_layer_of_another_kind_is_refused_but_no_obstacle_to_a_start(head, state, tmp_path):
    torch.save(backbone_only(state) | head, tmp_path / "weights")
    assert "last layer" in refused(load_parts, tmp_path / "weights", "resnet18").message
    assert load_backbone(tmp_path / "weights", "resnet18")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_named(number, state, tmp_path):
    state["layer1.0.bn1.running_var"] = torch.full((64,), number)
    torch.save(state, tmp_path / "weights")
    error = refused(load_backbone, tmp_path / "weights", "resnet18")
    assert error.code == "weights_not_finite"
    assert "layer1.0.bn1.running_var" in error.message


def test_whole_numbers_in_the_place_of_weights_are_named_with_their_kind(state, tmp_path):
    state["layer1.0.conv1.weight"] = state["layer1.0.conv1.weight"].to(torch.int8)
    state["fc.bias"] = torch.ones(OUTPUTS, dtype=torch.int64)
    torch.save(state, tmp_path / "weights")
    error = refused(load_backbone, tmp_path / "weights", "resnet18")
    assert error.code == "weights_not_floating" and "layer1.0.conv1.weight (int8)" in error.message
    state["layer1.0.conv1.weight"] = torch.zeros(64, 64, 3, 3)
    torch.save(state, tmp_path / "weights")
    error = refused(load_parts, tmp_path / "weights", "resnet18")
    assert error.code == "weights_not_floating" and "bias (int64)" in error.message


class Trap:
    """What leaves a trace when a pickle runs code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("way", ["torch", "plain pickle"])
def test_code_in_a_pickle_is_never_run(way, state, tmp_path):
    state["trap"] = Trap(tmp_path / "sprung")
    if way == "torch":
        torch.save(state, tmp_path / "weights")
    else:
        (tmp_path / "weights").write_bytes(pickle.dumps(state))
    error = refused(load_backbone, tmp_path / "weights", "resnet18")
    assert not (tmp_path / "sprung").exists()
    assert error.code == "pickle_with_code"
    assert "model.state_dict()" in error.message


def test_a_whole_model_saved_with_its_code_is_refused(theirs, tmp_path):
    torch.save(theirs, tmp_path / "weights")
    assert refused(load_parts, tmp_path / "weights", "resnet18").code == "pickle_with_code"


def test_one_number_shown_as_billions_is_refused(state, tmp_path):
    state["fc.weight"] = torch.zeros(1).expand(4_000_000_000, 512)
    torch.save(state, tmp_path / "weights")
    assert "fc.weight" in refused(load_parts, tmp_path / "weights", "resnet18").message


def test_a_compressed_file_is_refused(state, tmp_path):
    torch.save(state, tmp_path / "plain")
    with (
        zipfile.ZipFile(tmp_path / "plain") as plain,
        zipfile.ZipFile(tmp_path / "weights", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in plain.infolist():
            packed.writestr(entry.filename, plain.read(entry))
    assert "compressed" in refused(load_backbone, tmp_path / "weights", "resnet18").message


@pytest.mark.parametrize(
    "content", [b"", b"x" * 100, b"\x40\0\0\0\0\0\0\0{not json}" + b" " * 60, b"PK\x03\x04" + b"\0" * 50]
)
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "weights").write_bytes(content)
    assert refused(load_backbone, tmp_path / "weights", "resnet18").code in (
        "weights_unreadable",
        "pickle_with_code",
    )


def test_a_file_cut_off_is_refused(state, tmp_path):
    for write in (WRITERS["plain"], WRITERS["legacy"], WRITERS["safetensors"]):
        write(state, tmp_path / "whole")
        (tmp_path / "weights").write_bytes((tmp_path / "whole").read_bytes()[:-5000])
        assert refused(load_backbone, tmp_path / "weights", "resnet18").code.startswith(("weights", "pickle"))


@pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}, {"state_dict": {"conv1.weight": 7}}, None])
def test_files_without_a_state_dict_are_refused(content, tmp_path):
    torch.save(content, tmp_path / "weights")
    assert refused(load_backbone, tmp_path / "weights", "resnet18").code == "weights_unreadable"


def in_front(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


CHECKPOINTS = {
    "torchvision's training": lambda state, other: {
        "model": state, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}, "args": Namespace(lr=0.1), "epoch": 3,
    },
    "weights averaged by torch": lambda state, other: {"n_averaged": torch.tensor(5), **in_front("module.", state)},
    "Lightning": lambda state, other: {"state_dict": in_front("model.", state), "hyper_parameters": {"lr": 0.1}},
    "compiled, in parallel": lambda state, other: in_front("_orig_mod.module.", state),
    "beside what is none": lambda state, other: {"state_dict": None, "weights_of_classes": torch.ones(3), "net": state},
    "averages alone": lambda state, other: {"state_dict_ema": state, "epoch": 1},
}  # fmt: skip


@each("way", CHECKPOINTS)
def test_the_network_of_a_checkpoint_is_found_by_its_names(way, state, tmp_path):
    torch.save(CHECKPOINTS[way](state, None), tmp_path / "weights")
    parts = load_parts(tmp_path / "weights", "resnet18")
    assert torch.equal(parts.weight, state["fc.weight"])
    assert torch.equal(parts.backbone["conv1.weight"], state["conv1.weight"])


@each(
    "make, names",
    [
        (lambda one, two: {"model": one, "model_ema": in_front("module.", two)}, ("model", "model_ema.module")),
        (lambda one, two: {"state_dict": one, "state_dict_ema": two}, ("state_dict", "state_dict_ema")),
        (lambda one, two: {"state_dict": in_front("net.", one) | in_front("ema.", two)},
         ("state_dict.net", "state_dict.ema")),
    ],
)  # fmt: skip
def test_of_several_networks_in_a_file_none_is_taken_before_one_is_named(make, names, state, tmp_path):
    # Counters are often the same tensors in both.
    other = {name: value / 2 if value.is_floating_point() else value for name, value in state.items()}
    torch.save(make(state, other), tmp_path / "weights")
    for load in (load_parts, load_backbone):
        error = refused(load, tmp_path / "weights", "resnet18")
        assert error.code == "several_networks" and "--part NAME" in error.message
        assert ", ".join(names) in error.message
    for name, expected in zip(names, (state, other), strict=True):
        parts = load_parts(tmp_path / "weights", "resnet18", name)
        assert torch.equal(parts.weight, expected["fc.weight"])
    error = refused(load_parts, tmp_path / "weights", "resnet18", "else")
    assert error.code == "no_such_part" and names[1] in error.message


def test_what_lies_beside_a_network_is_told_and_left_out_only_where_the_network_is_named(state, tmp_path):
    torch.save({"criterion.weight": torch.ones(3), **in_front("model.", state)}, tmp_path / "weights")
    assert "unexpected: criterion.weight" in refused(load_parts, tmp_path / "weights", "resnet18").message
    assert load_parts(tmp_path / "weights", "resnet18", "model").bias.shape == (OUTPUTS,)


@each(
    "spoil, said",
    [
        (lambda value: value.to_sparse(), "fc.weight (sparse"),
        (lambda value: value.to_sparse_csr(), "fc.weight (sparse"),
        (lambda value: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8), "fc.weight (quantised"),
        (lambda value: value.to(torch.complex64), "fc.weight (complex numbers)"),
        (lambda value: value.to("meta"), "fc.weight (without its numbers"),
        (lambda value: value.to(torch.float8_e4m3fn), "weight (float8_e4m3fn)"),
        (lambda value: value.double() * 1e300, "double precision that are too large"),
    ],
)
def test_tensors_of_other_kinds_are_named_with_their_kind(spoil, said, state, tmp_path):
    state["fc.weight"] = spoil(state["fc.weight"] + 1)
    torch.save(state, tmp_path / "weights")
    assert said in refused(load_parts, tmp_path / "weights", "resnet18").message


def test_a_counter_that_is_no_number_is_refused_too(state, tmp_path):
    state["bn1.num_batches_tracked"] = torch.tensor(float("nan"))
    torch.save(state, tmp_path / "weights")
    assert "bn1.num_batches_tracked" in refused(load_parts, tmp_path / "weights", "resnet18").message


def test_names_in_a_message_are_of_one_line_whatever_they_are(state, tmp_path):
    torch.save(state | {"a\nb\x1b[31m\0": torch.zeros(1)}, tmp_path / "weights")
    assert r"a\nb\x1b[31m\x00" in refused(load_parts, tmp_path / "weights", "resnet18").message


def test_a_last_layer_of_timm_without_the_bias_it_should_have_is_refused(tmp_path):
    net = outside.whole("timm:resnet10t", OUTPUTS).state_dict()
    del net["fc.bias"]
    torch.save(net, tmp_path / "weights")
    assert "a bias for each output" in refused(load_parts, tmp_path / "weights", "timm:resnet10t").message
    for weight in (torch.zeros(()), torch.zeros(3)):
        torch.save(net | {"fc.weight": weight, "fc.bias": torch.zeros(3)}, tmp_path / "weights")
        assert "last layer" in refused(load_parts, tmp_path / "weights", "timm:resnet10t").message


def test_what_a_pickle_holds_besides_is_named_and_a_program_is_called_one(theirs, state, tmp_path):
    torch.save({"state_dict": state, "metric": np.float64(0.9)}, tmp_path / "weights")
    error = refused(load_parts, tmp_path / "weights", "resnet18")
    assert error.code == "pickle_with_code" and "multiarray.scalar" in error.message
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "weights")
    error = refused(load_parts, tmp_path / "weights", "resnet18")
    assert error.code == "pickle_with_code" and "TorchScript" in error.message


# Labels


def test_labels_are_put_into_our_order():
    names = ["eczema", *reversed(DISEASE_KEYS), "acne"]
    labels = arrange(names)
    assert labels.background == ("eczema", "acne")
    assert [names[place] for place in labels.order] == [*DISEASE_KEYS, "eczema", "acne"]


def test_spaces_a_mark_and_empty_lines_at_the_end_do_no_harm(tmp_path):
    (tmp_path / "labels").write_text("\ufeff" + "\r\n".join(f" {key} " for key in DISEASE_KEYS) + "\r\n\r\n")
    assert read_labels(tmp_path / "labels") == Labels(tuple(range(12)), ())


@each(
    "names, expected",
    [
        (["bcc", *DISEASE_KEYS[2:], "eczema"], "missing disease keys: scc"),
        ([*DISEASE_KEYS, "mm"], "named more than once: mm"),
        ([*DISEASE_KEYS, "acne", "acne"], "named more than once: acne"),
        ([*DISEASE_KEYS[:3], "", *DISEASE_KEYS[3:]], "empty lines: 4"),
        ([*DISEASE_KEYS, "x" * 201], "more than 200 characters: 13"),
        ([], "missing disease keys: bcc, scc"),
    ],
)
def test_labels_that_leave_a_doubt_are_refused(names, expected):
    assert expected in refused(arrange, names).message


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * 1_100_000])
def test_a_labels_file_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "labels").write_bytes(content)
    assert refused(read_labels, tmp_path / "labels").code == "bad_labels"
    assert refused(read_labels, tmp_path / "none").code == "bad_labels"
