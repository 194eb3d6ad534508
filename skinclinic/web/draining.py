"""Whether this web node was asked to stop and only goes on for a moment, so that whoever shares out requests hears of
it first. ``gunicorn.conf.py`` says it to all its processes."""

import os
from pathlib import Path


def has_begun() -> bool:
    """Whether it was asked to stop."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    return bool(folder) and Path(folder, "draining").exists()
