"""Caffe's files are read as they are written, and what does not fit is refused with every name."""

import itertools
import resource

import numpy as np
import pytest
import torch

from classifier.imports import caffe_layout, caffemodel, prototxt
from classifier.imports.caffe_graph import read_graph
from classifier.imports.caffe_resnet import convert, read_caffe_resnet
from classifier.imports.caffemodel import Blob
from classifier.networks import network
from classifier.networks.manifest import ModelRejected
from tests.cases import each
from tests.classifier import caffe_net


def refused(call, *arguments) -> ModelRejected:
    with pytest.raises(ModelRejected) as caught:
        call(*arguments)
    assert caught.value.message.endswith(".")
    return caught.value


# The caffemodel's bytes


def parse(content: bytes):
    return caffemodel.parse(np.frombuffer(content, np.uint8))


@pytest.mark.parametrize("style", ["plain", "legacy", "double", "unpacked", "with diff"])
def test_blobs_come_back_in_every_way_of_writing_them(style):
    values = [np.arange(60, dtype=np.float32).reshape(4, 3, 5, 1) / 7, np.float32([1.5, -2, 1e30])]
    layer = caffe_net.Layer("conv", "Convolution", ["data"], "conv")
    found = parse(caffe_net.caffemodel([layer], {"conv": values}, {"conv": style}))
    assert list(found) == ["conv"], "layers without numbers are left out"
    for blob, expected in zip(found["conv"], values, strict=True):
        np.testing.assert_array_equal(blob.values, expected.reshape(-1))
        assert blob.misfit(expected.shape) == ""
    assert found["conv"][1].misfit((4,)) in ("is 3, needs 4", "is 1x1x1x3, needs 4")
    assert found["conv"][0].misfit((3, 4, 5, 1)) == "is 4x3x5x1, needs 3x4x5x1"


def test_layers_of_the_older_kind_are_read_too():
    blob = caffe_net.blob_bytes(np.float32([1, 2]), "legacy")
    old = caffe_net.MESSAGES["OldLayer"](name="conv1", type=4, blobs=[blob])
    found = parse(caffe_net.MESSAGES["Net"](name="x", layers=[old.SerializeToString()]).SerializeToString())
    assert found["conv1"][0].values.tolist() == [1, 2]


def test_numbers_written_in_pieces_are_put_together():
    piece = caffe_net.blob_bytes(np.float32([1, 2]))
    numbers = caffe_net.MESSAGES["Blob"](data=[3]).SerializeToString()
    single = caffe_net.MESSAGES["UnpackedBlob"](data=[4, 5]).SerializeToString()
    content = net_bytes("a", piece + numbers + single + numbers)
    assert parse(content)["a"][0].values.tolist() == [1, 2, 3, 4, 5, 3]


def net_bytes(name: str, *blobs: bytes) -> bytes:
    layer = caffe_net.MESSAGES["Layer"](name=name, blobs=list(blobs)).SerializeToString()
    return caffe_net.MESSAGES["Net"](layer=[layer]).SerializeToString()


def claims(*dims: int) -> bytes:
    """A net with a blob that says it has this shape and holds one number."""
    shape = caffe_net.MESSAGES["Shape"](dim=dims).SerializeToString()
    blob = caffe_net.MESSAGES["Blob"](shape=shape, data=[1.0]).SerializeToString()
    return net_bytes("conv1", blob)


BAD = {
    "nothing": b"",
    "text": b'name: "ResNet-50"\nlayer { name: "conv1" }',
    "zip": b"PK\x03\x04" + b"\0" * 200,
    "all ones": b"\xff" * 1000,
    "length beyond the end": b"\xa2\x06\xff\xff\xff\xff\x0f",
    "number without end": b"\x08" + b"\x80" * 5000,
    "group": b"\x0b" * 100,
    "field 0": b"\x00\x00" * 50,
    "no layer": caffe_net.MESSAGES["Net"](name="empty").SerializeToString(),
    "no numbers": net_bytes("conv1"),
    "cut off within a number": net_bytes("a", b"\x2a\x03abc"),
    "same layer twice": net_bytes("a", b"\x2a\x04abcd") * 2,
    "endless axes": net_bytes("a", b"\x3a\x28" + b"\x0a\x26" + b"\x01" * 38),
}


