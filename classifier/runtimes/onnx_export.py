"""Networks as ONNX graphs, exported once for each weights' hash and kept in the cache folder.

A cached graph lies beside its SHA-256; both are written whole or not at all. A reader who meets
one without the other, or damage, exports again.
"""

import hashlib
import io
import logging
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.networks.manifest import ModelRejected
from skinclinic.files.whole import write_whole

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger(__name__)

OPSET = 17
# Raise it when the same weights must give another graph.
_REVISION = 1


def cached_graph(folder: Path, weights_sha256: str, cache_dir: Path) -> bytes:
    """Return the ONNX graph of the model in ``folder``, whose weights are known to have this hash.

    A cache that cannot be written is no obstacle; the graph is then exported each time. Raises ModelRejected.
    """
    file_name = f"{weights_sha256}-r{_REVISION}-opset{OPSET}-torch{version('torch')}.onnx"
    path = Path(cache_dir) / "onnx" / file_name
    graph = _read_intact(path)
    if graph is None:
        graph = _export_model(Path(folder), weights_sha256)
        try:
            write_whole(path, graph)
            write_whole(_digest_path(path), hashlib.sha256(graph).hexdigest().encode())
        except OSError as error:
            log.warning("the exported network cannot be kept in %s: %s", path.parent, error)
    return graph


def export(network: "nn.Module", input_size: int, output_names: Sequence[str]) -> bytes:
    """Export a network in evaluation mode: images [batch, 3, S, S] -> outputs with a batch axis each."""
    import torch

    names = ["images", *output_names]
    graph = io.BytesIO()
    with warnings.catch_warnings():
        # Traced sizes become constants, as they should: only the batch varies. The tracing exporter is
        # deprecated, but makes the same graph as its successor in a tenth of the time.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, input_size, input_size),),
            graph,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )
    return graph.getvalue()


def _export_model(folder: Path, weights_sha256: str) -> bytes:
    from classifier.networks.network import restore
    from classifier.networks.weights import load_verified

    manifest, state = load_verified(folder)
    if manifest.weights_sha256 != weights_sha256:
        raise ModelRejected("changed", "The model was changed while it was being loaded.")
    network = restore(manifest, state).eval()
    return export(network, manifest.preprocessing.input_size, ("logits", "maps"))


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _read_intact(path: Path) -> bytes | None:
    try:
        content, digest = path.read_bytes(), _digest_path(path).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest().encode() != digest:
        return None
    return content
