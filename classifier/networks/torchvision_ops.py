"""Makes ``import torchvision`` work beside a torch build its compiled operators were not made for.

The public index carries torchvision for Linux as a CUDA build. Beside a CPU-only torch its library cannot
load, and torchvision then stops on import because it describes the operators ``nms`` and ``qnms`` without
checking that they exist. Only its networks are needed here, so the two schemas are declared by hand.

Call :func:`declare_missing` before the first ``import torchvision``.
"""

import functools
import importlib.util
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def declare_missing() -> torch.library.Library | None:
    """Declare torchvision's operators where its own library cannot load; None where it can.

    The declaration lasts as long as the returned library, which the cache keeps for the process.
    """
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + _SIGNATURE)
    return library


def _compiled_operators_load() -> bool:
    package = importlib.util.find_spec("torchvision")
    if package is None or not package.submodule_search_locations:
        raise ImportError("torchvision is not installed")
    finder = FileFinder(package.submodule_search_locations[0], (ExtensionFileLoader, EXTENSION_SUFFIXES))
    compiled = finder.find_spec("_C")
    if compiled is None:
        return False
    try:
        torch.ops.load_library(compiled.origin)
    except (ImportError, OSError):
        return False
    return True