@each("case", BAD)
def test_bytes_that_are_no_caffemodel_are_refused(case, tmp_path):
    file = tmp_path / "x.caffemodel"
    file.write_bytes(BAD[case])
    assert refused(caffemodel.read, file).code == "caffemodel_unreadable"


def test_every_place_to_cut_a_file_off_is_survived():
    """Cut anywhere, it is refused or lacks what was cut; never an error of another kind."""
    whole = claims(2, 2) + net_bytes("b", caffe_net.blob_bytes(np.float32([1, 2]), "unpacked"))
    refusals = 0
    for end in range(len(whole)):
        try:
            assert set(parse(whole[:end])) <= {"conv1", "b"}
        except ModelRejected:
            refusals += 1
    assert refusals > len(whole) * 0.9


def test_flipped_bytes_give_refusals_only():
    whole = bytearray(claims(2, 2) + net_bytes("b", caffe_net.blob_bytes(np.float32([1, 2, 3]), "unpacked")))
    for place, bit in itertools.product(range(len(whole)), range(8)):
        whole[place] ^= 1 << bit
        try:
            for blobs in parse(bytes(whole)).values():
                for blob in blobs:
                    blob.misfit((3,))
        except ModelRejected:
            pass
        whole[place] ^= 1 << bit


def test_a_claimed_size_is_never_allocated(tmp_path):
    """A hundred bytes that claim 10^36 numbers."""
    file = tmp_path / "x.caffemodel"
    file.write_bytes(claims(*(10**9,) * 4))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (blob,) = caffemodel.read(file)["conv1"]
    assert blob.misfit((10**9,) * 4) == "should be " + "x".join(["1000000000"] * 4) + " and holds 1 numbers"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_more_fields_than_a_network_has_are_refused():
    # Two kinds in turn, so that no run of one can be taken at once.
    content = b"\x2d\0\0\0\0\x08\x01" * caffemodel.MOST_FIELDS
    assert "fields" in refused(parse, net_bytes("a", content)).message


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    assert refused(caffemodel.read, tmp_path).code == "caffemodel_unreadable"
    assert refused(caffemodel.read, tmp_path / "none").code == "caffemodel_unreadable"
    assert refused(prototxt.read, tmp_path).code == "prototxt_unreadable"


# The prototxt's text


def test_text_format_is_read_in_its_loose_style():
    text = """
    # a comment { with a brace
    name: "a \\"quoted\\" name"; input: 'data', input_dim: [1, 3, 224, 224]
    layer < name: "x" convolution_param: { kernel_size: 3 } convolution_param { pad: 1 bias_term: false } >
    layer { name: "y" eps: 1e-3 }
    """
    net = prototxt.parse(text)
    assert net.word("name") == 'a "quoted" name'
    assert net.wholes("input_dim") == [1, 3, 224, 224]
    x, y = net.messages("layer")
    values = x.message("convolution_param")
    assert (values.whole("kernel_size", 0), values.whole("pad", 0)) == (3, 1)
    assert values.flag("bias_term", True) is False
    assert y.number("eps", 1) == 1e-3


