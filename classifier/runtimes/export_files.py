"""The files of a network written for other programs, by format; beside each lies the model's description. Pure."""

from classifier.networks.manifest import MANIFEST_FILE

ONNX, OPENVINO = "onnx", "openvino"
GRAPH, ONNX_FILE = "model.xml", "model.onnx"
FILES = {
    ONNX: (MANIFEST_FILE, ONNX_FILE),
    # The numbers of the graph lie beside it.
    OPENVINO: (MANIFEST_FILE, "model.bin", GRAPH),
}
