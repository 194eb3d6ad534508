"""Numbers of the photos of an evaluation, kept beside its report in a file that is named for its content: of it pages
read the places that they need. What else is told of them stands with what ``values`` keeps."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from classifier.models import Evaluation
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.report import NotYet, Report
from skinclinic.files import whole


def told(
    report: Report, dataset: int, model: int, what: str, look: Callable[[], tuple[dict[str, Any], np.ndarray]]
) -> tuple[dict[str, Any], np.ndarray]:
    """What ``look`` tells of a dataset and a model, plain values and numbers, as it is kept where that still holds.
    Raises NotYet, and what ``look`` raises."""
    folder, made = report.row.folder, []

    def make() -> dict[str, Any]:
        values, numbers = look()
        content = BytesIO()
        np.save(content, numbers)
        of = f"{what}-{dataset}-{model}"
        name = f"{of}-{hashlib.sha256(content.getvalue()).hexdigest()[:16]}.npy"
        with suppress(OSError):
            if folder.is_dir():
                whole.write_whole(folder / name, content.getvalue())
                _remove_others(folder, f"{of}-*.npy", name)
        made.append(numbers)
        return values | {"file": name}

    found: dict[str, Any] = kept_values.told(
        report, dataset, model, what, make, holds=lambda told: (folder / told["file"]).is_file()
    )
    return found, made[0] if made else _opened(report, found["file"])


def files(row: Evaluation) -> list[Path]:
    """What is kept of an evaluation's photos, and may be lost."""
    return [*row.folder.glob("*.npy"), *row.folder.glob(kept_values.FILES)]


def _opened(report: Report, name: str) -> np.ndarray:
    try:
        found: np.ndarray = np.load(report.row.folder / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        # Between two looks at it a job has put another in its place.
        raise NotYet(report.row) from error
    return found


def _remove_others(folder: Path, pattern: str, name: str) -> None:
    for path in folder.glob(pattern):
        if path.name != name:
            path.unlink(missing_ok=True)
