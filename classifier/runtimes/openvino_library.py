"""OpenVINO, where it is installed, without what it would tell its maker."""

import functools
import importlib
import logging
import sys
from types import ModuleType

log = logging.getLogger(__name__)

TELEMETRY = "openvino_telemetry"


@functools.cache
def load() -> ModuleType | None:
    """The module ``openvino``; None where there is no build of it for this machine, and PyTorch is the runtime.

    Its telemetry reports every import to a server unless somebody has refused; here it is never loaded, and OpenVINO
    takes its own stub instead.
    """
    # None is Python's own way to say that there is no such module.
    sys.modules.setdefault(TELEMETRY, None)  # type: ignore[arg-type]
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        log.info("no OpenVINO here (%s); PyTorch runs the networks", error)
        return None


def version() -> str:
    """Its version without the build, "2026.4.1"."""
    from importlib.metadata import version as installed

    return installed("openvino")