@each(
    "text",
    [
        "layer {",
        "layer }",
        "layer { name: }",
        'name: "no end',
        ": 5",
        "a: [1, 2",
        "layer { " * 100_000,
        "<" * 100_000,
    ],
)
def test_text_that_is_none_is_refused(text):
    assert refused(prototxt.parse, text).code == "prototxt_unreadable"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b" " * (prototxt.LARGEST_BYTES + 1)], ids=["no text", "huge"]
)
def test_a_caffemodel_in_its_place_is_guessed(content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    assert "is it the caffemodel?" in refused(prototxt.read, tmp_path / "x").message


@pytest.mark.parametrize("value", ["-1", "x", "{ a: 1 }", "99999999999999999999", "1.5"])
def test_values_of_a_wrong_kind_are_refused(value):
    text = f'layer {{ name: "a" type: "Convolution" convolution_param {{ num_output: {value} }} }}'
    text = text.replace(": {", " {")
    assert "num_output" in refused(read_graph, prototxt.parse(text)).message


# The layout


class Case:
    """A network of constant numbers whose layers and blobs a test spoils."""

    def __init__(self, depth: int = 50):
        self.net = caffe_net.layers(depth, 15)
        self.blobs = caffe_net.constant_blobs(self.net)
        self.text = None

    def layer(self, name: str) -> caffe_net.Layer:
        return next(layer for layer in self.net if layer.name == name)

    def remove(self, name: str) -> None:
        self.net.remove(self.layer(name))

    def convert(self):
        text = caffe_net.prototxt(self.net) if self.text is None else self.text
        blobs = {
            name: [Blob(shape.shape, np.ravel(shape), legacy=False) for shape in values]
            for name, values in self.blobs.items()
        }
        return convert(read_graph(prototxt.parse(text)), blobs)

    def refusal(self) -> str:
        error = refused(self.convert)
        assert error.code == "layers_do_not_fit"
        return error.message


@pytest.fixture
def case():
    return Case()


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_the_published_layouts_fill_our_networks_exactly(depth):
    made = Case(depth).convert()
    assert made.architecture == f"resnet{depth}-caffe"
    with torch.device("meta"):
        network.check_fit(network.build(made.architecture, 1).backbone, made.parts.backbone)
    assert made.parts.weight.shape == (15, 2048)


def test_everything_that_is_missing_extra_or_misshapen_is_named_at_once(case):
    del case.blobs["bn3b_branch2c"]
    case.blobs["res5a_branch1"] = [np.ones((2048, 1024, 3, 3), np.float32)]
    case.blobs["scale2c_branch2a"] = [np.ones(64, np.float32)]
    case.blobs["aux_classifier"] = [np.ones(3, np.float32)]
    case.remove("res4f_branch2b")
    case.layer("res3a_branch2a").params["convolution_param"]["stride"] = 1
    case.layer("res3a_branch2b").params["convolution_param"]["stride"] = 2
    case.layer("pool1").params["pooling_param"]["pad"] = 1
    case.net.insert(5, caffe_net.Layer("norm1", "LRN", ["pool1"], "norm1"))
    message = case.refusal()
    for expected in (
        "ResNet-50",
        "missing in the caffemodel: bn3b_branch2c.",
        "do not belong there: aux_classifier.",
        "res5a_branch1 (blob 0) is 2048x1024x3x3, needs 2048x1024x1x1",
        "scale2c_branch2a has 1 blobs, needs 2",
        "missing in the prototxt: res4f_branch2b.",
        "do not belong there: norm1.",
        "res3a_branch2a has stride 1x1, must have 2x2",
        "res3a_branch2b has stride 2x2, must have 1x1",
        "pool1 has pad 1x1, must have 0x0",
    ):
        assert expected in message


def spoil_wiring(case):
    case.layer("res2b").bottoms[0] = "pool1"


def spoil_relu(case):
    case.remove("res4c_branch2a_relu")


def spoil_slope(case):
    case.layer("conv1_relu").params["relu_param"] = {"negative_slope": 0.1}


def spoil_sum(case):
    case.layer("res3b").params["eltwise_param"] = {"operation": "MAX"}


def spoil_weighted_sum(case):
    case.layer("res3b").params["eltwise_param"] = {"coeff": 0.5}


def spoil_statistics(case):
    case.layer("bn_conv1").params["batch_norm_param"]["use_global_stats"] = False


def spoil_pooling(case):
    case.layer("pool5").params["pooling_param"]["kernel_size"] = 5


def spoil_last_layer(case):
    case.layer("fc_skin").params["inner_product_param"]["transpose"] = True


def spoil_variance(case):
    case.blobs["bn2b_branch2a"][1] = -case.blobs["bn2b_branch2a"][1]


def spoil_number(case):
    case.blobs["res2b_branch2a"] = [np.full((64, 256, 1, 1), np.nan, np.float32)]


def spoil_name(case):
    case.net.append(case.layer("res5c"))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            spoil_wiring,
            "res2b takes pool1 and scale2b_branch2c, must take ReLU of res2a and scale2b_branch2c",
        ),
        (spoil_relu, "res4c_branch2b takes scale4c_branch2a, must take ReLU of scale4c_branch2a"),
        (spoil_slope, "conv1_relu lets negative values through"),
        (spoil_sum, "res3b has operation MAX, must have SUM"),
        (spoil_weighted_sum, "res3b has coeff 0.5, must have 1"),
        (spoil_statistics, "bn_conv1 has use_global_stats False, must have True"),
        (spoil_pooling, "pool5 averages 5x5 of 7x7"),
        (spoil_last_layer, "fc_skin has transpose True"),
        (spoil_variance, "not finite numbers: layer1.1.bn1.running_var"),
        (spoil_number, "not finite numbers: layer1.1.conv1.weight"),
        (spoil_name, "two layers named res5c"),
    ],
)
def test_a_network_that_computes_something_else_is_refused(case, spoil, expected):
    spoil(case)
    assert expected in case.refusal()


