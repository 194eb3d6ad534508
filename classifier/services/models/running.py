"""How this installation runs its models: for people as finely as its settings say, for figures in full precision."""

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from classifier.runtimes import Runtime


def for_people(folder: Path) -> "Runtime":
    """The model of a folder for a clinic's photos, the try page and `classify`. Raises weights.ModelRejected."""
    return _opened(folder, settings.INFERENCE_PRECISION)


def in_bfloat16(folder: Path) -> "Runtime":
    """The model in bfloat16, or in full precision where the processor has none. Raises weights.ModelRejected."""
    return _opened(folder, "bf16")


def in_full(folder: Path, *, many: bool = False) -> "Runtime":
    """The model for evaluations, thresholds, studies and checks of labels, whose figures are the same on another
    machine; ``many`` photos at the same time on a CPU. Raises weights.ModelRejected."""
    from classifier.runtimes import precisions

    return _opened(folder, precisions.F32, many)


def _opened(folder: Path, precision: str, many: bool = False) -> "Runtime":
    from classifier.runtimes import open_runtime

    return open_runtime(
        folder,
        cache_dir=settings.CACHE_DIR,
        prefer=settings.CLASSIFIER_RUNTIME,
        precision=precision,
        threads=settings.INFERENCE_NUM_THREADS,
        many=many,
    )
