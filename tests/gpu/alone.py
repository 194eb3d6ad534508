"""Lets the pure packages be imported where only PyTorch, torchvision, numpy, Pillow and safetensors are.

Some of their modules import a package at the top that only other functions of theirs call (a photo's decoder, a
random view's OpenCV). Such a package gets a stand-in that names itself when it is used after all. Import this
module before any other of the product.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
# What the checked modules import and never call in a check.
UNUSED = ("cv2", "imagehash", "pillow_heif")


class StandIn(ModuleType):
    """A package that is not installed and should not be needed."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(
            f"{self.__name__} is not installed here, and {self.__name__}.{name} is needed after all"
        )


def install() -> None:
    """Make the product importable from its checkout, without what the checks do not need."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    if "skinclinic" not in sys.modules:
        # Its __init__ starts Celery; its pure modules need only the folder.
        package = ModuleType("skinclinic")
        package.__path__ = [str(ROOT / "skinclinic")]
        sys.modules["skinclinic"] = package
    for name in UNUSED:
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = StandIn(name)