def test_another_network_is_said_to_be_none(case):
    case.text = 'input: "data" layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" }'
    assert "is not a ResNet as published for Caffe" in case.refusal()


def test_the_older_kind_of_prototxt_is_named(case):
    case.text = caffe_net.prototxt(case.net) + "layers { name: 'a' }"
    assert "upgrade_net_proto_text" in case.refusal()


def test_an_input_layer_and_layers_for_training_are_understood(case):
    head = 'input: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: 224\ninput_dim: 224\n'
    text = caffe_net.prototxt(case.net)
    assert head in text
    case.text = text.replace(
        head,
        'layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 10 dim: 3 dim: 224 dim: 224 } } }'
        'layer { name: "photos" type: "ImageData" top: "data" top: "label" include { phase: TRAIN } }',
    ).replace('bottom: "pool5"', 'bottom: "drop5"')
    case.text = case.text.replace(
        'layer {\n\tbottom: "drop5"',
        'layer { name: "drop5" type: "Dropout" bottom: "pool5" top: "drop5" }\nlayer {\n\tbottom: "drop5"',
    )
    assert case.convert().input_size == 224


@each("side", [97, 193, 199, 224, 225, 256, 320])
def test_the_size_of_the_last_maps_is_that_of_the_network(side):
    with torch.device("meta"):
        backbone = network.build("resnet50-caffe", 1).backbone
        maps = backbone(torch.zeros(1, 3, side, side))
    assert maps.shape[2:] == (caffe_layout.last_side(side),) * 2


def test_a_larger_input_needs_pooling_over_the_whole_map(case):
    case.text = caffe_net.prototxt(case.net, side=320)
    assert "pool5 averages 7x7 of 10x10" in case.refusal()
    case.layer("pool5").params["pooling_param"] = {"pool": "AVE", "global_pooling": True}
    case.text = caffe_net.prototxt(case.net, side=320)
    assert case.convert().input_size == 320


def test_files_that_are_changed_for_each_other_are_refused(caffe):
    assert refused(read_caffe_resnet, caffe.caffemodel, caffe.prototxt).code == "prototxt_unreadable"
    assert refused(read_caffe_resnet, caffe.prototxt, caffe.prototxt).code == "caffemodel_unreadable"
